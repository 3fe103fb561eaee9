// SPDX-License-Identifier: MIT
/*
 * A caller within the kernel: insmod kernel_caller.ko how=HOW writes a pattern to a file, reads it back and compares; loading succeeds when all is
 * as it should be. The memory is the kernel's own, as vectors of addresses (kvec) or of pages (bvec).
 *
 *   how=plain              kernel_write() and kernel_read()
 *   how=direct             the same on a file opened with O_DIRECT
 *   how=direct-vmalloc     the same, and the memory is contiguous for the CPU only
 *   how=async-kvec         asynchronous requests with IOCB_DIRECT, on a file opened without O_DIRECT
 *   how=async-bvec         the same; each vector is several pages that lie together, and the first begins within its page
 *   how=async-plain        asynchronous requests without IOCB_DIRECT
 *   how=discard            a destination that takes bytes and keeps none, which this driver does not know: EOPNOTSUPP
 */
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

static char *path = "/dev/scullpin0";
module_param(path, charp, 0444);
MODULE_PARM_DESC(path, "the file");

static char *how = "plain";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "which call and which memory, see the head of the source");

#define CALLER_LENGTH (128 * 1024)
#define CALLER_POS (1 << 20)
#define CALLER_ORDER 3
#define CALLER_VECTORS (CALLER_LENGTH >> (PAGE_SHIFT + CALLER_ORDER))
/* Within what alignment a direct request needs. */
#define CALLER_OFFSET 512

struct caller_request {
	struct kiocb iocb;
	struct completion ended;
	long result;
};

static void caller_complete(struct kiocb *iocb, long result)
{
	struct caller_request *request = container_of(iocb, struct caller_request, iocb);

	request->result = result;
	complete(&request->ended);
}

/* One asynchronous request, and the wait for its end. */
static ssize_t caller_async(struct file *file, struct iov_iter *iter, int flags)
{
	struct caller_request request = {
		.iocb = {
			.ki_filp = file,
			.ki_pos = CALLER_POS,
			.ki_flags = flags,
			.ki_complete = caller_complete,
		},
	};
	ssize_t ret;

	init_completion(&request.ended);
	if (iov_iter_rw(iter) == WRITE)
		ret = file->f_op->write_iter(&request.iocb, iter);
	else
		ret = file->f_op->read_iter(&request.iocb, iter);
	if (ret != -EIOCBQUEUED)
		return ret;
	wait_for_completion(&request.ended);
	return request.result;
}

static bool caller_is_whole(ssize_t result, const char *what)
{
	if (result == CALLER_LENGTH)
		return true;
	pr_info("kernel_caller: %s by %s: %zd\n", what, how, result);
	return false;
}

static int caller_kernel_rw(struct file *file, void *out, void *in)
{
	loff_t pos = CALLER_POS;

	if (!caller_is_whole(kernel_write(file, out, CALLER_LENGTH, &pos), "write"))
		return -EIO;
	if (pos != CALLER_POS + CALLER_LENGTH)
		return -ESPIPE;
	pos = CALLER_POS;
	return caller_is_whole(kernel_read(file, in, CALLER_LENGTH, &pos), "read") ? 0 : -EIO;
}

/* The second vector is shorter than a page of the medium. */
static int caller_kvec(struct file *file, void *out, void *in, int flags)
{
	struct kvec vectors[3];
	struct iov_iter iter;
	int write;

	for (write = 1; write >= 0; write--) {
		char *memory = write ? out : in;

		vectors[0] = (struct kvec){ memory, CALLER_LENGTH / 2 };
		vectors[1] = (struct kvec){ memory + CALLER_LENGTH / 2, 512 };
		vectors[2] = (struct kvec){ memory + CALLER_LENGTH / 2 + 512, CALLER_LENGTH / 2 - 512 };
		iov_iter_kvec(&iter, write ? WRITE : READ, vectors, 3, CALLER_LENGTH);
		if (!caller_is_whole(caller_async(file, &iter, flags), write ? "write" : "read"))
			return -EIO;
	}
	return 0;
}

static void caller_free_vectors(struct bio_vec *vectors)
{
	int i;

	for (i = 0; i < CALLER_VECTORS; i++)
		if (vectors[i].bv_page)
			__free_pages(vectors[i].bv_page, CALLER_ORDER + 1);
}

/* Twice as many pages as it takes, so that a vector may begin anywhere in the first. */
static int caller_alloc_vectors(struct bio_vec *vectors)
{
	int i;

	for (i = 0; i < CALLER_VECTORS; i++) {
		vectors[i].bv_page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, CALLER_ORDER + 1);
		vectors[i].bv_offset = CALLER_OFFSET;
		vectors[i].bv_len = PAGE_SIZE << CALLER_ORDER;
		if (!vectors[i].bv_page)
			return -ENOMEM;
	}
	return 0;
}

static void caller_copy(struct bio_vec *vectors, char *flat, bool to_vectors)
{
	int i;

	for (i = 0; i < CALLER_VECTORS; i++, flat += PAGE_SIZE << CALLER_ORDER) {
		char *memory = page_address(vectors[i].bv_page) + CALLER_OFFSET;

		memcpy(to_vectors ? memory : flat, to_vectors ? flat : memory, PAGE_SIZE << CALLER_ORDER);
	}
}

static int caller_bvec(struct file *file, void *out, void *in, int flags)
{
	struct bio_vec vectors[CALLER_VECTORS] = {};
	struct iov_iter iter;
	int ret = caller_alloc_vectors(vectors);

	if (ret)
		goto out_free;
	ret = -EIO;
	caller_copy(vectors, out, true);
	iov_iter_bvec(&iter, WRITE, vectors, CALLER_VECTORS, CALLER_LENGTH);
	if (!caller_is_whole(caller_async(file, &iter, flags), "write"))
		goto out_free;
	caller_copy(vectors, in, true);
	iov_iter_bvec(&iter, READ, vectors, CALLER_VECTORS, CALLER_LENGTH);
	if (!caller_is_whole(caller_async(file, &iter, flags), "read"))
		goto out_free;
	caller_copy(vectors, in, false);
	ret = 0;
out_free:
	caller_free_vectors(vectors);
	return ret;
}

static int caller_discard(struct file *file)
{
	struct iov_iter iter;

	iov_iter_discard(&iter, READ, CALLER_LENGTH);
	return caller_async(file, &iter, 0) == -EOPNOTSUPP ? 0 : -EIO;
}

static int caller_move(struct file *file, void *out, void *in)
{
	if (!strcmp(how, "discard"))
		return caller_discard(file);
	if (!strcmp(how, "async-kvec"))
		return caller_kvec(file, out, in, IOCB_DIRECT);
	if (!strcmp(how, "async-plain"))
		return caller_kvec(file, out, in, 0);
	if (!strcmp(how, "async-bvec"))
		return caller_bvec(file, out, in, IOCB_DIRECT);
	if (!strcmp(how, "plain") || !strncmp(how, "direct", 6))
		return caller_kernel_rw(file, out, in);
	return -EINVAL;
}

static void *caller_alloc(void)
{
	return strcmp(how, "direct-vmalloc") ? kzalloc(CALLER_LENGTH, GFP_KERNEL) : vzalloc(CALLER_LENGTH);
}

static int __init caller_init(void)
{
	struct file *file = filp_open(path, O_RDWR | (strncmp(how, "direct", 6) ? 0 : O_DIRECT), 0);
	void *out, *in;
	int ret = -ENOMEM;

	if (IS_ERR(file))
		return PTR_ERR(file);
	out = caller_alloc();
	in = caller_alloc();
	if (!out || !in)
		goto out_free;
	get_random_bytes(out, CALLER_LENGTH);
	ret = caller_move(file, out, in);
	if (!ret && strcmp(how, "discard") && memcmp(out, in, CALLER_LENGTH)) {
		pr_info("kernel_caller: %s reads something else than was written\n", how);
		ret = -EILSEQ;
	}
out_free:
	kvfree(in);
	kvfree(out);
	filp_close(file, NULL);
	return ret;
}

static void __exit caller_exit(void)
{
}

module_init(caller_init);
module_exit(caller_exit);
MODULE_DESCRIPTION("Test: a caller of a file within the kernel");
MODULE_LICENSE("Dual MIT/GPL");
