// SPDX-License-Identifier: GPL-2.0-only
#include "compat.h"

#ifdef SCULLPIN_HAVE_WRITEBACK_ITER

/**
 * scullpin_write_folios - call for each dirty folio that is to be written back
 * @pages: the page cache
 * @wbc: which, and how far
 * @write: gets the folio locked, not dirty any more; unlocks it
 * @data: for @write
 *
 * Context: process context; sleeps.
 * Return: 0, or the first error of @write.
 */
int scullpin_write_folios(struct address_space *pages, struct writeback_control *wbc,
			  int (*write)(struct folio *folio, struct writeback_control *wbc,
				       void *data), void *data)
{
	struct folio *folio = NULL;
	int error = 0;

	while ((folio = writeback_iter(pages, wbc, folio, &error)))
		error = write(folio, wbc, data);
	return error;
}

#else

struct write_call {
	int (*write)(struct folio *folio, struct writeback_control *wbc, void *data);
	void *data;
};

static int write_page(struct page *page, struct writeback_control *wbc, void *data)
{
	struct write_call *call = data;

	return call->write(page_folio(page), wbc, call->data);
}

int scullpin_write_folios(struct address_space *pages, struct writeback_control *wbc,
			  int (*write)(struct folio *folio, struct writeback_control *wbc,
				       void *data), void *data)
{
	struct write_call call = { .write = write, .data = data };

	return write_cache_pages(pages, wbc, write_page, &call);
}

#endif
