//go:build ignore

// All programs in one object, so that they share ring, maps and tables.
#include "headers/record.h"
#include "headers/call.h"
#include "dispatch.c"
#include "process.c"
#include "file.c"
#include "net.c"
#include "sys.c"

char LICENSE[] SEC("license") = "GPL";
