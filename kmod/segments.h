/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_SEGMENTS_H
#define SCULLPIN_SEGMENTS_H

#include <linux/bvec.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>

/**
 * struct scullpin_segment_limits - what a segment must not exceed
 * @length: bytes
 * @boundary: no segment crosses a multiple of it plus 1, as of dma_get_seg_boundary()
 */
struct scullpin_segment_limits {
	size_t length;
	unsigned long boundary;
};

static inline phys_addr_t scullpin_range_address(const struct bio_vec *bv)
{
	return page_to_phys(bv->bv_page) + bv->bv_offset;
}

/*
 * Page ranges as segments: what is contiguous, and within the limits, is one. A
 * range itself is never divided. @bytes are taken from @offset in the first
 * range on; the table has been initialised, with room for as many segments as
 * ranges. Returns how many ranges were used.
 */
static inline unsigned int scullpin_segments_fill(struct sg_table *table, const struct bio_vec *bv,
						  size_t offset, size_t bytes,
						  const struct scullpin_segment_limits *limits)
{
	phys_addr_t start = 0, next = 0, here;
	struct scatterlist *sg = table->sgl;
	unsigned int used = 0;
	size_t length;

	table->nents = 0;
	for (; bytes; bytes -= length, offset = 0, used++) {
		here = scullpin_range_address(&bv[used]) + offset;
		length = min(bytes, bv[used].bv_len - offset);
		if (table->nents && here == next && sg->length + length <= limits->length &&
		    !((start ^ (here + length - 1)) & ~(phys_addr_t)limits->boundary)) {
			sg->length += length;
		} else {
			sg = &table->sgl[table->nents++];
			sg_set_page(sg, bv[used].bv_page, length, bv[used].bv_offset + offset);
			start = here;
		}
		next = here + length;
	}
	sg_mark_end(sg);
	table->orig_nents = table->nents;
	return used;
}

#endif /* SCULLPIN_SEGMENTS_H */
