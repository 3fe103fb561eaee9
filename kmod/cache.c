// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache over the medium: cached reads, delayed writes, mappings. All
 * by the kernel's generic functions, as block devices do; the bytes between
 * folios and the medium are dio's to move, for which this is a caller with
 * pages instead of user addresses.
 *
 * Write-back always comes to an end: it pins nothing and takes nothing of the
 * cap; a page of the medium stands behind a folio before it becomes dirty; and
 * its own memory is small and may not fail.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/writeback.h>

#include "cache.h"
#include "compat/compat.h"
#include "device.h"
#include "dio.h"
#include "refuse.h"

/* Folios of one request, at most. */
#define CACHE_IO_FOLIOS 16

/**
 * struct cache_io - neighbouring folios on their way to or from the medium
 * @iocb: as dio knows it; a caller without a file
 * @sdev: the device
 * @write: under write-back, else locked and not up to date
 * @bytes: sum of the lengths
 * @nr: folios
 * @bv: each a folio, as far as the device goes
 */
struct cache_io {
	struct kiocb iocb;
	struct scullpin_device *sdev;
	bool write;
	size_t bytes;
	unsigned int nr;
	struct bio_vec bv[CACHE_IO_FOLIOS];
};

static struct scullpin_device *cache_device(const struct address_space *pages)
{
	return pages->host->i_private;
}

/* How much of a folio lies on the device, whose last page may not be whole. */
static size_t cache_length(struct folio *folio)
{
	u64 size = cache_device(folio->mapping)->config.size;

	return min_t(u64, folio_size(folio), size - folio_pos(folio));
}

/*
 * Who writes directly looks for cached pages afterwards: it sees the page that
 * was added, or we read what it wrote.
 */
static void cache_reads_in(void)
{
	smp_mb();	/* pairs with scullpin_mapping_is_stale() */
}

/* The folios of a request have been moved as far as @moved, or not at all. */
static void cache_io_end(struct cache_io *io, ssize_t moved)
{
	int error = moved < 0 ? moved : -EIO;
	struct folio *folio;
	ssize_t end = 0;
	unsigned int i;

	for (i = 0; i < io->nr; i++) {
		folio = page_folio(io->bv[i].bv_page);
		end += io->bv[i].bv_len;
		if (!io->write) {
			folio_end_read(folio, moved >= end);
			continue;
		}
		if (moved < end) {
			mapping_set_error(folio->mapping, error);
			scullpin_stats_inc(&io->sdev->stats, cache_lost);
		}
		folio_end_writeback(folio);
	}
	kfree(io);
}

static void cache_io_done(struct kiocb *iocb, long moved)
{
	cache_io_end(container_of(iocb, struct cache_io, iocb), moved);
}

static struct cache_io *cache_io_alloc(struct scullpin_device *sdev, u64 pos, bool write)
{
	struct cache_io *io = kzalloc(sizeof(*io), GFP_NOFS | __GFP_NOFAIL);

	io->iocb.ki_pos = pos;
	io->iocb.ki_complete = cache_io_done;
	io->sdev = sdev;
	io->write = write;
	return io;
}

static void cache_io_submit(struct cache_io *io)
{
	struct iov_iter iter;
	ssize_t ret;

	if (io->write) {
		scullpin_stats_add(&io->sdev->stats, cache_written, io->nr);
	} else {
		scullpin_stats_add(&io->sdev->stats, cache_read, io->nr);
		cache_reads_in();
	}
	iov_iter_bvec(&iter, io->write ? WRITE : READ, io->bv, io->nr, io->bytes);
	ret = scullpin_dio_rw(io->sdev, &io->iocb, &iter);
	if (ret != -EIOCBQUEUED)
		cache_io_end(io, ret);
}

/* Add a folio to *@io, which is submitted first when the folio does not continue it. */
static void cache_io_add(struct cache_io **io, struct folio *folio, bool write)
{
	struct scullpin_device *sdev = cache_device(folio->mapping);
	size_t length = cache_length(folio);
	u64 pos = folio_pos(folio);

	if (*io && ((*io)->nr == CACHE_IO_FOLIOS || (*io)->iocb.ki_pos + (*io)->bytes != pos)) {
		cache_io_submit(*io);
		*io = NULL;
	}
	if (!*io)
		*io = cache_io_alloc(sdev, pos, write);
	/* What a mapping shows behind the end of the device. */
	if (!write && length < folio_size(folio))
		folio_zero_segment(folio, length, folio_size(folio));
	(*io)->bv[(*io)->nr++] = (struct bio_vec){ .bv_page = &folio->page, .bv_len = length };
	(*io)->bytes += length;
}

static int cache_read_folio(struct file *file, struct folio *folio)
{
	struct cache_io *io = NULL;

	cache_io_add(&io, folio, false);
	cache_io_submit(io);
	return 0;
}

static void cache_readahead(struct readahead_control *rac)
{
	struct cache_io *io = NULL;
	struct folio *folio;

	while ((folio = readahead_folio(rac)))
		cache_io_add(&io, folio, false);
	if (io)
		cache_io_submit(io);
}

static int cache_write_folio(struct folio *folio, struct writeback_control *wbc, void *data)
{
	struct cache_io **io = data;

	wbc_account_cgroup_owner(wbc, folio, cache_length(folio));
	folio_start_writeback(folio);
	cache_io_add(io, folio, true);
	folio_unlock(folio);
	return 0;
}

static int cache_writepages(struct address_space *pages, struct writeback_control *wbc)
{
	/* Reclaim must not come back here for memory. */
	unsigned int flags = memalloc_nofs_save();
	struct cache_io *io = NULL;
	int ret;

	ret = scullpin_write_folios(pages, wbc, cache_write_folio, &io);
	if (io)
		cache_io_submit(io);
	memalloc_nofs_restore(flags);
	return ret;
}

/* Fill a locked folio that will be written in part, and wait. */
static int cache_fill(struct folio *folio)
{
	struct scullpin_device *sdev = cache_device(folio->mapping);
	size_t length = cache_length(folio);
	struct bio_vec bv = { .bv_page = &folio->page, .bv_len = length };
	struct kiocb iocb = { .ki_pos = folio_pos(folio) };
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_bvec(&iter, READ, &bv, 1, length);
	cache_reads_in();
	ret = scullpin_dio_rw(sdev, &iocb, &iter);
	if (ret < 0)
		return ret;
	if (ret < length)
		return -EIO;
	folio_zero_segment(folio, length, folio_size(folio));
	folio_mark_uptodate(folio);
	return 0;
}

static int cache_write_begin(const struct kiocb *iocb, struct address_space *pages, loff_t pos,
			     unsigned int length, struct folio **foliop, void **fsdata)
{
	struct scullpin_device *sdev = cache_device(pages);
	struct folio *folio;
	int ret;

	/* Want of memory is the writer's to hear, not the flusher's. */
	ret = scullpin_dio_reserve(sdev, pos, length);
	if (ret)
		return ret;
	folio = write_begin_get_folio(iocb, pages, pos >> PAGE_SHIFT, length);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	ret = -ENODEV;
	if (scullpin_mapping_is_cut(folio))
		goto err_unlock;
	if (!folio_test_uptodate(folio) &&
	    (pos != folio_pos(folio) || length < folio_size(folio))) {
		ret = cache_fill(folio);
		if (ret)
			goto err_unlock;
	}
	*foliop = folio;
	return 0;

err_unlock:
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

static int cache_write_end(const struct kiocb *iocb, struct address_space *pages, loff_t pos,
			   unsigned int length, unsigned int copied, struct folio *folio,
			   void *fsdata)
{
	/* A whole folio that came in part: nothing is known of the rest. Once more. */
	if (copied < length && !folio_test_uptodate(folio))
		copied = 0;
	if (copied) {
		folio_mark_uptodate(folio);
		folio_mark_dirty(folio);
	}
	folio_unlock(folio);
	folio_put(folio);
	return copied;
}

SCULLPIN_WRITE_OPS(cache_write_begin, cache_write_end)

const struct address_space_operations scullpin_cache_ops = {
	.read_folio = cache_read_folio,
	.readahead = cache_readahead,
	.writepages = cache_writepages,
	.dirty_folio = filemap_dirty_folio,
	.write_begin = SCULLPIN_WRITE_OP(cache_write_begin),
	.write_end = SCULLPIN_WRITE_OP(cache_write_end),
	.migrate_folio = filemap_migrate_folio,
};

/*
 * io_uring completes what a character device reads short; who asks for what is
 * partly cached and is told later is to come again and wait.
 */
static ssize_t cache_read(struct kiocb *iocb, struct iov_iter *iter)
{
	size_t length = iov_iter_count(iter);
	ssize_t ret = filemap_read(iocb, iter, 0);

	if (ret <= 0 || ret == length || !(iocb->ki_flags & IOCB_NOWAIT) || is_sync_kiocb(iocb))
		return ret;
	iov_iter_revert(iter, ret);
	iocb->ki_pos -= ret;
	return -EAGAIN;
}

/*
 * Writers share the lock that a discard takes alone: it never takes the page of
 * the medium away from behind a folio that is about to become dirty.
 */
static ssize_t cache_write(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = iocb->ki_filp->f_mapping->host;
	ssize_t ret;

	if (iocb->ki_flags & IOCB_NOWAIT)
		return iocb->ki_flags & IOCB_DIRECT ? -EAGAIN : -EOPNOTSUPP;
	inode_lock_shared(inode);
	ret = generic_perform_write(iocb, iter);
	inode_unlock_shared(inode);
	if (iocb->ki_flags & IOCB_DIRECT)
		ret = direct_write_fallback(iocb, iter, 0, ret);
	return ret;
}

/* What is left of an iterator begins with memory that cannot be had. */
static bool cache_is_at_hole(const struct iov_iter *iter)
{
	return iov_iter_rw(iter) == WRITE ? fault_in_iov_iter_readable(iter, 1) :
		fault_in_iov_iter_writeable(iter, 1);
}

/**
 * scullpin_cache_rw - copy bytes between an iterator and the page cache
 * @sdev: the device
 * @iocb: position, advanced, and flags; under IOCB_DIRECT what is written is on
 *	the medium afterwards, and not cached
 * @iter: memory, within the device, longer than 0; advanced by what was copied
 *
 * Context: process context of the memory's owner; sleeps unless IOCB_NOWAIT.
 * Return: bytes copied or a negative errno when there are none; under
 * IOCB_NOWAIT -EAGAIN when a read finds nothing cached and -EOPNOTSUPP for a
 * write, as block devices answer: both are done elsewhere by io_uring.
 */
ssize_t scullpin_cache_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret = iov_iter_rw(iter) == WRITE ? cache_write(iocb, iter) :
		cache_read(iocb, iter);

	/* Removal has ended what was read in, and the pages end at 0. */
	if (ret <= 0 && scullpin_device_is_gone(sdev))
		return -ENODEV;
	if (ret == -EAGAIN || ret == -EOPNOTSUPP)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_would_block, iov_iter_count(iter));
	else if (iov_iter_count(iter) && cache_is_at_hole(iter))
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_bad_address, max_t(ssize_t, ret, 0));
	return ret;
}

/* A mapped page is to be written to: have a page of the medium behind it. */
static vm_fault_t cache_page_mkwrite(struct vm_fault *vmf)
{
	struct address_space *pages = vmf->vma->vm_file->f_mapping;
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	filemap_invalidate_lock_shared(pages);
	if (scullpin_dio_reserve(cache_device(pages), folio_pos(folio), folio_size(folio))) {
		ret = VM_FAULT_SIGBUS;	/* also for who is killed, and dies of that first */
		goto out_unlock;
	}
	folio_lock(folio);
	if (folio->mapping != pages) {	/* dropped meanwhile */
		folio_unlock(folio);
		ret = VM_FAULT_NOPAGE;
		goto out_unlock;
	}
	folio_mark_dirty(folio);
	folio_wait_stable(folio);
out_unlock:
	filemap_invalidate_unlock_shared(pages);
	return ret;
}

static const struct vm_operations_struct cache_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = cache_page_mkwrite,
};

/**
 * scullpin_cache_mmap - map the page cache
 * @file: the open node
 * @vma: where to
 *
 * Context: process context, mmap_lock held.
 * Return: 0, -ENODEV when the device is gone.
 */
int scullpin_cache_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (scullpin_device_is_gone(file->private_data))
		return -ENODEV;
	file_accessed(file);
	vma->vm_ops = &cache_vm_ops;
	return 0;
}

/**
 * scullpin_cache_discard - forget a range, cached and on the medium
 * @sdev: the device
 * @pos: bytes from the start
 * @length: bytes
 *
 * Context: process context; sleeps.
 * Return: 0, -EINTR when killed while waiting for a writer, who may wait for its
 * own memory.
 */
int scullpin_cache_discard(struct scullpin_device *sdev, u64 pos, u64 length)
{
	struct address_space *pages = sdev->mapping.pages;

	if (down_write_killable(&pages->host->i_rwsem))
		return -EINTR;
	filemap_invalidate_lock(pages);	/* nobody reads in or dirties by a mapping */
	truncate_inode_pages_range(pages, pos, pos + length - 1);
	scullpin_dio_discard(sdev, pos, length);
	filemap_invalidate_unlock(pages);
	inode_unlock(pages->host);
	return 0;
}
