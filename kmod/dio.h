/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DIO_H
#define SCULLPIN_DIO_H

#include <linux/types.h>

struct iov_iter;
struct kiocb;
struct scullpin_device;

ssize_t scullpin_dio_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter);
int scullpin_dio_reserve(struct scullpin_device *sdev, u64 pos, size_t length);
void scullpin_dio_discard(struct scullpin_device *sdev, u64 pos, u64 length);

#endif /* SCULLPIN_DIO_H */
