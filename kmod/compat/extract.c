// SPDX-License-Identifier: GPL-2.0-only
/*
 * iov_iter_extract_pages() for kernels before v6.3; drop when the oldest
 * kernel is newer. The new function pins user pages and takes no reference on
 * kernel pages; so does this one. It never uses iov_iter_get_pages2(), whose
 * FOLL_GET references are wrong for pages that a device writes: fork() would
 * give the parent a copy.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat.h"

#ifndef SCULLPIN_HAVE_EXTRACT_PAGES

/* The first bytes of @iter that lie in one user segment: address and length. */
static unsigned long first_user_segment(const struct iov_iter *iter, size_t *length)
{
	const struct iovec *iov = iter->iov;
	size_t skip = iter->iov_offset;

	if (iter_is_ubuf(iter))
		return (unsigned long)iter->ubuf + skip;

	while (iov->iov_len == skip) {
		skip = 0;
		iov++;
	}
	*length = min(*length, iov->iov_len - skip);
	return (unsigned long)iov->iov_base + skip;
}

static ssize_t extract_user(struct iov_iter *iter, struct page **pages, size_t length,
			    unsigned int maxpages, size_t *offset0)
{
	unsigned int gup_flags = iov_iter_rw(iter) == READ ? FOLL_WRITE : 0;
	unsigned long address = first_user_segment(iter, &length);
	unsigned int wanted;
	int got;

	if (iter->nofault)
		gup_flags |= FOLL_NOFAULT;
	*offset0 = offset_in_page(address);
	wanted = min_t(size_t, DIV_ROUND_UP(*offset0 + length, PAGE_SIZE), maxpages);
	got = pin_user_pages_fast(address & PAGE_MASK, wanted, gup_flags, pages);
	if (got <= 0)
		return got;
	return min_t(size_t, length, got * PAGE_SIZE - *offset0);
}

static ssize_t extract_bvec(struct iov_iter *iter, struct page **pages, size_t length,
			    unsigned int maxpages, size_t *offset0)
{
	const struct bio_vec *bv = iter->bvec;
	size_t skip = iter->iov_offset;
	struct page *first;
	unsigned int n, i;

	while (bv->bv_len == skip) {
		skip = 0;
		bv++;
	}
	length = min_t(size_t, length, bv->bv_len - skip);
	skip += bv->bv_offset;
	first = nth_page(bv->bv_page, skip >> PAGE_SHIFT);
	*offset0 = offset_in_page(skip);
	n = min_t(size_t, DIV_ROUND_UP(*offset0 + length, PAGE_SIZE), maxpages);
	for (i = 0; i < n; i++)
		pages[i] = nth_page(first, i);
	return min_t(size_t, length, n * PAGE_SIZE - *offset0);
}

static ssize_t extract_kvec(struct iov_iter *iter, struct page **pages, size_t length,
			    unsigned int maxpages, size_t *offset0)
{
	const struct kvec *kv = iter->kvec;
	size_t skip = iter->iov_offset;
	const void *page_address;
	unsigned int n, i;

	while (kv->iov_len == skip) {
		skip = 0;
		kv++;
	}
	length = min(length, kv->iov_len - skip);
	*offset0 = offset_in_page(kv->iov_base + skip);
	page_address = kv->iov_base + skip - *offset0;
	n = min_t(size_t, DIV_ROUND_UP(*offset0 + length, PAGE_SIZE), maxpages);
	for (i = 0; i < n; i++, page_address += PAGE_SIZE)
		pages[i] = is_vmalloc_addr(page_address) ?
				vmalloc_to_page(page_address) : virt_to_page(page_address);
	return min_t(size_t, length, n * PAGE_SIZE - *offset0);
}

/**
 * scullpin_compat_extract_pages - take pages from an iterator, advancing it
 * @iter: user or kernel memory; not a pipe
 * @pages: points to the caller's array of at least @maxpages entries
 * @maxsize: bytes at most
 * @maxpages: pages at most
 * @flags: none
 * @offset0: where the first page's bytes begin
 *
 * Takes from the first non-empty segment only. User pages are pinned, with
 * write intent when the iterator is a destination; kernel pages are not held.
 *
 * Context: process context of the memory's owner; may sleep.
 * Return: bytes taken (more than 0), 0 or a negative errno when none could be.
 */
ssize_t scullpin_compat_extract_pages(struct iov_iter *iter, struct page ***pages,
				      size_t maxsize, unsigned int maxpages,
				      iov_iter_extraction_t flags, size_t *offset0)
{
	size_t length = min_t(size_t, min(maxsize, iov_iter_count(iter)), MAX_RW_COUNT);
	ssize_t bytes = -EFAULT;

	if (!length)
		return 0;
	if (user_backed_iter(iter))
		bytes = extract_user(iter, *pages, length, maxpages, offset0);
	else if (iov_iter_is_bvec(iter))
		bytes = extract_bvec(iter, *pages, length, maxpages, offset0);
	else if (iov_iter_is_kvec(iter))
		bytes = extract_kvec(iter, *pages, length, maxpages, offset0);
	if (bytes > 0)
		iov_iter_advance(iter, bytes);
	return bytes;
}

#endif
