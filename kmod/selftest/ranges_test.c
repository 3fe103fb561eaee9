// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of page ranges: spans, splits, what is touched. No page is real. */
#include <kunit/test.h>
#include <linux/module.h>

#include "ranges.h"

/* A list of ranges of these lengths, ended by 0. */
static void fill(struct scullpin_ranges *ranges, const unsigned int *lengths)
{
	for (; *lengths; lengths++)
		scullpin_ranges_append(ranges, NULL, 0, *lengths);
}

static const unsigned int ragged[] = { 512, 4096, 100, 412, 4096, 1, 0 };
#define RAGGED_BYTES (512 + 4096 + 100 + 412 + 4096 + 1)

static void a_span_counts_every_page_that_is_touched(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(0, 1), 1);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(0, PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(0, PAGE_SIZE + 1), 2);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(PAGE_SIZE - 1, 1), 1);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(PAGE_SIZE - 1, 2), 2);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(3 * PAGE_SIZE + 512, 2 * PAGE_SIZE), 3);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_span(U64_MAX - PAGE_SIZE + 1, MAX_RW_COUNT),
			MAX_RW_COUNT / PAGE_SIZE);
}

static void a_list_knows_its_bytes_and_when_it_is_full(struct kunit *test)
{
	struct bio_vec bv[6];
	struct scullpin_ranges ranges = SCULLPIN_RANGES(bv, 6);

	KUNIT_EXPECT_FALSE(test, scullpin_ranges_full(&ranges));
	fill(&ranges, ragged);
	KUNIT_EXPECT_EQ(test, ranges.nr, 6);
	KUNIT_EXPECT_EQ(test, ranges.bytes, RAGGED_BYTES);
	KUNIT_EXPECT_TRUE(test, scullpin_ranges_full(&ranges));
}

/* Byte by byte: what is kept sums up to what was asked for, and no range that is kept is empty. */
static void a_list_can_be_split_at_every_byte(struct kunit *test)
{
	unsigned int keep, i;
	size_t bytes, sum;

	for (bytes = 0; bytes <= RAGGED_BYTES; bytes++) {
		struct bio_vec bv[6];
		struct scullpin_ranges ranges = SCULLPIN_RANGES(bv, 6);

		fill(&ranges, ragged);
		keep = scullpin_ranges_split(&ranges, bytes);
		for (i = 0, sum = 0; i < keep; i++) {
			KUNIT_ASSERT_GT(test, bv[i].bv_len, 0);
			KUNIT_ASSERT_LE(test, bv[i].bv_len, ragged[i]);
			sum += bv[i].bv_len;
		}
		KUNIT_ASSERT_EQ(test, sum, bytes);
		KUNIT_ASSERT_EQ(test, ranges.bytes, bytes);
		/* What lies behind the cut is still there, for its pages to be let go. */
		KUNIT_ASSERT_EQ(test, ranges.nr, 6);
	}
}

static void what_is_touched_ends_with_the_last_byte(struct kunit *test)
{
	struct bio_vec bv[6];
	struct scullpin_ranges ranges = SCULLPIN_RANGES(bv, 6);

	fill(&ranges, ragged);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, 0), 0);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, 1), 1);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, 512), 1);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, 513), 2);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, RAGGED_BYTES - 1), 5);
	KUNIT_EXPECT_EQ(test, scullpin_ranges_touched(&ranges, RAGGED_BYTES), 6);
}

static struct kunit_case ranges_cases[] = {
	KUNIT_CASE(a_span_counts_every_page_that_is_touched),
	KUNIT_CASE(a_list_knows_its_bytes_and_when_it_is_full),
	KUNIT_CASE(a_list_can_be_split_at_every_byte),
	KUNIT_CASE(what_is_touched_ends_with_the_last_byte),
	{}
};

static struct kunit_suite ranges_suite = {
	.name = "scullpin-ranges",
	.test_cases = ranges_cases,
};

kunit_test_suite(ranges_suite);

MODULE_DESCRIPTION("KUnit tests of scullpin");
MODULE_LICENSE("GPL");
