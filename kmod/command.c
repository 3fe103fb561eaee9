// SPDX-License-Identifier: GPL-2.0-only
/*
 * IORING_OP_URING_CMD: what ioctls and fsync(2) do, asked by io_uring. What may
 * wait is done by one of its workers: the first try, in the submitter's context,
 * answers -EAGAIN.
 */
#include <linux/fs.h>

#include "command.h"
#include "compat/compat.h"
#include "device.h"
#include "file.h"
#include "uapi/scullpin.h"

/*
 * The payload lies in memory that the caller may be writing to: each member is
 * read once.
 */
static int command_info(struct file *file, const struct scullpin_uring_info *payload)
{
	u64 info = READ_ONCE(payload->info);

	if (READ_ONCE(payload->reserved))
		return -EINVAL;
	return scullpin_ioctl(file, SCULLPIN_IOC_INFO, info);
}

static int command_discard(struct file *file, const struct scullpin_uring_discard *payload)
{
	u64 offset = READ_ONCE(payload->offset);
	u64 length = READ_ONCE(payload->length);

	return scullpin_ioctl_discard(file, offset, length);
}

static int command_flush(struct file *file, const struct scullpin_uring_flush *payload)
{
	if (READ_ONCE(payload->reserved[0]) || READ_ONCE(payload->reserved[1]))
		return -EINVAL;
	return vfs_fsync(file, 0);
}

/**
 * scullpin_command - carry out a command that came by io_uring
 * @ioucmd: command and payload, of uapi/scullpin.h
 * @issue_flags: whether it may wait
 *
 * Context: process context; sleeps unless IO_URING_F_NONBLOCK, when only faults on
 * the caller's memory may.
 * Return: 0, -EAGAIN when it would have to wait, -ENOTTY for what is not known, -ENODEV
 * when the device has gone, else what the ioctl or fsync(2) answers.
 */
int scullpin_command(struct io_uring_cmd *ioucmd, unsigned int issue_flags)
{
	const void *payload = scullpin_command_payload(ioucmd);

	if (scullpin_device_is_gone(ioucmd->file->private_data))
		return -ENODEV;
	if (ioucmd->cmd_op == SCULLPIN_URING_INFO)
		return command_info(ioucmd->file, payload);
	if (ioucmd->cmd_op != SCULLPIN_URING_DISCARD && ioucmd->cmd_op != SCULLPIN_URING_FLUSH)
		return -ENOTTY;
	if (issue_flags & IO_URING_F_NONBLOCK)
		return -EAGAIN;
	if (ioucmd->cmd_op == SCULLPIN_URING_DISCARD)
		return command_discard(ioucmd->file, payload);
	return command_flush(ioucmd->file, payload);
}
