//go:build ignore

// All programs in one object, so that they share ring, maps and tables.
#include "headers/record.h"
#include "headers/call.h"
#include "dispatch.c"
#include "process.c"
#include "file.c"
#include "fds.c"
#include "names.c"
#include "sys.c"
#include "net.c"
#include "dgram.c"
#include "tcp.c"
#include "uring.c"

char LICENSE[] SEC("license") = "GPL";
