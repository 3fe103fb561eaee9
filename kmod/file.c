// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door: what the system calls on the node mean, and which way a request
 * goes. The answers are those of a block device.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "compat/compat.h"
#include "device.h"
#include "dio.h"
#include "file.h"
#include "plain.h"
#include "store.h"

static int scullpin_file_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct scullpin_device, cdev);
	/*
	 * Without CAN_ODIRECT open(O_DIRECT) is refused; without NOWAIT io_uring
	 * sends every request to a worker thread; ATOMIC_POS makes the VFS lock
	 * the position that threads share.
	 */
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT | FMODE_ATOMIC_POS;
	return 0;
}

/* The memory that this driver knows how to reach. */
static bool file_knows(const struct iov_iter *iter)
{
	return user_backed_iter(iter) || iov_iter_is_bvec(iter) || iov_iter_is_kvec(iter) ||
	       scullpin_iter_is_pipe(iter);
}

static bool file_is_aligned(const struct scullpin_config *config, u64 pos,
			    const struct iov_iter *iter)
{
	if ((pos | iov_iter_count(iter)) & (config->logical_block_size - 1))
		return false;
	return !(iov_iter_alignment(iter) & (config->dma_alignment - 1));
}

/* Direct, plain, or refused: the kiocb's flag decides, not how the file was opened. */
static ssize_t file_dispatch(struct scullpin_device *sdev, struct kiocb *iocb,
			     struct iov_iter *iter)
{
	bool direct = iocb->ki_flags & IOCB_DIRECT;

	if (direct && !file_is_aligned(&sdev->config, iocb->ki_pos, iter)) {
		if (READ_ONCE(sdev->config.unaligned) == SCULLPIN_UNALIGNED_REFUSE)
			return -EINVAL;
		direct = false;
	}
	/* The pages of a pipe are not there before the copy: nothing to pin. */
	if (direct && !scullpin_iter_is_pipe(iter))
		return scullpin_dio_rw(sdev, iocb, iter);
	return scullpin_plain_rw(sdev, iocb, iter);
}

/*
 * Both directions. What does not fit on the device is cut off first, then
 * alignment is looked at, as block devices do it.
 */
static ssize_t scullpin_file_rw_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct scullpin_device *sdev = iocb->ki_filp->private_data;
	size_t length = iov_iter_count(iter), within;
	u64 size = sdev->config.size;
	ssize_t ret;

	if (!length)
		return 0;
	if (!file_knows(iter))
		return -EOPNOTSUPP;
	if (iocb->ki_pos >= size)
		return iov_iter_rw(iter) == WRITE ? -ENOSPC : 0;
	iov_iter_truncate(iter, min_t(u64, size - iocb->ki_pos, MAX_RW_COUNT));
	within = iov_iter_count(iter);
	ret = file_dispatch(sdev, iocb, iter);
	if (ret == -EIOCBQUEUED)
		return ret;	/* the request may have ended: touch nothing */
	/* Callers go on from where the iterator stands: just behind what moved. */
	iov_iter_revert(iter, within - iov_iter_count(iter) - max_t(ssize_t, ret, 0));
	iov_iter_reexpand(iter, iov_iter_count(iter) + length - within);
	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

static loff_t scullpin_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct scullpin_device *sdev = file->private_data;
	loff_t size = sdev->config.size;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = scullpin_store_seek(&sdev->store, offset, size, whence);
		return offset < 0 ? offset : vfs_setpos(file, offset, size);
	}
	return generic_file_llseek_size(file, offset, whence, size, size);
}

const struct file_operations scullpin_file_ops = {
	.owner = THIS_MODULE,
	.open = scullpin_file_open,
	.llseek = scullpin_file_llseek,
	.read_iter = scullpin_file_rw_iter,
	.write_iter = scullpin_file_rw_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.fsync = noop_fsync,	/* what has completed is on the medium */
	.unlocked_ioctl = scullpin_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
