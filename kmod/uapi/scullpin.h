/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * scullpin: what user space may ask of /dev/scullpinN beyond read and write.
 *
 * Every structure begins with its own size in bytes, set by the caller. The
 * kernel reads and writes no more than that; a structure only ever grows at
 * its end, and a field that an older kernel does not know must be zero or the
 * call fails with E2BIG. Padding is explicit and must be zero.
 */
#ifndef _UAPI_SCULLPIN_H
#define _UAPI_SCULLPIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SCULLPIN_IOC_MAGIC 0xE5

/**
 * struct scullpin_info - what a device is and how it must be used
 * @struct_size: in: bytes the caller provides; out: bytes the kernel filled
 * @logical_block_size: bytes; offset and length of a direct transfer are multiples
 * @dma_alignment: bytes; address and length of each segment are multiples
 * @flags: none yet, 0
 * @size: bytes on the device
 * @max_pinned: bytes of user memory that may be pinned at once
 * @allocated: bytes of the sparse medium that have memory behind them
 * @engine: name of the engine that moves the bytes, NUL-terminated
 */
struct scullpin_info {
	__u32 struct_size;
	__u32 logical_block_size;
	__u32 dma_alignment;
	__u32 flags;
	__u64 size;
	__u64 max_pinned;
	__u64 allocated;
	char engine[16];
};

#define SCULLPIN_INFO_SIZE_VER0 56

/**
 * struct scullpin_discard - forget a range; it reads as zeros afterwards
 * @struct_size: in: bytes the caller provides
 * @flags: must be 0
 * @offset: bytes from the start, a multiple of the logical block size
 * @length: bytes, a multiple of the logical block size
 */
struct scullpin_discard {
	__u32 struct_size;
	__u32 flags;
	__u64 offset;
	__u64 length;
};

#define SCULLPIN_DISCARD_SIZE_VER0 24

#define SCULLPIN_IOC_INFO    _IOWR(SCULLPIN_IOC_MAGIC, 1, struct scullpin_info)
#define SCULLPIN_IOC_DISCARD _IOW(SCULLPIN_IOC_MAGIC, 2, struct scullpin_discard)

/*
 * By io_uring: IORING_OP_URING_CMD with one of these in cmd_op and its structure,
 * 16 bytes, in cmd. The size is part of the number: another one is another command.
 */

/**
 * struct scullpin_uring_info - SCULLPIN_IOC_INFO, asked by io_uring
 * @info: address of a struct scullpin_info with its struct_size set
 * @reserved: must be 0
 */
struct scullpin_uring_info {
	__u64 info;
	__u64 reserved;
};

/**
 * struct scullpin_uring_discard - SCULLPIN_IOC_DISCARD, asked by io_uring
 * @offset: bytes from the start, a multiple of the logical block size
 * @length: bytes, a multiple of the logical block size
 */
struct scullpin_uring_discard {
	__u64 offset;
	__u64 length;
};

/**
 * struct scullpin_uring_flush - fsync(2), asked by io_uring
 * @reserved: must be 0
 */
struct scullpin_uring_flush {
	__u64 reserved[2];
};

#define SCULLPIN_URING_INFO    _IOWR(SCULLPIN_IOC_MAGIC, 0x80, struct scullpin_uring_info)
#define SCULLPIN_URING_DISCARD _IOW(SCULLPIN_IOC_MAGIC, 0x81, struct scullpin_uring_discard)
#define SCULLPIN_URING_FLUSH   _IOW(SCULLPIN_IOC_MAGIC, 0x82, struct scullpin_uring_flush)

#endif /* _UAPI_SCULLPIN_H */
