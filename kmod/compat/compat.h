/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The code is written for the newest kernel; older ones get whole functions
 * here, under the newest name. Presence is probed in compat/probe.mk.
 */
#ifndef SCULLPIN_COMPAT_H
#define SCULLPIN_COMPAT_H

#include <linux/device/class.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/uio.h>

/* v6.3; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_EXTRACT_PAGES
typedef unsigned int iov_iter_extraction_t;

ssize_t scullpin_compat_extract_pages(struct iov_iter *iter, struct page ***pages,
				      size_t maxsize, unsigned int maxpages,
				      iov_iter_extraction_t flags, size_t *offset0);
#define iov_iter_extract_pages scullpin_compat_extract_pages
#endif

/* ITER_PIPE went away in v6.5; drop when the oldest kernel is newer. */
#ifdef SCULLPIN_HAVE_ITER_PIPE
static inline bool scullpin_iter_is_pipe(const struct iov_iter *iter)
{
	return iov_iter_is_pipe(iter);
}
#else
static inline bool scullpin_iter_is_pipe(const struct iov_iter *iter)
{
	return false;
}
#endif

/* v6.5; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_COPY_SPLICE_READ
static inline ssize_t copy_splice_read(struct file *in, loff_t *ppos,
				       struct pipe_inode_info *pipe, size_t len,
				       unsigned int flags)
{
	return generic_file_splice_read(in, ppos, pipe, len, flags);
}
#endif

/* An argument went away in v6.4; drop when the oldest kernel is newer. */
#ifdef SCULLPIN_HAVE_CLASS_OWNER
static inline struct class *scullpin_compat_class_create(const char *name)
{
	return class_create(THIS_MODULE, name);
}

#undef class_create
#define class_create scullpin_compat_class_create
#endif

/* v6.13; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* SCULLPIN_COMPAT_H */
