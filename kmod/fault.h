/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_FAULT_H
#define SCULLPIN_FAULT_H

#include <linux/types.h>

/*
 * Every fault point: its name in debugfs and what one unit is. Armed with
 * n, a point fails the nth unit from then on, once.
 */
#define SCULLPIN_FAULTS(X)							\
	X(PIN_PAGE, pin_page)		/* a page of the caller's memory */	\
	X(REQUEST_ALLOC, request_alloc)	/* a request and its page lists */	\
	X(STORE_PAGE, store_page)	/* a page of the medium */		\
	X(STORE_INDEX, store_index)	/* its place in the index */		\
	X(ENGINE_SUBMIT, engine_submit)	/* the engine takes no request: -EIO */	\
	X(ENGINE_BYTES, engine_bytes)	/* a byte is moved, else -EIO */	\
	X(ENGINE_LOST, engine_lost)	/* the engine never answers */		\
	X(ENGINE_LATE, engine_late)	/* no unit: answers n milliseconds late */	\
	X(ENGINE_SLOW, engine_slow)	/* no unit: a page takes n milliseconds, until disarmed */ \
	X(ENGINE_QUEUE, engine_queue)	/* the work queue of the engine */	\
	X(DMA_CHANNEL, dma_channel)	/* a channel, while the module is loaded */ \
	X(DMA_BOUNCE, dma_bounce)	/* memory that it reaches */		\
	X(DMA_JOB, dma_job)		/* memory for a request of it */	\
	X(DMA_MAP, dma_map)		/* one of its page lists is mapped, else -EIO */ \
	X(DMA_ROOM, dma_room)		/* no unit: a window has none, n ms late */ \
	X(REQUEST_QUEUE, request_queue)	/* the work queue of ends that wait */	\
	X(WATCH_QUEUE, watch_queue)	/* the work queue of deadlines */	\
	X(NODE_NUMBERS, node_numbers)	/* numbers of the nodes */		\
	X(NODE_CLASS, node_class)	/* their class */			\
	X(DEVICE_ALLOC, device_alloc)	/* a device */				\
	X(DEVICE_STATS, device_stats)	/* its counters */			\
	X(DEVICE_NAME, device_name)	/* its name */				\
	X(DEVICE_ADD, device_add)	/* its node */				\
	X(CONFIGFS_ITEM, configfs_item)	/* a folder in configfs */		\
	X(CONFIGFS_ROOT, configfs_root)	/* the folder that it is in */			\
	X(MAPPING_MOUNT, mapping_mount)	/* the superblock of its cached pages */ \
	X(MAPPING_BDI, mapping_bdi)	/* its backing device */		\
	X(MAPPING_INODE, mapping_inode)	/* its file */

enum scullpin_fault {
#define X(name, file) SCULLPIN_FAULT_##name,
	SCULLPIN_FAULTS(X)
#undef X
	SCULLPIN_FAULT_MAX
};

#ifdef SCULLPIN_FAULT
u64 scullpin_fault_armed(enum scullpin_fault point);
size_t scullpin_fault_pass(enum scullpin_fault point, size_t units);
u64 scullpin_fault_take(enum scullpin_fault point);
void scullpin_fault_init(void);
#else
static inline u64 scullpin_fault_armed(enum scullpin_fault point)
{
	return 0;
}

static inline size_t scullpin_fault_pass(enum scullpin_fault point, size_t units)
{
	return units;
}

static inline u64 scullpin_fault_take(enum scullpin_fault point)
{
	return 0;
}

static inline void scullpin_fault_init(void)
{
}
#endif

/* Does one unit fail now? */
static inline bool scullpin_fault_hits(enum scullpin_fault point)
{
	return !scullpin_fault_pass(point, 1);
}

#endif /* SCULLPIN_FAULT_H */
