// SPDX-License-Identifier: MIT
/*
 * A module that does the one wrong thing it is asked for when it is loaded, so that the harness can be seen to notice:
 *
 *   insmod trouble.ko kind=warn|pin|stay
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *kind = "";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "warn: a kernel warning; pin: a page is pinned and never released; stay: cannot be unloaded");

/* The pinned page is one of insmod's stack: it outlives the process, because nobody releases it. */
static int trouble_leak_pin(void)
{
	static struct page *leaked;
	int pinned;

	pinned = pin_user_pages_fast(current->mm->start_stack & PAGE_MASK, 1, FOLL_WRITE, &leaked);
	return pinned == 1 ? 0 : -EFAULT;
}

static int __init trouble_init(void)
{
	if (!strcmp(kind, "warn"))
		return WARN_ON(1) ? 0 : -EINVAL;
	if (!strcmp(kind, "pin"))
		return trouble_leak_pin();
	if (!strcmp(kind, "stay"))
		return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
	return -EINVAL;
}

static void __exit trouble_exit(void)
{
}

module_init(trouble_init);
module_exit(trouble_exit);
MODULE_DESCRIPTION("Test of the VM harness: a bad module");
MODULE_LICENSE("Dual MIT/GPL");
