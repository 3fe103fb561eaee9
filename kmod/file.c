// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door: what the system calls on the node mean, and which way a request
 * goes. The answers are those of a block device.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/falloc.h>	/* needs the types of others */

#include "cache.h"
#include "command.h"
#include "compat/compat.h"
#include "device.h"
#include "dio.h"
#include "file.h"
#include "request.h"
#include "store.h"

static int scullpin_file_open(struct inode *inode, struct file *file)
{
	struct scullpin_device *sdev = container_of(inode->i_cdev, struct scullpin_device, cdev);

	/* An inode finds its cdev until the last file is closed. */
	if (scullpin_device_is_gone(sdev))
		return -ENODEV;
	file->private_data = sdev;
	/* The VFS took both from the node, whose own pages nobody uses. */
	file->f_mapping = sdev->mapping.pages;
	file->f_wb_err = filemap_sample_wb_err(file->f_mapping);
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

/* Say which of the three it is: offset, length, memory. */
static void file_refuse_unaligned(struct scullpin_device *sdev, u64 pos,
				  const struct iov_iter *iter)
{
	u64 mask = sdev->config.logical_block_size - 1;

	if (pos & mask)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_unaligned_offset, pos);
	else if (iov_iter_count(iter) & mask)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_unaligned_length, iov_iter_count(iter));
	else
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_unaligned_address,
				iov_iter_alignment(iter));
}

/*
 * Between the caller's pages and the medium: what is cached of the range is
 * written back, and for a write dropped before it and after it. A page that is
 * dirtied in between is not lost: before, the write goes through the cache as
 * well; after, the page comes last.
 */
static ssize_t file_direct(struct scullpin_device *sdev, struct kiocb *iocb, struct iov_iter *iter)
{
	size_t length = iov_iter_count(iter), excess;
	bool write = iov_iter_rw(iter) == WRITE;
	ssize_t ret = 0;

	if (!scullpin_mapping_is_empty(&sdev->mapping))
		ret = scullpin_mapping_settle(&sdev->mapping, iocb->ki_pos, length, write,
					      iocb->ki_flags & IOCB_NOWAIT);
	if (ret == -EBUSY) {
		scullpin_stats_inc(&sdev->stats, cache_fallbacks);
		return scullpin_cache_rw(sdev, iocb, iter);
	}
	/* Removal has ended what was being written back. */
	if (ret && scullpin_device_is_gone(sdev))
		return -ENODEV;
	if (ret == -EAGAIN)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_would_block, length);
	if (ret)
		return ret;
	ret = scullpin_dio_rw(sdev, iocb, iter);
	if (ret == -EIOCBQUEUED)
		return ret;	/* the request may have ended: touch nothing */
	if (write)
		scullpin_mapping_forget(&sdev->mapping, iocb->ki_pos, length);
	/* Callers go on from where the iterator stands: just behind what moved. */
	excess = length - iov_iter_count(iter) - max_t(ssize_t, ret, 0);
	if (excess)
		iov_iter_revert(iter, excess);
	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

/* Direct, cached, or refused: the kiocb's flag decides, not how the file was opened. */
static ssize_t file_dispatch(struct scullpin_device *sdev, struct kiocb *iocb,
			     struct iov_iter *iter)
{
	bool direct = iocb->ki_flags & IOCB_DIRECT;

	if (direct && !file_is_aligned(&sdev->config, iocb->ki_pos, iter)) {
		if (READ_ONCE(sdev->config.unaligned) == SCULLPIN_UNALIGNED_REFUSE) {
			file_refuse_unaligned(sdev, iocb->ki_pos, iter);
			return -EINVAL;
		}
		direct = false;
	}
	/* The pages of a pipe are not there before the copy: nothing to pin. */
	if (direct && !scullpin_iter_is_pipe(iter))
		return file_direct(sdev, iocb, iter);
	return scullpin_cache_rw(sdev, iocb, iter);
}

/* A read finds the end, as it must; a write has asked for too much. */
static ssize_t file_at_end(struct scullpin_device *sdev, const struct iov_iter *iter)
{
	if (iov_iter_rw(iter) == READ)
		return 0;
	scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_past_end, iov_iter_count(iter));
	return -ENOSPC;
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

	if (scullpin_device_is_gone(sdev))
		return -ENODEV;
	if (!length)
		return 0;
	if (!file_knows(iter)) {
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_unsupported_memory, length);
		return -EOPNOTSUPP;
	}
	if (iocb->ki_pos >= size)
		return file_at_end(sdev, iter);
	within = min_t(u64, length, size - iocb->ki_pos);
	if (within < length)
		scullpin_refuse(sdev, 0, SCULLPIN_REFUSED_past_end, length - within);
	iov_iter_truncate(iter, min_t(size_t, within, MAX_RW_COUNT));
	within = iov_iter_count(iter);
	ret = file_dispatch(sdev, iocb, iter);
	if (ret == -EIOCBQUEUED)
		return ret;
	iov_iter_reexpand(iter, iov_iter_count(iter) + length - within);
	return ret > 0 && iov_iter_rw(iter) == WRITE ? generic_write_sync(iocb, ret) : ret;
}

/* Cached pages into a pipe, as they are. Once removed, the device has none. */
static ssize_t scullpin_file_splice_read(struct file *file, loff_t *pos,
					 struct pipe_inode_info *pipe, size_t length,
					 unsigned int flags)
{
	ssize_t ret = filemap_splice_read(file, pos, pipe, length, flags);

	return ret <= 0 && scullpin_device_is_gone(file->private_data) ? -ENODEV : ret;
}

/* The caller polls for its requests: nobody else tells it that they have ended. */
static int scullpin_file_iopoll(struct kiocb *iocb, struct io_comp_batch *batch, unsigned int flags)
{
	return scullpin_request_reap(iocb->ki_filp->private_data);
}

/*
 * Dirty pages are no holes: the store has had a page for each since before it
 * was dirtied.
 */
static loff_t scullpin_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct scullpin_device *sdev = file->private_data;
	loff_t size = sdev->config.size;

	if (scullpin_device_is_gone(sdev))
		return -ENODEV;
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = scullpin_store_seek(&sdev->store, offset, size, whence);
		return offset < 0 ? offset : vfs_setpos(file, offset, size);
	}
	return generic_file_llseek_size(file, offset, whence, size, size);
}

static int scullpin_file_fsync(struct file *file, loff_t begin, loff_t end, int datasync)
{
	if (scullpin_device_is_gone(file->private_data))
		return -ENODEV;
	return file_write_and_wait_range(file, begin, end);
}

/*
 * Asked by callers within the kernel, such as LIO for a discard: fallocate(2)
 * ends before this, with -ENODEV, on what is neither file nor block device.
 */
static long scullpin_file_fallocate(struct file *file, int mode, loff_t pos, loff_t length)
{
	if (scullpin_device_is_gone(file->private_data))
		return -ENODEV;
	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	return scullpin_ioctl_discard(file, pos, length);
}

const struct file_operations scullpin_file_ops = {
	.owner = THIS_MODULE,
	SCULLPIN_FILE_FLAGS
	.open = scullpin_file_open,
	.llseek = scullpin_file_llseek,
	.read_iter = scullpin_file_rw_iter,
	.write_iter = scullpin_file_rw_iter,
	.iopoll = scullpin_file_iopoll,
	.mmap = scullpin_cache_mmap,
	.splice_read = scullpin_file_splice_read,
	.splice_write = iter_file_splice_write,
	.fsync = scullpin_file_fsync,
	.fallocate = scullpin_file_fallocate,
	.uring_cmd = scullpin_command,
	.unlocked_ioctl = scullpin_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
