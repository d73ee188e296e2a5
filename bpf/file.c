#pragma once
#include "headers/call.h"
