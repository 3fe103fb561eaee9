// SPDX-License-Identifier: MIT
/* A module that does nothing wrong: it shows that loading, parameters and unloading work. */
#include <linux/module.h>

static char *greeting = "hello";
module_param(greeting, charp, 0444);
MODULE_PARM_DESC(greeting, "shown in sysfs; does nothing");

MODULE_DESCRIPTION("Test of the VM harness: a good module");
MODULE_LICENSE("Dual MIT/GPL");
