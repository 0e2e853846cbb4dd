// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs ask for, taken from their memory. That can last as long as they
 * like, if it is memory that they serve themselves: so no lock is held meanwhile.
 */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmafd.h"

/* They begin with their size. */
static int fetch_args(const struct dmafd_op *op, void *args, size_t size)
{
	void __user *user = u64_to_user_ptr(op->args);
	u32 user_size;

	if (get_user(user_size, (u32 __user *)user))
		return -EFAULT;
	if (user_size < size)
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(args, size, user, user_size);
}

static int check_segments(const struct dmafd_segment *segment, u32 count)
{
	for (; count; count--, segment++) {
		if (segment->__reserved)
			return -EOPNOTSUPP;
		if (!segment->length)
			return -EINVAL;
	}
	return 0;
}

static int fetch_segments(u64 ptr, u32 count, struct dmafd_segment **list)
{
	size_t size = array_size(count, sizeof(**list));

	*list = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!*list)
		return -ENOMEM;
	if (copy_from_user(*list, u64_to_user_ptr(ptr), size))
		return -EFAULT;
	return check_segments(*list, count);
}

static int fetch_sg(struct dmafd_request *request)
{
	const struct dmafd_sg_args *args = &request->sg;
	int err = fetch_args(&request->op, &request->sg, sizeof(request->sg));

	if (err)
		return err;
	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr_src || args->nr_src > DMAFD_MAX_SEGMENTS ||
	    !args->nr_dst || args->nr_dst > DMAFD_MAX_SEGMENTS)
		return -EINVAL;
	return fetch_segments(args->src, args->nr_src, &request->src) ?:
	       fetch_segments(args->dst, args->nr_dst, &request->dst);
}

static int fetch_sources(const struct dmafd_chan *chan, struct dmafd_request *request)
{
	const struct dmafd_sg_args *args = &request->sg;
	int err = fetch_args(&request->op, &request->sg, sizeof(request->sg));

	if (err)
		return err;
	if (args->flags)
		return -EOPNOTSUPP;
	if (args->nr_src < 2 || args->nr_src > chan->max_sources || args->dst || args->nr_dst)
		return -EINVAL;
	return fetch_segments(args->src, args->nr_src, &request->src);
}

static int fetch_rows(struct dmafd_request *request)
{
	const struct dmafd_2d_args *args = &request->rows;
	int err = fetch_args(&request->op, &request->rows, sizeof(request->rows));

	if (err)
		return err;
	if (args->flags || args->__reserved)
		return -EOPNOTSUPP;
	return !args->rows || args->rows > DMAFD_MAX_ROWS ? -EINVAL : 0;
}

static int fetch_ring(struct dmafd_request *request)
{
	int err = fetch_args(&request->op, &request->ring, sizeof(request->ring));

	if (err)
		return err;
	return request->ring.flags ? -EOPNOTSUPP : 0;
}

static int fetch_rest(const struct dmafd_chan *chan, struct dmafd_request *request)
{
	switch (request->op.opcode) {
	case DMAFD_OP_COPY_SG:
		return fetch_sg(request);
	case DMAFD_OP_COPY_2D:
		return fetch_rows(request);
	case DMAFD_OP_XOR:
		return fetch_sources(chan, request);
	case DMAFD_OP_CYCLIC:
		return fetch_ring(request);
	default:
		return 0;
	}
}

int dmafd_request_complete(const struct dmafd_chan *chan, struct dmafd_request *request)
{
	int err;

	request->src = NULL;
	request->dst = NULL;
	err = dmafd_op_check(chan, &request->op);
	if (err)
		return err;
	err = fetch_rest(chan, request);
	if (err)
		dmafd_request_free(request);
	return err;
}

int dmafd_request_fetch(const struct dmafd_chan *chan, struct dmafd_request *request,
			const void __user *user, u32 size)
{
	int err = 0;

	/* Nearly always; and a size that the compiler knows saves a check for each. */
	if (size == sizeof(request->op))
		err = copy_from_user(&request->op, user, sizeof(request->op)) ? -EFAULT : 0;
	else
		err = copy_struct_from_user(&request->op, sizeof(request->op), user, size);
	return err ?: dmafd_request_complete(chan, request);
}

void dmafd_request_free(const struct dmafd_request *request)
{
	if (!request->src)
		return;
	kvfree(request->src);
	kvfree(request->dst);
}
