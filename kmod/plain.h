/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_PLAIN_H
#define SCULLPIN_PLAIN_H

#include <linux/types.h>

struct iov_iter;
struct kiocb;
struct scullpin_device;

ssize_t scullpin_plain_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter);

#endif /* SCULLPIN_PLAIN_H */
