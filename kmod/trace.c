// SPDX-License-Identifier: GPL-2.0-only
/* The bodies of the tracepoints that trace.h declares. */
#include <linux/string.h>

#include "device.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
