// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of segments: what is merged, what is not, and what the limits say. */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/sizes.h>

#include "segments.h"

#define PAGES 16
#define MIDDLE (PAGES / 2)

/* Contiguous pages, at a multiple of their own size. */
static int make_pages(struct kunit *test)
{
	test->priv = alloc_pages(GFP_KERNEL, get_order(PAGES * PAGE_SIZE));
	return test->priv ? 0 : -ENOMEM;
}

static void free_pages_of(struct kunit *test)
{
	if (test->priv)
		__free_pages(test->priv, get_order(PAGES * PAGE_SIZE));
}

/* A window of so many pages of the test's, the first from @offset on, all but the page @without. */
struct window {
	struct bio_vec bv[PAGES];
	struct scatterlist sgl[PAGES];
	struct sg_table table;
	unsigned int used;
};

static void fill(struct kunit *test, struct window *window, unsigned int without, size_t offset,
		 size_t bytes, const struct scullpin_segment_limits *limits)
{
	struct page *page = test->priv;
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		bvec_set_page(&window->bv[i], page + i + (i >= without), PAGE_SIZE, 0);
	sg_init_table(window->sgl, PAGES);
	window->table.sgl = window->sgl;
	window->used = scullpin_segments_fill(&window->table, window->bv, offset, bytes, limits);
}

static const struct scullpin_segment_limits unlimited = { SZ_1G, ULONG_MAX };

static void contiguous_pages_are_one_segment(struct kunit *test)
{
	struct window *window = kunit_kzalloc(test, sizeof(*window), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, window);
	fill(test, window, PAGES, 512, PAGES * PAGE_SIZE - 512, &unlimited);
	KUNIT_EXPECT_EQ(test, window->table.nents, 1);
	KUNIT_EXPECT_EQ(test, window->table.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, window->used, PAGES);
	KUNIT_EXPECT_EQ(test, window->sgl[0].offset, 512);
	KUNIT_EXPECT_EQ(test, window->sgl[0].length, PAGES * PAGE_SIZE - 512);
	KUNIT_EXPECT_TRUE(test, sg_is_last(&window->sgl[0]));
}

static void a_gap_ends_a_segment(struct kunit *test)
{
	struct window *window = kunit_kzalloc(test, sizeof(*window), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, window);
	fill(test, window, MIDDLE, 0, (PAGES - 1) * PAGE_SIZE, &unlimited);
	KUNIT_EXPECT_EQ(test, window->table.nents, 2);
	KUNIT_EXPECT_EQ(test, window->sgl[0].length, MIDDLE * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, window->sgl[1].length, (PAGES - 1 - MIDDLE) * PAGE_SIZE);
	/* The same page twice, and pages in falling order, are no longer run either. */
	fill(test, window, PAGES, 0, 2 * PAGE_SIZE, &unlimited);
	window->bv[1].bv_page = window->bv[0].bv_page;
	sg_init_table(window->sgl, PAGES);
	scullpin_segments_fill(&window->table, window->bv, 0, 2 * PAGE_SIZE, &unlimited);
	KUNIT_EXPECT_EQ(test, window->table.nents, 2);
	swap(window->bv[2].bv_page, window->bv[3].bv_page);
	sg_init_table(window->sgl, PAGES);
	scullpin_segments_fill(&window->table, window->bv + 2, 0, 2 * PAGE_SIZE, &unlimited);
	KUNIT_EXPECT_EQ(test, window->table.nents, 2);
}

/* Segments follow each other, obey the limits, and hold the window's bytes. */
static void expect_in_limits(struct kunit *test, struct window *window, size_t offset,
			     size_t bytes, const struct scullpin_segment_limits *limits)
{
	phys_addr_t here = page_to_phys(window->bv[0].bv_page) + offset;
	phys_addr_t edge = limits->boundary;
	struct scatterlist *sg;
	size_t sum = 0;
	int i;

	for_each_sgtable_sg(&window->table, sg, i) {
		size_t first = i ? PAGE_SIZE : min(bytes, PAGE_SIZE - offset);

		KUNIT_ASSERT_EQ(test, sg_phys(sg), here + sum);
		KUNIT_ASSERT_GT(test, sg->length, 0);
		/* One range is never divided, however small the limit. */
		if (sg->length > first) {
			KUNIT_ASSERT_LE(test, sg->length, limits->length);
			KUNIT_ASSERT_EQ(test, sg_phys(sg) & ~edge,
					(sg_phys(sg) + sg->length - 1) & ~edge);
		}
		sum += sg->length;
	}
	KUNIT_ASSERT_EQ(test, sum, bytes);
	KUNIT_ASSERT_TRUE(test, sg_is_last(&window->sgl[window->table.nents - 1]));
}

static void segments_obey_length_and_boundary(struct kunit *test)
{
	static const size_t offsets[] = { 0, 1, 512, PAGE_SIZE - 1 };
	static const size_t lengths[] = { PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE, SZ_1G };
	static const unsigned long boundaries[] = { PAGE_SIZE - 1, 4 * PAGE_SIZE - 1, ULONG_MAX };
	struct window *window = kunit_kzalloc(test, sizeof(*window), GFP_KERNEL);
	struct scullpin_segment_limits limits;
	unsigned int o, i;
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, window);
	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		for (i = 0; i < ARRAY_SIZE(lengths) * ARRAY_SIZE(boundaries); i++) {
			limits.length = lengths[i % ARRAY_SIZE(lengths)];
			limits.boundary = boundaries[i / ARRAY_SIZE(lengths)];
			for (bytes = 1; bytes <= PAGES * PAGE_SIZE - offsets[o]; bytes += 509) {
				fill(test, window, PAGES, offsets[o], bytes, &limits);
				expect_in_limits(test, window, offsets[o], bytes, &limits);
			}
		}
	}
	/* As few as the limits allow. */
	limits = (struct scullpin_segment_limits){ 3 * PAGE_SIZE, ULONG_MAX };
	fill(test, window, PAGES, 0, PAGES * PAGE_SIZE, &limits);
	KUNIT_EXPECT_EQ(test, window->table.nents, DIV_ROUND_UP(PAGES, 3));
	limits = (struct scullpin_segment_limits){ SZ_1G, 4 * PAGE_SIZE - 1 };
	fill(test, window, PAGES, 0, PAGES * PAGE_SIZE, &limits);
	KUNIT_EXPECT_EQ(test, window->table.nents, PAGES / 4);
}

static struct kunit_case segments_cases[] = {
	KUNIT_CASE(contiguous_pages_are_one_segment),
	KUNIT_CASE(a_gap_ends_a_segment),
	KUNIT_CASE(segments_obey_length_and_boundary),
	{}
};

static struct kunit_suite segments_suite = {
	.name = "scullpin-segments",
	.init = make_pages,
	.exit = free_pages_of,
	.test_cases = segments_cases,
};

kunit_test_suite(segments_suite);
