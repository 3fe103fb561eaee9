/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_STORE_H
#define SCULLPIN_STORE_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <linux/bit_spinlock.h>	/* relies on others for cpu_relax() */

struct scullpin_ranges;

/**
 * struct scullpin_store - the medium: sparse pages, holes read as zeros
 * @pages: by page index; entries are set by writers (cmpxchg) and erased by
 *	discard; readers look up under RCU and take a page reference
 * @allocated: pages in @pages
 */
struct scullpin_store {
	struct xarray pages;
	atomic64_t allocated;
};

void scullpin_store_init(struct scullpin_store *store);
void scullpin_store_exit(struct scullpin_store *store);
int scullpin_store_reserve(struct scullpin_store *store, u64 pos, size_t length, gfp_t gfp);
ssize_t scullpin_store_get(struct scullpin_store *store, u64 pos, size_t length, bool write,
			   gfp_t gfp, struct scullpin_ranges *ranges);
void scullpin_store_put(struct scullpin_ranges *ranges);
void scullpin_store_discard(struct scullpin_store *store, u64 pos, u64 length);
loff_t scullpin_store_seek(struct scullpin_store *store, loff_t offset, loff_t size, int whence);

/* A hole reads as the zero page, which nobody changes, locks or holds. */
static inline bool scullpin_store_is_hole(struct page *page)
{
	return is_zero_pfn(page_to_pfn(page));
}

/* Bit 0 of a store page's ->private, which is the store's to use, is its lock. */
#define SCULLPIN_STORE_PAGE_LOCK 0

/*
 * Keep others from a page of the medium, which is no hole, while its bytes move: a
 * direct transfer is atomic per store page, and page ranges that are apart never
 * share a lock. Do not sleep until the unlock.
 */
static inline void scullpin_store_lock_page(struct page *page)
{
	bit_spin_lock(SCULLPIN_STORE_PAGE_LOCK, &page->private);
}

static inline void scullpin_store_unlock_page(struct page *page)
{
	bit_spin_unlock(SCULLPIN_STORE_PAGE_LOCK, &page->private);
}

#endif /* SCULLPIN_STORE_H */
