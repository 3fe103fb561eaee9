// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a device in the page cache: one file on a superblock of the
 * device's own, and what keeps them in step with direct I/O. How the pages are
 * filled and written is cache.c's.
 */
#include <linux/backing-dev.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "fault.h"
#include "mapping.h"
#include "stats.h"

#define MAPPING_MAGIC 0x7363756c	/* "scul" */

/* The root of the superblock is number 1. */
#define MAPPING_INO 2

static int mapping_init_fs_context(struct fs_context *fc)
{
	if (!init_pseudo(fc, MAPPING_MAGIC))
		return -ENOMEM;
	/* As block devices: a control group full of its own dirty pages writes slower. */
	fc->s_iflags |= SB_I_CGROUPWB;
	return 0;
}

/*
 * No owner: a mount would hold the module, and every device has one until it is
 * released. So scullpin_mapping_drain() must.
 */
static struct file_system_type mapping_fs = {
	.name = "scullpin",
	.init_fs_context = mapping_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * A regular file, hashed, on the superblock's list: so the flusher, sync(2) and
 * drop_caches find it. alloc_anon_inode() makes none of that true.
 */
static struct inode *mapping_new_inode(struct super_block *sb, u64 size)
{
	struct inode *inode = NULL;

	if (!scullpin_fault_hits(SCULLPIN_FAULT_MAPPING_INODE))
		inode = new_inode(sb);
	if (!inode)
		return NULL;
	inode->i_ino = MAPPING_INO;
	inode->i_mode = S_IFREG | 0600;
	i_size_write(inode, size);
	insert_inode_hash(inode);
	return inode;
}

/**
 * scullpin_mapping_init - make the file whose pages are the cache
 * @mapping: the mapping, zeroed
 * @size: of the device, bytes
 * @ops: how its pages are filled and written back
 * @owner: for @ops, in the inode's i_private
 * @stats: counters of the device
 *
 * All inodes of a superblock share one backing device, which has the flusher,
 * the share of dirty pages and the readahead; so a device has its own.
 *
 * Context: process context; sleeps.
 * Return: 0 or a negative errno, when scullpin_mapping_exit() may follow or not.
 */
int scullpin_mapping_init(struct scullpin_mapping *mapping, u64 size,
			  const struct address_space_operations *ops, void *owner,
			  struct scullpin_stats *stats)
{
	struct vfsmount *mnt;
	struct inode *inode;
	int ret;

	mnt = scullpin_fault_hits(SCULLPIN_FAULT_MAPPING_MOUNT) ? ERR_PTR(-ENOMEM) :
		kern_mount(&mapping_fs);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	ret = scullpin_fault_hits(SCULLPIN_FAULT_MAPPING_BDI) ? -ENOMEM :
		super_setup_bdi(mnt->mnt_sb);
	if (ret)
		goto err_unmount;
	ret = -ENOMEM;
	inode = mapping_new_inode(mnt->mnt_sb, size);
	if (!inode)
		goto err_unmount;
	inode->i_private = owner;
	inode->i_mapping->a_ops = ops;
	mapping->mnt = mnt;
	mapping->pages = inode->i_mapping;
	mapping->stats = stats;
	return 0;

err_unmount:
	kern_unmount(mnt);
	return ret;
}

/**
 * scullpin_mapping_exit - write back what is dirty, then undo init
 * @mapping: of no open file and no memory mapping; may not be made
 *
 * Context: process context; sleeps.
 */
void scullpin_mapping_exit(struct scullpin_mapping *mapping)
{
	if (!mapping->mnt)
		return;
	iput(mapping->pages->host);
	kern_unmount(mapping->mnt);
}

/**
 * scullpin_mapping_drain - wait until nobody looks at what was a mapping
 *
 * Who walks all superblocks, as sync(2) does, holds a dead one until it comes to
 * the next. On new kernels the last to let go looks at its type, which is here.
 *
 * Context: module exit, after the last scullpin_mapping_exit(); sleeps.
 */
void scullpin_mapping_drain(void)
{
	while (!hlist_empty(&mapping_fs.fs_supers))
		msleep(20);
	synchronize_rcu();	/* who emptied it has a spinlock */
}

/*
 * The next folio from *@index to @last, held; NULL when there is none. It may be
 * dropped between look-up and reference, and be somebody else's: look again.
 */
static struct folio *mapping_next_folio(struct address_space *pages, unsigned long *index,
					unsigned long last, xa_mark_t mark)
{
	struct folio *folio;

	rcu_read_lock();
	while ((folio = xa_find(&pages->i_pages, index, last, mark))) {
		if (xa_is_value(folio)) {	/* a page that was reclaimed */
			++*index;
			continue;
		}
		if (!folio_try_get(folio))
			continue;
		if (folio == xa_load(&pages->i_pages, *index))
			break;
		folio_put(folio);
	}
	rcu_read_unlock();
	return folio;
}

/* One look: a folio on its way from dirty to write-back has the one mark or the other. */
static bool mapping_is_clean(struct address_space *pages)
{
	/* The kernel sets them by plain stores, under the lock of the pages. */
	gfp_t marks = data_race(READ_ONCE(pages->i_pages.xa_flags));

	return !(marks & (XA_FLAGS_MARK(PAGECACHE_TAG_DIRTY) |
			  XA_FLAGS_MARK(PAGECACHE_TAG_WRITEBACK)));
}

/* filemap_write_and_wait_range(), but who is killed does not wait for a slow device. */
static int mapping_write_and_wait(struct address_space *pages, u64 pos, u64 last)
{
	unsigned long index = pos >> PAGE_SHIFT;
	struct folio *folio;
	int ret;

	if (mapping_is_clean(pages))
		return filemap_check_errors(pages);
	ret = filemap_fdatawrite_range(pages, pos, last);
	while (!ret) {
		folio = mapping_next_folio(pages, &index, last >> PAGE_SHIFT,
					   PAGECACHE_TAG_WRITEBACK);
		if (!folio)
			return filemap_check_errors(pages);
		if (folio_wait_writeback_killable(folio))
			ret = -EINTR;
		folio_put(folio);
		index++;
	}
	return ret;
}

/**
 * scullpin_mapping_settle - before direct I/O where something is cached: write back;
 * for a write, drop, too
 * @mapping: the mapping
 * @pos: bytes from the start
 * @length: bytes, more than 0
 * @write: a direct write comes
 * @nowait: never sleep
 *
 * Context: process context; sleeps unless @nowait.
 * Return: 0; -EAGAIN under @nowait; -EBUSY when a page cannot be dropped, because
 * it was dirtied again; -EINTR when killed; or the error of the write-back.
 */
int scullpin_mapping_settle(struct scullpin_mapping *mapping, u64 pos, size_t length, bool write,
			    bool nowait)
{
	u64 last = pos + length - 1;
	bool busy;
	int ret;

	if (nowait) {
		busy = write ? filemap_range_has_page(mapping->pages, pos, last) :
			!mapping_is_clean(mapping->pages) &&
			filemap_range_has_writeback(mapping->pages, pos, last);
		return busy ? -EAGAIN : 0;
	}
	ret = mapping_write_and_wait(mapping->pages, pos, last);
	if (ret || !write)
		return ret;
	return invalidate_inode_pages2_range(mapping->pages, pos >> PAGE_SHIFT,
					     last >> PAGE_SHIFT);
}

/**
 * scullpin_mapping_drop - let go of the pages that a direct write made stale
 * @mapping: the mapping
 * @pos: bytes from the start
 * @length: bytes, more than 0
 *
 * A page that was dirtied since the write began stays, and is written back
 * later: the two overlapped in time, and it comes last.
 *
 * Context: process context; sleeps.
 */
void scullpin_mapping_drop(struct scullpin_mapping *mapping, u64 pos, size_t length)
{
	if (invalidate_inode_pages2_range(mapping->pages, pos >> PAGE_SHIFT,
					  (pos + length - 1) >> PAGE_SHIFT))
		scullpin_stats_inc(mapping->stats, cache_overtaken);
}

/* Dirty pages, when each writer that had begun with one has come to its end. */
static unsigned long mapping_count_dirty(struct address_space *pages)
{
	unsigned long index = 0, count = 0;
	struct folio *folio;

	for (; (folio = mapping_next_folio(pages, &index, ULONG_MAX, XA_PRESENT)); index++) {
		folio_lock(folio);
		count += folio_test_dirty(folio);
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
	return count;
}

/**
 * scullpin_mapping_revoke - the device goes: nothing is mapped or cached any more
 * @mapping: the mapping; files may be open
 *
 * What can be written back is. From now on touching a memory mapping is SIGBUS,
 * and nothing can be read in or dirtied. Writers are not waited for by the inode's
 * lock, which they hold while they wait for their own memory.
 *
 * Context: process context; sleeps.
 * Return: whether anything was lost.
 */
bool scullpin_mapping_revoke(struct scullpin_mapping *mapping)
{
	struct inode *inode = mapping->pages->host;
	bool failed = filemap_write_and_wait(mapping->pages);
	unsigned long lost;

	filemap_invalidate_lock(mapping->pages);
	i_size_write(inode, 0);
	smp_mb();	/* pairs with scullpin_mapping_is_cut() */
	lost = mapping_count_dirty(mapping->pages);
	truncate_pagecache(inode, 0);
	filemap_invalidate_unlock(mapping->pages);
	scullpin_stats_add(mapping->stats, cache_lost, lost);
	return failed || lost;
}
