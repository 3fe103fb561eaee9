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
#include <linux/pagemap.h>
#include <linux/uio.h>
#include <linux/writeback.h>

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
#ifndef SCULLPIN_HAVE_FILEMAP_SPLICE_READ
static inline ssize_t filemap_splice_read(struct file *in, loff_t *ppos,
					  struct pipe_inode_info *pipe, size_t len,
					  unsigned int flags)
{
	return generic_file_splice_read(in, ppos, pipe, len, flags);
}
#endif

/* v6.7; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_FOLIO_END_READ
static inline void folio_end_read(struct folio *folio, bool success)
{
	if (success)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}
#endif

/*
 * Old kernels have write_cache_pages(), which calls for each page; new ones an
 * iterator, v6.9. Folios of this module are one page. Drop when the oldest
 * kernel is newer.
 */
int scullpin_write_folios(struct address_space *pages, struct writeback_control *wbc,
			  int (*write)(struct folio *folio, struct writeback_control *wbc,
				       void *data), void *data);

/* Takes folios since v6.9; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_ACCOUNT_OWNER_FOLIO
static inline void scullpin_compat_account_owner(struct writeback_control *wbc,
						 struct folio *folio, size_t bytes)
{
	wbc_account_cgroup_owner(wbc, &folio->page, bytes);
}

#define wbc_account_cgroup_owner scullpin_compat_account_owner
#endif

/* v6.17; drop when the oldest kernel is newer. */
#ifndef SCULLPIN_HAVE_WRITE_BEGIN_GET_FOLIO
static inline struct folio *write_begin_get_folio(const struct kiocb *iocb,
						  struct address_space *pages, pgoff_t index,
						  size_t length)
{
	struct page *page = grab_cache_page_write_begin(pages, index);

	return page ? page_folio(page) : ERR_PTR(-ENOMEM);
}
#endif

/*
 * ->write_begin() and ->write_end() know folios since v6.12, and the kiocb
 * instead of the file since v6.17; for older kernels both are wrapped. Drop
 * when the oldest kernel is newer.
 */
#if defined(SCULLPIN_HAVE_WRITE_BEGIN_KIOCB)
#define SCULLPIN_WRITE_OP(op) op
#define SCULLPIN_WRITE_OPS(begin, end)
#elif defined(SCULLPIN_HAVE_WRITE_BEGIN_FOLIO)
#define SCULLPIN_WRITE_OP(op) op##_of_file
#define SCULLPIN_WRITE_OPS(begin, end)							\
static int begin##_of_file(struct file *file, struct address_space *pages, loff_t pos,	\
			   unsigned int length, struct folio **foliop, void **fsdata)	\
{											\
	return begin(NULL, pages, pos, length, foliop, fsdata);				\
}											\
											\
static int end##_of_file(struct file *file, struct address_space *pages, loff_t pos,	\
			 unsigned int length, unsigned int copied, struct folio *folio,	\
			 void *fsdata)							\
{											\
	return end(NULL, pages, pos, length, copied, folio, fsdata);			\
}
#else
#define SCULLPIN_WRITE_OP(op) op##_of_page
#define SCULLPIN_WRITE_OPS(begin, end)							\
static int begin##_of_page(struct file *file, struct address_space *pages, loff_t pos,	\
			   unsigned int length, struct page **pagep, void **fsdata)	\
{											\
	struct folio *folio;								\
	int ret = begin(NULL, pages, pos, length, &folio, fsdata);			\
											\
	if (!ret)									\
		*pagep = &folio->page;							\
	return ret;									\
}											\
											\
static int end##_of_page(struct file *file, struct address_space *pages, loff_t pos,	\
			 unsigned int length, unsigned int copied, struct page *page,	\
			 void *fsdata)							\
{											\
	return end(NULL, pages, pos, length, copied, page_folio(page), fsdata);		\
}
#endif

/* RWF_DONTCACHE came in v6.14, and is refused where the file does not know it. */
#ifdef SCULLPIN_HAVE_DONTCACHE
#define SCULLPIN_FILE_FLAGS .fop_flags = FOP_DONTCACHE,
#else
#define SCULLPIN_FILE_FLAGS
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

/*
 * Commands of io_uring got a header of their own, and the whole entry instead of
 * its payload, between v6.1 and v6.12; drop when the oldest kernel is newer.
 */
#ifdef SCULLPIN_HAVE_COMMAND_HEADER
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

#ifdef SCULLPIN_HAVE_COMMAND_SQE
static inline const void *scullpin_command_payload(const struct io_uring_cmd *ioucmd)
{
	return ioucmd->sqe->cmd;
}
#else
static inline const void *scullpin_command_payload(const struct io_uring_cmd *ioucmd)
{
	return ioucmd->cmd;
}
#endif

/*
 * v6.8 and many an older one: only kiocbs that say so are libaio's, and have a
 * context around them. Where none says it, none can be taken back.
 */
#ifdef SCULLPIN_HAVE_AIO_RW
static inline bool scullpin_iocb_is_aio(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_AIO_RW;
}
#else
static inline bool scullpin_iocb_is_aio(const struct kiocb *iocb)
{
	return false;
}
#endif

#endif /* SCULLPIN_COMPAT_H */
