// SPDX-License-Identifier: GPL-2.0-only
/*
 * plant - bugs on purpose, one for each reporter that the tests rely on
 *
 * A test gate that sees nothing looks like one that has nothing to see. So
 * each reporter gets a bug to find:
 *
 *   # insmod plant.ko bug=use-after-free
 *
 * One load plants one bug, since the first report may stop the kernel. Above
 * each bug stands who must see it. Without a parameter nothing is planted.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

#define SIZE 64

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "the bug to plant (default: none)");

/* The device that owns the DMA mappings; there from load to unload. */
static struct platform_device *pdev;

/*
 * Sums are written here, so that the compiler can't leave out the reads that
 * made them. Nobody reads it.
 */
static int sink;

/*
 * What the compiler must not know, or it would warn of the bug, or use it to
 * throw the bug away.
 */
static void *disguise(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static int secret(int n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

/* KASAN: slab-use-after-free */
static int use_after_free(void)
{
	char *p = kzalloc(SIZE, GFP_KERNEL);
	char *gone = disguise(p);

	if (!p)
		return -ENOMEM;
	kfree(p);
	WRITE_ONCE(sink, READ_ONCE(gone[SIZE / 2]));
	return 0;
}

/* KASAN: double-free */
static int double_free(void)
{
	char *p = kzalloc(SIZE, GFP_KERNEL);
	char *gone = disguise(p);

	if (!p)
		return -ENOMEM;
	kfree(p);
	kfree(gone);
	return 0;
}

/* KASAN: slab-out-of-bounds */
static int heap_overrun(void)
{
	char *p = kzalloc(SIZE, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	WRITE_ONCE(p[secret(SIZE)], 1);
	kfree(p);
	return 0;
}

/* KASAN: stack-out-of-bounds */
static int stack_overrun(void)
{
	char array[SIZE] = {};
	char *p = disguise(array);

	WRITE_ONCE(sink, READ_ONCE(p[SIZE + 1]));
	return 0;
}

/* KASAN: global-out-of-bounds */
static int global_overrun(void)
{
	static char array[SIZE];
	char *p = disguise(array);

	WRITE_ONCE(sink, READ_ONCE(p[SIZE + 1]));
	return 0;
}

/* UBSAN: shift-out-of-bounds */
static int shift(void)
{
	WRITE_ONCE(sink, 1 << secret(40));
	return 0;
}

/* UBSAN: array-index-out-of-bounds; KASAN can't see it inside one object */
static int array_index(void)
{
	static struct {
		int array[4];
		int behind[4];
	} object;

	WRITE_ONCE(sink, object.array[secret(5)]);
	return 0;
}

/* Hardened usercopy: it stops the copy before it looks at where it goes */
static int copy_overrun(void)
{
	char *p = kzalloc(SIZE, GFP_KERNEL);
	unsigned long left;

	if (!p)
		return -ENOMEM;
	left = copy_to_user(NULL, disguise(p), secret(SIZE + 8));
	kfree(p);
	return left ? -EFAULT : 0;
}

/* DEBUG_LIST: list_del corruption */
static int list_corruption(void)
{
	LIST_HEAD(list);
	LIST_HEAD(entry);

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
	return 0;
}

/* lockdep: possible circular locking dependency */
static int lock_inversion(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

/* DEBUG_ATOMIC_SLEEP: sleeping function called from invalid context */
static int sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);
	void *p;

	spin_lock(&lock);
	p = kmalloc(SIZE, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(p);
	return 0;
}

/* DEBUG_PREEMPT: using smp_processor_id() in preemptible */
static int wrong_cpu(void)
{
	WRITE_ONCE(sink, smp_processor_id());
	return 0;
}

static void tick(struct timer_list *unused)
{
}

/* DEBUG_OBJECTS: free active object */
static int free_active_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, tick, 0);
	mod_timer(timer, jiffies + 10 * HZ);
	kfree(timer);
	return 0;
}

/* kmemleak: unreferenced object */
static int memory_leak(void)
{
	char *p = disguise(kzalloc(SIZE, GFP_KERNEL));

	return p ? 0 : -ENOMEM;
}

static dma_addr_t map(void *buf)
{
	dma_addr_t dma = dma_map_single(&pdev->dev, buf, SIZE, DMA_TO_DEVICE);

	return dma_mapping_error(&pdev->dev, dma) ? DMA_MAPPING_ERROR : dma;
}

/*
 * Nobody in the kernel, since this is no PCI device: one entry of the DMA
 * checker stays in use, which whoever unloads this module has to compare.
 */
static int dma_leak(void)
{
	void *buf = kzalloc(SIZE, GFP_KERNEL);
	dma_addr_t dma;

	if (!buf)
		return -ENOMEM;
	dma = map(buf);
	kfree(buf);
	return dma == DMA_MAPPING_ERROR ? -EIO : 0;
}

/* DMA_API_DEBUG: frees DMA memory with different size */
static int dma_wrong_size(void)
{
	void *buf = kzalloc(SIZE, GFP_KERNEL);
	dma_addr_t dma;

	if (!buf)
		return -ENOMEM;
	dma = map(buf);
	if (dma != DMA_MAPPING_ERROR)
		dma_unmap_single(&pdev->dev, dma, SIZE / 2, DMA_TO_DEVICE);
	kfree(buf);
	return dma == DMA_MAPPING_ERROR ? -EIO : 0;
}

/* Nobody in the kernel: whoever wants to unload this module can't */
static int stay(void)
{
	__module_get(THIS_MODULE);
	return 0;
}

static int count_up(void *counter)
{
	int *n = counter;

	while (!kthread_should_stop()) {
		(*n)++;
		cond_resched();
	}
	return 0;
}

/* KCSAN: data-race in count_up */
static int race(void)
{
	static int counter;
	struct task_struct *other, *another;

	other = kthread_run(count_up, &counter, "plant/1");
	if (IS_ERR(other))
		return PTR_ERR(other);
	another = kthread_run(count_up, &counter, "plant/2");
	if (!IS_ERR(another)) {
		schedule_timeout_uninterruptible(5 * HZ);
		kthread_stop(another);
	}
	kthread_stop(other);
	return PTR_ERR_OR_ZERO(another);
}

/* Every kernel: WARNING */
static int warning(void)
{
	WARN_ON(1);
	return 0;
}

/* Every kernel: the oops of a wild pointer */
static int oops(void)
{
	int *p = disguise((void *)8);

	WRITE_ONCE(sink, READ_ONCE(*p));
	return 0;
}

static int none(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*plant)(void);
} bugs[] = {
	{ "none", none },
	{ "use-after-free", use_after_free },
	{ "double-free", double_free },
	{ "heap-overrun", heap_overrun },
	{ "stack-overrun", stack_overrun },
	{ "global-overrun", global_overrun },
	{ "shift", shift },
	{ "array-index", array_index },
	{ "copy-overrun", copy_overrun },
	{ "list-corruption", list_corruption },
	{ "lock-inversion", lock_inversion },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "wrong-cpu", wrong_cpu },
	{ "free-active-timer", free_active_timer },
	{ "memory-leak", memory_leak },
	{ "dma-leak", dma_leak },
	{ "dma-wrong-size", dma_wrong_size },
	{ "stay", stay },
	{ "data-race", race },
	{ "warning", warning },
	{ "oops", oops },
};

static int plant(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bugs[i].name, name))
			return bugs[i].plant();
	return -EINVAL;
}

static int __init plant_init(void)
{
	int ret;

	pdev = platform_device_register_simple("plant", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	ret = plant(bug);
	if (ret)
		platform_device_unregister(pdev);
	return ret;
}
module_init(plant_init);

static void __exit plant_exit(void)
{
	platform_device_unregister(pdev);
}
module_exit(plant_exit);

MODULE_DESCRIPTION("Bugs on purpose, to test those who report them");
MODULE_LICENSE("GPL");
