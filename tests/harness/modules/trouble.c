// SPDX-License-Identifier: MIT
/*
 * A module that does the one wrong thing it is asked for when it is loaded, so that the harness can be seen to notice:
 *
 *   insmod trouble.ko kind=warn|pin|stay|use-after-free|lock-inversion|leak|race
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *kind = "";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "warn: a kernel warning; pin: a page is pinned and never released; stay: cannot be unloaded; use-after-free, lock-inversion, leak, race: for a debug kernel");

/* The pinned page is one of insmod's stack: it outlives the process, because nobody releases it. */
static int trouble_leak_pin(void)
{
	static struct page *leaked;
	int pinned;

	pinned = pin_user_pages_fast(current->mm->start_stack & PAGE_MASK, 1, FOLL_WRITE, &leaked);
	return pinned == 1 ? 0 : -EFAULT;
}

static int trouble_use_after_free(void)
{
	int *gone = kmalloc(sizeof(*gone), GFP_KERNEL);

	if (!gone)
		return -ENOMEM;
	kfree(gone);
	WRITE_ONCE(*gone, 1);
	return 0;
}

/* Nobody waits here for anybody; that it could happen is what lockdep finds. */
static int trouble_lock_inversion(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int trouble_leak(void)
{
	void *leaked = kmalloc(1000, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(leaked);
	return leaked ? 0 : -ENOMEM;
}

static long raced;

static int trouble_racer(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

/* Two threads count without a lock for three seconds. */
static int trouble_race(void)
{
	struct task_struct *racers[2];
	int i;

	for (i = 0; i < 2; i++) {
		racers[i] = kthread_run(trouble_racer, NULL, "racer");
		if (IS_ERR(racers[i]))
			return PTR_ERR(racers[i]);
	}
	msleep(3000);
	for (i = 0; i < 2; i++)
		kthread_stop(racers[i]);
	return 0;
}

static int __init trouble_init(void)
{
	if (!strcmp(kind, "warn"))
		return WARN_ON(1) ? 0 : -EINVAL;
	if (!strcmp(kind, "pin"))
		return trouble_leak_pin();
	if (!strcmp(kind, "stay"))
		return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
	if (!strcmp(kind, "use-after-free"))
		return trouble_use_after_free();
	if (!strcmp(kind, "lock-inversion"))
		return trouble_lock_inversion();
	if (!strcmp(kind, "leak"))
		return trouble_leak();
	if (!strcmp(kind, "race"))
		return trouble_race();
	return -EINVAL;
}

static void __exit trouble_exit(void)
{
}

module_init(trouble_init);
module_exit(trouble_exit);
MODULE_DESCRIPTION("Test of the VM harness: a bad module");
MODULE_LICENSE("Dual MIT/GPL");
