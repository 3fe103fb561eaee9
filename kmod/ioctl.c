// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls: the block layer's questions about sizes, so that existing tools
 * work, and our own. The only place that copies structures to and from user
 * space; each is read once.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cache.h"
#include "device.h"
#include "file.h"
#include "uapi/scullpin.h"

static long ioctl_info(struct scullpin_device *sdev, void __user *user)
{
	struct scullpin_info info = {
		.logical_block_size = sdev->config.logical_block_size,
		.dma_alignment = sdev->config.dma_alignment,
		.size = sdev->config.size,
		.max_pinned = READ_ONCE(sdev->config.max_pinned),
		.allocated = (u64)atomic64_read(&sdev->store.allocated) << PAGE_SHIFT,
	};
	u32 room;

	if (get_user(room, (u32 __user *)user))
		return -EFAULT;
	if (room < SCULLPIN_INFO_SIZE_VER0)
		return -EINVAL;
	strscpy(info.engine, sdev->engine->name, sizeof(info.engine));
	info.struct_size = min_t(u32, room, sizeof(info));
	/* What a newer caller has beyond our structure keeps the caller's zeros. */
	return copy_to_user(user, &info, info.struct_size) ? -EFAULT : 0;
}

/**
 * scullpin_ioctl_discard - forget a range of the device
 * @file: the open node
 * @offset: bytes from the start
 * @length: bytes
 *
 * Context: process context; may sleep.
 * Return: 0, -EBADF when @file is not open for writing, -EINVAL, -EINTR when killed.
 */
int scullpin_ioctl_discard(struct file *file, u64 offset, u64 length)
{
	struct scullpin_device *sdev = file->private_data;
	u64 mask = sdev->config.logical_block_size - 1;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!length || (offset | length) & mask)
		return -EINVAL;
	if (offset > sdev->config.size || length > sdev->config.size - offset)
		return -EINVAL;
	return scullpin_cache_discard(sdev, offset, length);
}

static long ioctl_discard(struct file *file, void __user *user)
{
	struct scullpin_discard discard;
	u32 room;
	int ret;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (get_user(room, (u32 __user *)user))
		return -EFAULT;
	if (room < SCULLPIN_DISCARD_SIZE_VER0)
		return -EINVAL;
	/* No version will be that long; the rest would be looked through for zeros. */
	if (room > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&discard, sizeof(discard), user, room);
	if (ret)
		return ret;
	if (discard.flags)
		return -EINVAL;
	return scullpin_ioctl_discard(file, discard.offset, discard.length);
}

static long ioctl_own(struct file *file, unsigned int cmd, void __user *user)
{
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(SCULLPIN_IOC_INFO):
		return ioctl_info(file->private_data, user);
	case _IOC_NR(SCULLPIN_IOC_DISCARD):
		return ioctl_discard(file, user);
	}
	return -ENOTTY;
}

/**
 * scullpin_ioctl - answer an ioctl on the node
 * @file: the open node
 * @cmd: BLKGETSIZE64, BLKSSZGET, BLKPBSZGET or one of uapi/scullpin.h
 * @arg: a user pointer
 *
 * Our own are told apart by type and number: the size within @cmd is that of
 * the caller's structure, which says it again in its first member.
 *
 * Context: process context; may sleep.
 * Return: 0, -ENOTTY for what is not known, -EBADF, -EFAULT, -EINVAL, -E2BIG, -ENODEV
 * when the device has gone.
 */
long scullpin_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct scullpin_device *sdev = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (scullpin_device_is_gone(sdev))
		return -ENODEV;
	switch (cmd) {
	case BLKGETSIZE64:
		return put_user(sdev->config.size, (u64 __user *)user);
	case BLKSSZGET:
		return put_user((int)sdev->config.logical_block_size, (int __user *)user);
	case BLKPBSZGET:
		return put_user((unsigned int)PAGE_SIZE, (unsigned int __user *)user);
	}
	if (_IOC_TYPE(cmd) != SCULLPIN_IOC_MAGIC)
		return -ENOTTY;
	ret = ioctl_own(file, cmd, user);
	if (ret < 0)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_bad_ioctl, _IOC_NR(cmd));
	return ret;
}
