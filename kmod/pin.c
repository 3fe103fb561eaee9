// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an iterator to page ranges and back: the only caller of pin and unpin.
 *
 * LDD3 called get_user_pages() here, then SetPageDirty() and
 * page_cache_release(). Today pages that a device may access are pinned
 * (FOLL_PIN), not referenced: fork() then copies for the child at once and
 * the parent keeps the page the device writes, and filesystems can tell.
 */
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat/compat.h"
#include "fault.h"
#include "killed.h"
#include "pin.h"
#include "ranges.h"
#include "stats.h"

/* Pages a single call takes: the array lives on the stack. */
#define PIN_BATCH 16U

static void pin_append(struct scullpin_ranges *ranges, struct page **pages, size_t offset,
		       size_t bytes)
{
	struct bio_vec *bv = &ranges->bv[ranges->nr];
	size_t length;

	ranges->nr += scullpin_ranges_span(offset, bytes);
	ranges->bytes += bytes;
	for (; bytes; bytes -= length, offset = 0) {
		length = min_t(size_t, bytes, PAGE_SIZE - offset);
		*bv++ = (struct bio_vec){
			.bv_page = *pages++,
			.bv_offset = offset,
			.bv_len = length,
		};
	}
}

/* Release ranges [first, ranges->nr); those below @dirty_end are marked dirty. */
static void pin_release_from(struct scullpin_ranges *ranges, unsigned int first,
			     unsigned int dirty_end, struct scullpin_stats *stats)
{
	struct page *batch[PIN_BATCH] __uninitialized;
	unsigned int i, n, end;

	/* The kernel takes neighbouring pages of a folio together. */
	for (i = first; i < ranges->nr; i += n) {
		end = min(i < dirty_end ? dirty_end : ranges->nr, i + PIN_BATCH);
		for (n = 0; i + n < end; n++)
			batch[n] = ranges->bv[i + n].bv_page;
		unpin_user_pages_dirty_lock(batch, n, i < dirty_end);
		cond_resched();
	}
	scullpin_stats_add(stats, pages_released, ranges->nr - first);
	ranges->nr = first;
}

/* Take the last @excess bytes off the list. */
static void pin_trim(struct scullpin_ranges *ranges, size_t excess, bool pinned,
		     struct scullpin_stats *stats)
{
	unsigned int keep = scullpin_ranges_split(ranges, ranges->bytes - excess);

	if (pinned)
		pin_release_from(ranges, keep, 0, stats);
	ranges->nr = keep;
}

/*
 * A page that the CPU reaches by the same address, but that is not to be had, is one that
 * devices must not reach: I/O memory mapped into the process, secret memory.
 */
static void pin_stopped(const struct iov_iter *iter, const struct scullpin_ranges *ranges,
			ssize_t error, struct scullpin_pin_stop *stop)
{
	/* Who waits for its memory map and is killed is told -EAGAIN. */
	stop->error = scullpin_is_killed() ? -EINTR : error ?: -EFAULT;
	stop->at = ranges->bytes;
	if (stop->error != -EFAULT)
		stop->why = SCULLPIN_REFUSED_no_memory;
	else if (iov_iter_rw(iter) == READ ? fault_in_iov_iter_writeable(iter, 1) :
					     fault_in_iov_iter_readable(iter, 1))
		stop->why = SCULLPIN_REFUSED_bad_address;
	else
		stop->why = SCULLPIN_REFUSED_forbidden_memory;
}

/**
 * scullpin_pin_ranges - take the pages under an iterator as an empty list's ranges
 * @iter: user or kernel memory; advanced by what was taken
 * @ranges: an empty list; filled until it is full, the iterator is empty or a
 *	page cannot be had
 * @pos: where on the medium the first byte goes
 * @granule: a power of two, at most a page; what is taken is cut down to a
 *	multiple of it, and when the list is full to the end of a page of the
 *	medium, which the next list must not share
 * @stats: counters of the device
 * @stop: whether and why the list ends before the iterator and before it is full
 *
 * User pages are pinned, with write intent exactly when the iterator is a
 * destination: write(2) from read-only memory works. Kernel memory is not
 * held; its owner keeps it until the request has ended. A page that cannot be
 * had ends the list there; what lies before it is kept.
 *
 * Context: process context of the memory's owner; faults pages in, may sleep.
 * Return: bytes taken (more than 0), else -EFAULT or what stopped the first page.
 */
ssize_t scullpin_pin_ranges(struct iov_iter *iter, struct scullpin_ranges *ranges,
			    u64 pos, size_t granule, struct scullpin_stats *stats,
			    struct scullpin_pin_stop *stop)
{
	bool pinned = user_backed_iter(iter);
	struct page *batch[PIN_BATCH] __uninitialized;
	struct page **pages = batch;
	size_t offset, excess;
	ssize_t bytes = 0;
	unsigned int limit;

	while (iov_iter_count(iter) && !scullpin_ranges_full(ranges)) {
		limit = min(PIN_BATCH, ranges->max - ranges->nr);
		if (scullpin_fault_armed(SCULLPIN_FAULT_PIN_PAGE))
			limit = 1;
		bytes = scullpin_fault_hits(SCULLPIN_FAULT_PIN_PAGE) ? -EFAULT :
			iov_iter_extract_pages(iter, &pages, iov_iter_count(iter), limit, 0,
					       &offset);
		if (bytes <= 0)
			break;
		pin_append(ranges, pages, offset, bytes);
		cond_resched();
	}
	if (pinned)
		scullpin_stats_add(stats, pages_pinned, ranges->nr);
	stop->error = 0;
	if (bytes <= 0) {
		pin_stopped(iter, ranges, bytes, stop);
		scullpin_stats_inc(stats, short_pins);
	}
	if (!stop->error && iov_iter_count(iter))
		excess = offset_in_page(pos + ranges->bytes);
	else
		excess = ranges->bytes & (granule - 1);
	if (excess) {
		pin_trim(ranges, excess, pinned, stats);
		iov_iter_revert(iter, excess);
	}
	return ranges->bytes ?: stop->error ?: -EFAULT;
}

/**
 * scullpin_pin_try_dirty - mark pages dirty as long as none is locked by somebody
 * @ranges: as filled by scullpin_pin_ranges() from user memory
 * @dirty_bytes: how many bytes from the start the device wrote
 * @stats: counters of the device
 *
 * What is dirty already will be written back later, with the bytes that are there
 * by now.
 *
 * Context: process context; may be rescheduled, waits for nobody.
 * Return: whether all are marked, so that scullpin_pin_release() has none to mark.
 */
bool scullpin_pin_try_dirty(const struct scullpin_ranges *ranges, size_t dirty_bytes,
			    struct scullpin_stats *stats)
{
	unsigned int i, end = scullpin_ranges_touched(ranges, dirty_bytes);
	struct folio *folio;

	for (i = 0; i < end; i++) {
		folio = page_folio(ranges->bv[i].bv_page);
		if (folio_test_dirty(folio))
			continue;
		if (!folio_trylock(folio))
			return false;
		folio_mark_dirty(folio);
		folio_unlock(folio);
		cond_resched();
	}
	scullpin_stats_add(stats, pages_dirtied, end);
	return true;
}

/**
 * scullpin_pin_release - let pinned user pages go
 * @ranges: as filled by scullpin_pin_ranges() from user memory; empty afterwards
 * @dirty_bytes: how many bytes from the start the device wrote; their pages are
 *	marked dirty, with the page locked, so that the owner of a mapped file
 *	writes them back
 * @stats: counters of the device
 *
 * Context: process context; may sleep on page locks.
 */
void scullpin_pin_release(struct scullpin_ranges *ranges, size_t dirty_bytes,
			  struct scullpin_stats *stats)
{
	unsigned int dirty_end = scullpin_ranges_touched(ranges, dirty_bytes);

	scullpin_stats_add(stats, pages_dirtied, dirty_end);
	pin_release_from(ranges, 0, dirty_end, stats);
	ranges->bytes = 0;
}
