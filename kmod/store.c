// SPDX-License-Identifier: GPL-2.0-only
/*
 * The medium: pages in an xarray, made on first write, zeros where there is
 * none. No lock covers the store: a request holds references to the pages it
 * moves, so a discard that overlaps it in time detaches pages and frees nothing
 * under its feet; the two are unordered, as overlapping requests are.
 */
#include <linux/highmem.h>
#include <linux/mm.h>

#include "fault.h"
#include "killed.h"
#include "ranges.h"
#include "store.h"

/* Pages between two looks for a signal, and for others who want the CPU. */
#define STORE_STRIDE 32

/**
 * scullpin_store_init - an empty medium
 * @store: the medium
 *
 * Context: any.
 */
void scullpin_store_init(struct scullpin_store *store)
{
	xa_init_flags(&store->pages, XA_FLAGS_ACCOUNT);
	atomic64_set(&store->allocated, 0);
}

/**
 * scullpin_store_exit - free the medium; nobody uses it any more
 * @store: the medium
 *
 * Context: process context; may sleep.
 */
void scullpin_store_exit(struct scullpin_store *store)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&store->pages, index, page) {
		put_page(page);
		cond_resched();
	}
	xa_destroy(&store->pages);
}

/*
 * A reference to @page, where @xas stands, or NULL in a hole. The page may be
 * erased and freed between the look-up and the reference, so look again
 * afterwards. RCU is held.
 */
static __always_inline struct page *store_hold(struct xa_state *xas, struct page *page)
{
	while (page) {
		if (!xas_retry(xas, page) && get_page_unless_zero(page)) {
			if (page == xas_reload(xas))
				return page;
			put_page(page);
		}
		xas_reset(xas);
		page = xas_load(xas);
	}
	return NULL;
}

/* A reference to the page at @index, or NULL in a hole. */
static struct page *store_find(struct scullpin_store *store, unsigned long index)
{
	XA_STATE(xas, &store->pages, index);
	struct page *page;

	rcu_read_lock();
	page = store_hold(&xas, xas_load(&xas));
	rcu_read_unlock();
	return page;
}

/* A reference to the page at @index, made if it is a hole; NULL without memory. */
static struct page *store_find_or_make(struct scullpin_store *store, unsigned long index, gfp_t gfp)
{
	struct page *page = store_find(store, index);
	struct page *fresh, *old;

	if (page)
		return page;
	if (scullpin_fault_hits(SCULLPIN_FAULT_STORE_PAGE))
		return NULL;
	fresh = alloc_page(gfp | __GFP_ZERO | __GFP_ACCOUNT);
	if (!fresh)
		return NULL;
	set_page_private(fresh, 0);
	get_page(fresh);	/* one reference for the store, one for the caller */
	/* Before it can be found: who discards it at once counts down from here. */
	atomic64_inc(&store->allocated);
	do {
		old = scullpin_fault_hits(SCULLPIN_FAULT_STORE_INDEX) ? XA_ERROR(-ENOMEM) :
			xa_cmpxchg(&store->pages, index, NULL, fresh, gfp);
		if (!old)
			return fresh;
		/* Another writer was first, unless its page is gone already: try again. */
		page = xa_is_err(old) ? NULL : store_find(store, index);
	} while (!xa_is_err(old) && !page);
	atomic64_dec(&store->allocated);
	put_page(fresh);
	put_page(fresh);
	return page;
}

/**
 * scullpin_store_reserve - put memory behind a range, all or as much as there is
 * @store: the medium
 * @pos: bytes from the start
 * @length: bytes, more than 0
 * @gfp: whether it may sleep, and whether it may fail
 *
 * Context: process context of the caller whom the memory is accounted to.
 * Return: 0, -ENOMEM, -EINTR when killed.
 */
int scullpin_store_reserve(struct scullpin_store *store, u64 pos, size_t length, gfp_t gfp)
{
	unsigned long last = (pos + length - 1) >> PAGE_SHIFT;
	unsigned long index;
	struct page *page;

	for (index = pos >> PAGE_SHIFT; index <= last; index++) {
		page = store_find_or_make(store, index, gfp);
		if (!page)
			return -ENOMEM;
		put_page(page);
		if (scullpin_is_killed())
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/*
 * Add the page at @pos + @ranges->bytes, as far as it belongs to the part that
 * ends at @end. No reference on the zero page: it stays, and its count would be
 * everybody's.
 */
static __always_inline void store_append(struct scullpin_ranges *ranges, u64 pos, u64 end,
					 struct page *page)
{
	u64 at = pos + ranges->bytes;
	unsigned int offset = offset_in_page(at);

	scullpin_ranges_append(ranges, page ?: ZERO_PAGE(0), offset,
			       min_t(u64, end - at, PAGE_SIZE - offset));
}

/* Add what there is from @pos + @ranges->bytes on, one stride at most; a write ends at a hole. */
static void store_get_stride(struct scullpin_store *store, u64 pos, u64 end, bool write,
			     struct scullpin_ranges *ranges)
{
	XA_STATE(xas, &store->pages, (pos + ranges->bytes) >> PAGE_SHIFT);
	struct scullpin_ranges list = *ranges;
	unsigned int left = STORE_STRIDE;
	struct page *page;

	rcu_read_lock();
	page = store_hold(&xas, xas_load(&xas));
	while (page || !write) {
		store_append(&list, pos, end, page);
		if (pos + list.bytes == end || !--left)
			break;
		page = store_hold(&xas, xas_next(&xas));
	}
	rcu_read_unlock();
	*ranges = list;
}

/**
 * scullpin_store_get - the page ranges of a part of the medium
 * @store: the medium
 * @pos: bytes from the start
 * @length: bytes, more than 0
 * @write: make pages where there are none; a read gets the zero page there
 * @gfp: how a page may be made; with __GFP_NOFAIL a signal does not stop it, either
 * @ranges: an empty list with room for the whole part; holds references
 *
 * Context: process context of the caller whom the memory is accounted to.
 * Return: bytes in the list, fewer than @length when memory ran out or
 * the caller was killed, -ENOMEM when none.
 */
ssize_t scullpin_store_get(struct scullpin_store *store, u64 pos, size_t length, bool write,
			   gfp_t gfp, struct scullpin_ranges *ranges)
{
	u64 end = pos + length;
	struct page *page;

	for (;;) {
		store_get_stride(store, pos, end, write, ranges);
		if (ranges->bytes == length)
			break;
		if (!(gfp & __GFP_NOFAIL) && scullpin_is_killed())
			break;
		cond_resched();
		if (!write)
			continue;
		page = store_find_or_make(store, (pos + ranges->bytes) >> PAGE_SHIFT, gfp);
		if (!page)
			break;
		store_append(ranges, pos, end, page);
		if (ranges->bytes == length)
			break;
	}
	return ranges->bytes ?: -ENOMEM;
}

/**
 * scullpin_store_put - give the references of a list back
 * @ranges: as filled by scullpin_store_get(); empty afterwards
 *
 * Context: process context.
 */
void scullpin_store_put(struct scullpin_ranges *ranges)
{
	unsigned int i, nr = ranges->nr;
	struct page *page;

	for (i = 0; i < nr; i++) {
		page = ranges->bv[i].bv_page;
		if (!scullpin_store_is_hole(page))
			put_page(page);
		if (!((i + 1) % STORE_STRIDE))
			cond_resched();
	}
	ranges->nr = 0;
	ranges->bytes = 0;
}

static void store_zero(struct scullpin_store *store, u64 pos, size_t length)
{
	struct page *page = store_find(store, pos >> PAGE_SHIFT);

	if (!page)
		return;
	scullpin_store_lock_page(page);
	memzero_page(page, offset_in_page(pos), length);
	scullpin_store_unlock_page(page);
	put_page(page);
}

/**
 * scullpin_store_discard - forget a range: whole pages are freed, parts zeroed
 * @store: the medium
 * @pos: bytes from the start
 * @length: bytes
 *
 * Context: process context; may sleep.
 */
void scullpin_store_discard(struct scullpin_store *store, u64 pos, u64 length)
{
	u64 end = pos + length;
	u64 first = round_up(pos, PAGE_SIZE);
	u64 last = round_down(end, PAGE_SIZE);
	unsigned long index;
	struct page *page;

	if (first > last) {	/* within one page */
		store_zero(store, pos, length);
		return;
	}
	if (pos < first)
		store_zero(store, pos, first - pos);
	if (last < end)
		store_zero(store, last, end - last);
	if (first == last)
		return;
	xa_for_each_range(&store->pages, index, page, first >> PAGE_SHIFT,
			  (last >> PAGE_SHIFT) - 1) {
		/* Another discard may have been first: only who erased it drops it. */
		if (xa_cmpxchg(&store->pages, index, page, NULL, 0) == page) {
			atomic64_dec(&store->allocated);
			put_page(page);
		}
		cond_resched();
	}
}

/**
 * scullpin_store_seek - find data or a hole, as lseek(2) does
 * @store: the medium
 * @offset: where to begin, bytes
 * @size: of the device, bytes; there is a hole at the end
 * @whence: SEEK_DATA or SEEK_HOLE
 *
 * Context: process context; may sleep.
 * Return: an offset of at least @offset, -ENXIO when there is none.
 */
loff_t scullpin_store_seek(struct scullpin_store *store, loff_t offset, loff_t size, int whence)
{
	unsigned long index = offset >> PAGE_SHIFT;
	loff_t found;

	if (offset < 0 || offset >= size)
		return -ENXIO;
	if (whence == SEEK_DATA) {
		if (!xa_find(&store->pages, &index, (size - 1) >> PAGE_SHIFT, XA_PRESENT))
			return -ENXIO;
	} else {
		for (; index <= (size - 1) >> PAGE_SHIFT && xa_load(&store->pages, index); index++)
			cond_resched();
	}
	found = max_t(loff_t, (loff_t)index << PAGE_SHIFT, offset);
	return min(found, size);
}
