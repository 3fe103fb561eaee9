/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_CACHE_H
#define SCULLPIN_CACHE_H

#include <linux/types.h>

struct address_space_operations;
struct file;
struct iov_iter;
struct kiocb;
struct scullpin_device;
struct vm_area_struct;

extern const struct address_space_operations scullpin_cache_ops;

ssize_t scullpin_cache_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter);
int scullpin_cache_mmap(struct file *file, struct vm_area_struct *vma);
int scullpin_cache_discard(struct scullpin_device *sdev, u64 pos, u64 length);

#endif /* SCULLPIN_CACHE_H */
