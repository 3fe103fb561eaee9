/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_RANGES_H
#define SCULLPIN_RANGES_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct scullpin_ranges - memory as explicit page ranges
 * @bv: each within one page: page, offset, length
 * @nr: ranges in use
 * @max: ranges there is room for
 * @bytes: sum of the lengths in use
 *
 * User memory, in-kernel buffers and the medium all take this form; nothing
 * below file.c and pin.c sees an address of user space. There is no cursor in
 * here: who walks a list keeps its own index. Who holds the pages is known by
 * who filled the list: pin.c (pins) or store.c (references).
 */
struct scullpin_ranges {
	struct bio_vec *bv;
	unsigned int nr;
	unsigned int max;
	size_t bytes;
};

#define SCULLPIN_RANGES(_bv, _max) { .bv = (_bv), .max = (_max) }

/* Room for at least one more range? */
static inline bool scullpin_ranges_full(const struct scullpin_ranges *ranges)
{
	return ranges->nr == ranges->max;
}

static inline void scullpin_ranges_append(struct scullpin_ranges *ranges, struct page *page,
					  unsigned int offset, unsigned int length)
{
	ranges->bv[ranges->nr++] = (struct bio_vec){
		.bv_page = page,
		.bv_offset = offset,
		.bv_len = length,
	};
	ranges->bytes += length;
}

/*
 * Split a list where @bytes of it end: shortens the range that is cut. Returns
 * how many ranges lie before the cut; what lies behind is still in the list,
 * for the caller to let go.
 */
static inline unsigned int scullpin_ranges_split(struct scullpin_ranges *ranges, size_t bytes)
{
	unsigned int keep = ranges->nr;
	size_t excess = ranges->bytes - bytes;

	for (; excess && excess >= ranges->bv[keep - 1].bv_len; keep--)
		excess -= ranges->bv[keep - 1].bv_len;
	if (excess)
		ranges->bv[keep - 1].bv_len -= excess;
	ranges->bytes = bytes;
	return keep;
}

/* How many ranges the first @bytes of a list touch. */
static inline unsigned int scullpin_ranges_touched(const struct scullpin_ranges *ranges,
						   size_t bytes)
{
	unsigned int touched = 0;
	size_t before = 0;

	if (bytes == ranges->bytes)
		return ranges->nr;
	for (; before < bytes; touched++)
		before += ranges->bv[touched].bv_len;
	return touched;
}

/* Page ranges that @length bytes from @offset touch. */
static inline size_t scullpin_ranges_span(u64 offset, size_t length)
{
	return DIV_ROUND_UP(offset_in_page(offset) + length, PAGE_SIZE);
}

#endif /* SCULLPIN_RANGES_H */
