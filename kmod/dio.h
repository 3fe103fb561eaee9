/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DIO_H
#define SCULLPIN_DIO_H

#include <linux/types.h>

struct iov_iter;
struct kiocb;
struct scullpin_device;

ssize_t scullpin_dio_rw(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter);
ssize_t scullpin_dio_delay(struct scullpin_device *sdev, struct kiocb *iocb, bool write,
			   size_t copied);
gfp_t scullpin_dio_gfp(const struct kiocb *iocb);
int scullpin_dio_no_memory(const struct kiocb *iocb);
bool scullpin_dio_must_not_wait(struct kiocb *iocb);

#endif /* SCULLPIN_DIO_H */
