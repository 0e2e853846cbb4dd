// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures a dmaengine provider from inside of the kernel.
 *
 *	insmod dmabench.ko
 *	echo 'provider=dmasim.0.auto only=copy' > /sys/kernel/debug/dmabench/run
 *	cat /sys/kernel/debug/dmabench/results
 *
 * Arguments: provider=DEVICE (default: any that can copy memory); min_copy=N, the
 * speed that long copies must have at least, in per cent of memcpy()'s (0: it is
 * only shown); timeout_ms=N of any wait; only=TEXT.
 */
#include <linux/init.h>
#include <linux/kstrtox.h>

#include "bench.h"

static struct kt kt;
static struct bench bench;

static int get_number(struct kt *t, const char *key, u32 low, u32 high, u32 *value)
{
	char text[16];
	u32 number;
	int err = kt_arg(t, key, text, sizeof(text));

	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return err;
	err = kstrtou32(text, 0, &number);
	if (err)
		return err;
	if (number < low || number > high)
		return -ERANGE;
	*value = number;
	return 0;
}

static int start(struct kt *t)
{
	struct bench *b = &bench;
	int err;

	memset(b, 0, sizeof(*b));
	t->data = b;
	b->t = t;
	b->timeout_ms = 10000;
	init_completion(&b->done);
	err = kt_arg(t, "provider", b->provider, sizeof(b->provider));
	if (err < 0 && err != -ENOENT)
		return err;
	err = get_number(t, "min_copy", 0, 100, &b->min_copy);
	if (err)
		return err;
	return get_number(t, "timeout_ms", 1, 600000, &b->timeout_ms);
}

static void after(struct kt *t)
{
	bench_close(to_bench(t));
}

static const struct kt_case cases[] = {
	KT_CASE(copy_64k),
	KT_CASE(copy_256k),
	KT_CASE(copy_1m),
	KT_CASE(batch_of_32),
	KT_CASE(queue_length),
	KT_CASE(fair_same_size),
	KT_CASE(fair_mixed_sizes),
};

static const struct kt_suite suite = {
	.name = KBUILD_MODNAME,
	.cases = cases,
	.count = ARRAY_SIZE(cases),
	.start = start,
	.after = after,
};

static int __init dmabench_init(void)
{
	return kt_register(&kt, &suite);
}
module_init(dmabench_init);

static void __exit dmabench_exit(void)
{
	kt_unregister(&kt);
}
module_exit(dmabench_exit);

MODULE_DESCRIPTION("Measures a dmaengine provider");
MODULE_LICENSE("GPL");
