/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_MAPPING_H
#define SCULLPIN_MAPPING_H

#include <linux/pagemap.h>
#include <linux/types.h>

struct address_space_operations;
struct scullpin_stats;
struct vfsmount;

/**
 * struct scullpin_mapping - the pages of a device in the page cache
 * @mnt: the superblock that they belong to, with a backing device of its own
 * @pages: their index, of the only file there
 * @stats: counters of the device
 */
struct scullpin_mapping {
	struct vfsmount *mnt;
	struct address_space *pages;
	struct scullpin_stats *stats;
};

int scullpin_mapping_init(struct scullpin_mapping *mapping, u64 size,
			  const struct address_space_operations *ops, void *owner,
			  struct scullpin_stats *stats);
void scullpin_mapping_exit(struct scullpin_mapping *mapping);
void scullpin_mapping_drain(void);
int scullpin_mapping_settle(struct scullpin_mapping *mapping, u64 pos, size_t length, bool write,
			    bool nowait);
void scullpin_mapping_drop(struct scullpin_mapping *mapping, u64 pos, size_t length);
bool scullpin_mapping_revoke(struct scullpin_mapping *mapping);

/* Nothing is cached: what direct requests cost extra is this look. */
static inline bool scullpin_mapping_is_empty(const struct scullpin_mapping *mapping)
{
	/* The kernel counts by plain stores, under the lock of the pages. */
	return !data_race(READ_ONCE(mapping->pages->nrpages));
}

/*
 * The device has gone, so a folio that the caller has found or added, and locked,
 * must not become dirty. Removal cuts the file, then looks for folios and locks
 * each: it finds this one, or this sees the cut.
 */
static inline bool scullpin_mapping_is_cut(struct folio *folio)
{
	smp_mb();	/* pairs with scullpin_mapping_revoke() */
	return folio_pos(folio) >= i_size_read(folio->mapping->host);
}

/**
 * scullpin_mapping_is_stale - after a direct write: are cached pages out of date?
 * @mapping: the mapping
 * @pos: bytes from the start
 * @length: bytes, more than 0
 *
 * Context: any but hard interrupt; does not sleep.
 * Return: whether scullpin_mapping_drop() must follow.
 */
static inline bool scullpin_mapping_is_stale(const struct scullpin_mapping *mapping, u64 pos,
					     size_t length)
{
	/* Who reads in adds the page first: it is seen here, or reads what was written. */
	smp_mb();
	return !scullpin_mapping_is_empty(mapping) &&
		filemap_range_has_page(mapping->pages, pos, pos + length - 1);
}

/**
 * scullpin_mapping_forget - after a direct write: cached pages are out of date
 * @mapping: the mapping
 * @pos: bytes from the start
 * @length: bytes, more than 0
 *
 * Context: process context; sleeps when there are such pages.
 */
static inline void scullpin_mapping_forget(struct scullpin_mapping *mapping, u64 pos,
					   size_t length)
{
	if (scullpin_mapping_is_stale(mapping, pos, length))
		scullpin_mapping_drop(mapping, pos, length);
}

#endif /* SCULLPIN_MAPPING_H */
