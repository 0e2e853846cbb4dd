// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl: its sizes, and each of its errors.
 */
#include "common/uapi.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

FIXTURE_OF(dmafd, "flat", "")

#define SIZE	16384

/*
 * Shorter than it may be, with a tail of zeros, with one that is not, and at a bad
 * address. What it does when the size is right is for others to test.
 */
static void sizes(int fd, unsigned long cmd, const void *arg, unsigned int size,
		  unsigned int min_size, int expected)
{
	unsigned char *longer = calloc(1, 8192);
	unsigned int *first = (void *)longer;

	ASSERT_TRUE(longer);
	memcpy(longer, arg, size);
	*first = min_size - 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, cmd, longer));
	*first = 0;
	EXPECT_ERRNO(EINVAL, ioctl(fd, cmd, longer));
	*first = size + 8;
	longer[size + 7] = 1;
	EXPECT_ERRNO(E2BIG, ioctl(fd, cmd, longer));
	*first = 4097;
	EXPECT_ERRNO(E2BIG, ioctl(fd, cmd, longer));
	*first = size + 8;
	longer[size + 7] = 0;
	if (expected)
		EXPECT_ERRNO(expected, ioctl(fd, cmd, longer));
	else
		EXPECT_OK(ioctl(fd, cmd, longer));
	EXPECT_ERRNO(EFAULT, ioctl(fd, cmd, 8));
	EXPECT_ERRNO(EFAULT, ioctl(fd, cmd, NULL));
	free(longer);
}

TEST_F(dmafd, unknown)
{
	EXPECT_ERRNO(ENOTTY, ioctl(self->rig.ctx, _IO(DMAFD_TYPE, 0xff), 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->rig.chan, _IO(DMAFD_TYPE, 0xff), 0));
	/* What is of the other kind of file. */
	EXPECT_ERRNO(ENOTTY, ioctl(self->rig.chan, DMAFD_INFO, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->rig.ctx, DMAFD_SUBMIT, 0));
}

TEST_F(dmafd, info)
{
	struct dmafd_info info = { .size = sizeof(info) };

	ASSERT_OK(ioctl(self->rig.ctx, DMAFD_INFO, &info));
	EXPECT_EQ(0x3f, info.out_opcodes & 0x3f);
	EXPECT_EQ(7, info.out_op_flags);
	EXPECT_EQ(sizeof(struct dmafd_op), info.out_op_size);
	EXPECT_EQ(sizeof(struct dmafd_completion), info.out_completion_size);
	EXPECT_LE(256, info.out_max_depth);
	EXPECT_EQ(0, info.out_line & (info.out_line - 1));
	sizes(self->rig.ctx, DMAFD_INFO, &(struct dmafd_info){}, sizeof(info), sizeof(info), 0);
	info = (struct dmafd_info){ .size = sizeof(info), .flags = 1 };
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->rig.ctx, DMAFD_INFO, &info));
	info = (struct dmafd_info){ .size = sizeof(info), .__reserved = 1 };
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->rig.ctx, DMAFD_INFO, &info));
}

static int reg_error(int ctx, __u64 addr, __u64 length, unsigned int flags,
		     unsigned int reserved)
{
	struct dmafd_buf_register arg = {
		.size = sizeof(arg), .flags = flags, .addr = addr, .length = length,
		.__reserved = reserved,
	};

	return ioctl(ctx, DMAFD_BUF_REGISTER, &arg);
}

TEST_F(dmafd, buf_register)
{
	int ctx = self->rig.ctx;
	__u64 addr = (uintptr_t)memory(SIZE, 1);
	unsigned char *constant;
	struct dmafd_buf_register arg = { .flags = DMAFD_BUF_READ, .addr = addr, .length = SIZE };

	sizes(ctx, DMAFD_BUF_REGISTER, &arg, sizeof(arg), sizeof(arg), 0);
	EXPECT_ERRNO(EOPNOTSUPP, reg_error(ctx, addr, SIZE, 4, 0));
	EXPECT_ERRNO(EOPNOTSUPP, reg_error(ctx, addr, SIZE, 1, 1));
	EXPECT_ERRNO(EINVAL, reg_error(ctx, addr, SIZE, 0, 0));
	EXPECT_ERRNO(EINVAL, reg_error(ctx, addr, 0, 1, 0));
	EXPECT_ERRNO(EOVERFLOW, reg_error(ctx, addr, UINT64_MAX, 1, 0));
	EXPECT_ERRNO(EOVERFLOW, reg_error(ctx, UINT64_MAX, 1, 1, 0));
	EXPECT_ERRNO(ENOMEM, reg_error(ctx, addr, ULONG_MAX / 4, 1, 0));
	EXPECT_ERRNO(EFAULT, reg_error(ctx, 4096, 4096, 1, 0));
	/* The last page is none. */
	ASSERT_OK(munmap((void *)(uintptr_t)(addr + SIZE - 4096), 4096));
	EXPECT_ERRNO(EFAULT, reg_error(ctx, addr, SIZE, 1, 0));
	EXPECT_OK(reg_error(ctx, addr, SIZE - 4096, 1, 0));
	/* Memory that is not to be written. */
	constant = memory(4096, 1);
	ASSERT_OK(mprotect(constant, 4096, PROT_READ));
	EXPECT_ERRNO(EFAULT, reg_error(ctx, (uintptr_t)constant, 4096, DMAFD_BUF_WRITE, 0));
	EXPECT_OK(reg_error(ctx, (uintptr_t)constant, 4096, DMAFD_BUF_READ, 0));
}

/* Where nothing can be written to, nothing is registered. */
TEST_F(dmafd, buf_register_unwritable_argument)
{
	struct dmafd_buf_register *arg = (void *)memory(4096, 1);
	long before = pins();

	*arg = (struct dmafd_buf_register){
		.size = sizeof(*arg), .flags = DMAFD_BUF_READ,
		.addr = (uintptr_t)memory(SIZE, 1), .length = SIZE,
	};
	ASSERT_OK(mprotect(arg, 4096, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(self->rig.ctx, DMAFD_BUF_REGISTER, arg));
	EXPECT_EQ(before, pins());
}

TEST_F(dmafd, buf_remove)
{
	struct dmafd_buf_remove arg = {};
	int ctx = self->rig.ctx, buf;

	ASSERT_OK(buf = reg(ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	arg.buf = buf;
	sizes(ctx, DMAFD_BUF_REMOVE, &arg, sizeof(arg), sizeof(arg), 0);
	EXPECT_ERRNO(ENOENT, unreg(ctx, buf));
	EXPECT_ERRNO(ENOENT, unreg(ctx, 0));
	EXPECT_ERRNO(ENOENT, unreg(ctx, UINT_MAX));
}

TEST_F(dmafd, chan_list)
{
	struct dmafd_chan_entry entries[300];
	struct dmafd_chan_list arg = {
		.size = sizeof(arg), .entries = (uintptr_t)entries, .capacity = 300,
		.entry_size = sizeof(entries[0]),
	};
	int ctx = self->rig.ctx;
	unsigned int i, ours = 0;
	char name[DMAFD_NAME_MAX];
	struct dmafd_chan_info info = { .size = sizeof(info) };

	sizes(ctx, DMAFD_CHAN_LIST, &arg, sizeof(arg), sizeof(arg), 0);
	ASSERT_OK(ioctl(self->rig.chan, DMAFD_CHAN_INFO, &info));
	snprintf(name, sizeof(name), "%s", info.out_name);
	ASSERT_OK(ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	ASSERT_LE(1, arg.out_count);
	for (i = 0; i < arg.out_count; i++) {
		if (strcmp(name, entries[i].name))
			continue;
		ours++;
		EXPECT_EQ(DMAFD_ENTRY_BUSY, entries[i].flags);
		EXPECT_TRUE(entries[i].caps & DMAFD_CAP_COPY);
		EXPECT_STREQ(info.out_device, entries[i].device);
	}
	EXPECT_EQ(1, ours);
	arg.capacity = 0;
	arg.entries = 0;
	arg.out_count = 0;
	EXPECT_ERRNO(EMSGSIZE, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	EXPECT_LE(1, arg.out_count);
	arg.capacity = 300;
	EXPECT_ERRNO(EFAULT, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	arg.entry_size--;
	EXPECT_ERRNO(EINVAL, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	arg.entry_size = 4097;
	EXPECT_ERRNO(E2BIG, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	arg.entry_size = sizeof(entries[0]);
	arg.flags = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
	arg.flags = 0;
	arg.__reserved = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(ctx, DMAFD_CHAN_LIST, &arg));
}

TEST_F(dmafd, chan_open)
{
	struct dmafd_chan_open arg = { .size = sizeof(arg), .flags = 2 };
	struct dmafd_chan_info info = { .size = sizeof(info) };
	int ctx = self->rig.ctx, other, fd;

	EXPECT_ERRNO(EOPNOTSUPP, ioctl(ctx, DMAFD_CHAN_OPEN, &arg));
	EXPECT_ERRNO(EOPNOTSUPP, chan_open(ctx, "", 0x40, 0));
	EXPECT_ERRNO(EOPNOTSUPP, chan_open(ctx, "", 1U << 31, 0));
	EXPECT_ERRNO(EINVAL, chan_open(ctx, "", 0, 4097));
	EXPECT_ERRNO(ENODEV, chan_open(ctx, "dma99chan99", 0, 0));
	arg.flags = 0;
	memset(arg.name, 'x', sizeof(arg.name));
	EXPECT_ERRNO(EINVAL, ioctl(ctx, DMAFD_CHAN_OPEN, &arg));
	ASSERT_OK(ioctl(self->rig.chan, DMAFD_CHAN_INFO, &info));
	EXPECT_ERRNO(EBUSY, chan_open(ctx, info.out_name, 0, 0));
	/* Of another context, too. */
	ASSERT_OK(other = ctx_open());
	EXPECT_ERRNO(EBUSY, chan_open(other, info.out_name, 0, 0));
	close(self->rig.chan);
	ASSERT_OK(fd = chan_open(other, info.out_name, 0, 0));
	close(other);
	/* The channel keeps its context. */
	run_well(fd, &(struct dmafd_op){ .opcode = DMAFD_OP_NOP });
	close(fd);
	ASSERT_OK(self->rig.chan = chan_open(ctx, info.out_name, 0, 0));
}

TEST_F(dmafd, chan_open_sizes)
{
	struct dmafd_chan_open arg = { .caps = 1U << 31 };

	sizes(self->rig.ctx, DMAFD_CHAN_OPEN, &arg, sizeof(arg), sizeof(arg), EOPNOTSUPP);
}

TEST_F(dmafd, chan_info)
{
	struct dmafd_chan_info info = { .size = sizeof(info) };
	int chan = self->rig.chan;

	sizes(chan, DMAFD_CHAN_INFO, &(struct dmafd_chan_info){}, sizeof(info), sizeof(info), 0);
	ASSERT_OK(ioctl(chan, DMAFD_CHAN_INFO, &info));
	EXPECT_TRUE(info.out_caps & DMAFD_CAP_COPY);
	EXPECT_EQ(256, info.out_depth);
	EXPECT_EQ(0, info.out_held);
	EXPECT_EQ(0, info.out_submitted);
	EXPECT_EQ(1, info.out_copy_align);
	EXPECT_EQ(0, info.out_failed);
	EXPECT_EQ(0, info.out_bytes);
	/* What it tells nothing by is not left as it was. */
	info.out_width = 1;
	info.out_max_sources = 1;
	run_well(chan, &(struct dmafd_op){ .opcode = DMAFD_OP_NOP });
	ASSERT_OK(ioctl(chan, DMAFD_CHAN_INFO, &info));
	EXPECT_EQ(0, info.out_width);
	EXPECT_EQ(self->rig.real ? 0 : 8, info.out_max_sources);
	EXPECT_EQ(1, info.out_submitted);
	EXPECT_EQ(1, info.out_completed);
	info.flags = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(chan, DMAFD_CHAN_INFO, &info));
}

TEST_F(dmafd, submit)
{
	struct dmafd_op op = nop_op(0), many[3] = { op, { .opcode = 77 }, op };
	struct dmafd_submit arg = {
		.size = sizeof(arg), .ops = (uintptr_t)&op, .nr_ops = 1, .op_size = sizeof(op),
	};
	int chan = self->rig.chan;

	sizes(chan, DMAFD_SUBMIT, &arg, sizeof(arg), sizeof(arg), 0);
	arg.flags = 2;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.flags = 0;
	arg.__reserved = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.__reserved = 0;
	arg.nr_ops = 0;
	EXPECT_ERRNO(EINVAL, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.nr_ops = 1;
	arg.op_size--;
	EXPECT_ERRNO(EINVAL, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.op_size = 4097;
	EXPECT_ERRNO(E2BIG, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.op_size = sizeof(op);
	arg.nr_completions = 1;
	EXPECT_ERRNO(EINVAL, ioctl(chan, DMAFD_SUBMIT, &arg));
	arg.nr_completions = 0;
	arg.ops = 8;
	EXPECT_ERRNO(EFAULT, ioctl(chan, DMAFD_SUBMIT, &arg));
	/* Those before the bad one become jobs. */
	EXPECT_EQ(1, submit(chan, many, 3));
	EXPECT_ERRNO(EOPNOTSUPP, submit(chan, many + 1, 2));
}

/* The jobs are made before anybody could know that the answer cannot be given. */
TEST_F(dmafd, submit_unwritable_argument)
{
	struct dmafd_submit *arg = (void *)memory(4096, 1);
	struct dmafd_op op = nop_op(0);
	struct dmafd_completion completion;
	struct dmafd_chan_info info = { .size = sizeof(info) };
	int chan = self->rig.chan;

	*arg = (struct dmafd_submit){
		.size = sizeof(*arg), .ops = (uintptr_t)&op, .nr_ops = 1, .op_size = sizeof(op),
	};
	ASSERT_OK(mprotect(arg, 4096, PROT_READ));
	EXPECT_ERRNO(EFAULT, ioctl(chan, DMAFD_SUBMIT, arg));
	ASSERT_OK(ioctl(chan, DMAFD_CHAN_INFO, &info));
	EXPECT_EQ(1, info.out_submitted);
	take(chan, &completion, 1);
	EXPECT_EQ(0, completion.status);
}

TEST_F(dmafd, longer_operations)
{
	struct { struct dmafd_op op; __u64 more; } ops[2] = {};
	struct dmafd_submit arg = {
		.size = sizeof(arg), .ops = (uintptr_t)ops, .nr_ops = 2,
		.op_size = sizeof(ops[0]),
	};

	ASSERT_OK(ioctl(self->rig.chan, DMAFD_SUBMIT, &arg));
	EXPECT_EQ(2, arg.out_submitted);
	ops[0].more = 1;
	EXPECT_ERRNO(E2BIG, ioctl(self->rig.chan, DMAFD_SUBMIT, &arg));
}

TEST_F(dmafd, bad_operations)
{
	int ctx = self->rig.ctx, chan = self->rig.chan, src, dst, both;
	unsigned char *shared = memory(SIZE, 3);
	struct dmafd_op op, good;

	ASSERT_OK(src = reg(ctx, memory(SIZE, 1), SIZE, DMAFD_BUF_READ));
	ASSERT_OK(dst = reg(ctx, memory(SIZE, 2), SIZE, DMAFD_BUF_WRITE));
	ASSERT_OK(both = reg(ctx, shared, SIZE, DMAFD_BUF_READ | DMAFD_BUF_WRITE));
	good = copy_op(dst, 0, src, 0, 256);
	run_well(chan, &good);
#define BAD(errno_, field, value) do {				\
	op = good;						\
	op.field = value;					\
	EXPECT_ERRNO(errno_, submit_error(chan, &op));		\
} while (0)
	BAD(EOPNOTSUPP, opcode, 1000);
	BAD(EOPNOTSUPP, flags, 8);
	BAD(EINVAL, flags, DMAFD_OP_NO_SYNC);
	BAD(EINVAL, args, 1);
	BAD(EINVAL, length, 0);
	BAD(EINVAL, value, 1);
	BAD(EINVAL, length, SIZE + 4);
	BAD(EINVAL, length, UINT64_MAX);
	BAD(EINVAL, src_offset, SIZE - 252);
	BAD(EINVAL, dst_offset, SIZE - 252);
	BAD(EINVAL, dst_offset, UINT64_MAX);
	BAD(EINVAL, src_offset, UINT64_MAX - 128);
	BAD(ENOENT, src_buf, 0);
	BAD(ENOENT, dst_buf, 12345);
	BAD(EACCES, src_buf, dst);
	BAD(EACCES, dst_buf, src);
	good = copy_op(both, 0, both, 256, 256);
	run_well(chan, &good);
	BAD(EINVAL, src_offset, 0);
	BAD(EINVAL, src_offset, 252);
	BAD(EINVAL, dst_offset, 508);
	/* The same memory by another buffer. */
	ASSERT_OK(src = reg(ctx, shared + 128, 1024, DMAFD_BUF_READ));
	op = copy_op(both, 0, src, 0, 256);
	EXPECT_ERRNO(EINVAL, submit_error(chan, &op));
	op = copy_op(both, 0, src, 128, 256);
	run_well(chan, &op);
	good = nop_op(0);
	BAD(EINVAL, length, 1);
	BAD(EINVAL, src_buf, 1);
	BAD(EINVAL, dst_buf, 1);
	BAD(EINVAL, src_offset, 1);
	BAD(EINVAL, dst_offset, 1);
	BAD(EINVAL, value, 1);
	BAD(EINVAL, args, 1);
	good = fill_op(dst, 0, 256, 1);
	if (self->rig.real) {
		EXPECT_ERRNO(EOPNOTSUPP, submit_error(chan, &good));
		return;
	}
	BAD(EINVAL, value, 256);
	BAD(EINVAL, args, 1);
	BAD(EINVAL, src_buf, src);
	BAD(EINVAL, src_offset, 1);
	BAD(EACCES, dst_buf, src);
}

TEST_F(dmafd, wait)
{
	struct dmafd_completion completions[4] = {};
	struct dmafd_op ops[3] = { nop_op(0), nop_op(0), nop_op(0) };
	struct dmafd_submit arg = {
		.size = sizeof(arg), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)ops,
		.nr_ops = 3, .op_size = sizeof(ops[0]), .completions = (uintptr_t)completions,
		.nr_completions = 2,
	};
	int chan = self->rig.chan;

	ASSERT_OK(ioctl(chan, DMAFD_SUBMIT, &arg));
	EXPECT_EQ(3, arg.out_submitted);
	EXPECT_EQ(2, arg.out_completions);
	EXPECT_EQ(1, completions[1].sequence);
	EXPECT_EQ(0, completions[2].submit_ns);
	/* The third is left, and no other. */
	EXPECT_EQ(sizeof(completions[0]), read(chan, completions, sizeof(completions)));
	EXPECT_EQ(2, completions[0].sequence);
	/* A completion that cannot be given stays. */
	arg.completions = 8;
	EXPECT_ERRNO(EFAULT, ioctl(chan, DMAFD_SUBMIT, &arg));
	EXPECT_EQ(3, arg.out_submitted);
	EXPECT_EQ(3 * sizeof(completions[0]), read(chan, completions, sizeof(completions)));
	EXPECT_EQ(3, completions[0].sequence);
}

TEST_F(dmafd, cancel)
{
	struct dmafd_cancel arg = { .size = sizeof(arg), .flags = 1 };
	unsigned int canceled;

	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->rig.chan, DMAFD_CANCEL, &arg));
	arg = (struct dmafd_cancel){ .size = sizeof(arg), .__reserved = 1 };
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->rig.chan, DMAFD_CANCEL, &arg));
	sizes(self->rig.chan, DMAFD_CANCEL, &(struct dmafd_cancel){}, sizeof(arg), sizeof(arg), 0);
	EXPECT_OK(cancel(self->rig.chan, &canceled));
	EXPECT_EQ(0, canceled);
}

TEST_F(dmafd, read)
{
	struct dmafd_chan_open arg = { .size = sizeof(arg), .flags = DMAFD_CHAN_NONBLOCK };
	void *volatile nowhere = (void *)8;
	struct dmafd_completion completion;
	struct dmafd_op op = nop_op(0);
	struct dmafd_submit wait = {
		.size = sizeof(wait), .flags = DMAFD_SUBMIT_WAIT, .ops = (uintptr_t)&op,
		.nr_ops = 1, .op_size = sizeof(op),
	};
	int fd;

	EXPECT_ERRNO(EINVAL, read(self->rig.chan, &completion, sizeof(completion) - 1));
	close(self->rig.chan);
	snprintf(arg.name, sizeof(arg.name), "%s", self->rig.name);
	ASSERT_OK(ioctl(self->rig.ctx, DMAFD_CHAN_OPEN, &arg));
	fd = arg.out_fd;
	self->rig.chan = fd;
	EXPECT_ERRNO(EAGAIN, read(fd, &completion, sizeof(completion)));
	ASSERT_OK(ioctl(fd, DMAFD_SUBMIT, &wait));
	EXPECT_ERRNO(EFAULT, read(fd, nowhere, sizeof(completion)));
	EXPECT_EQ(sizeof(completion), read(fd, &completion, sizeof(completion)));
	EXPECT_ERRNO(EAGAIN, read(fd, &completion, sizeof(completion)));
	EXPECT_ERRNO(EINVAL, write(fd, "x", 1));
}

/* Completions that are not read count, too: none is ever lost. */
TEST_F(dmafd, depth)
{
	struct dmafd_completion completion;
	struct dmafd_op ops[9] = {};
	unsigned int i;

	close(self->rig.chan);
	ASSERT_OK(self->rig.chan = chan_open(self->rig.ctx, self->rig.name, 0, 8));
	EXPECT_EQ(8, submit(self->rig.chan, ops, 9));
	EXPECT_ERRNO(EAGAIN, submit(self->rig.chan, ops, 1));
	take(self->rig.chan, &completion, 1);
	EXPECT_EQ(1, submit(self->rig.chan, ops, 2));
	for (i = 1; i < 9; i++) {
		take(self->rig.chan, &completion, 1);
		EXPECT_EQ(i, completion.sequence);
	}
}
