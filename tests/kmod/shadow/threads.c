// SPDX-License-Identifier: GPL-2.0-only
/* Clients and the device at the same time. */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cases.h"
#include "rig.h"

#define CLIENTS		4
#define ROUNDS		300
#define SIZE		(2 * PAGE_SIZE)
#define WAIT		(60 * HZ)

/* A thread and what it works with; the device reads where the clients are. */
struct worker {
	struct kt *t;
	struct task_struct *task;
	struct completion done;
	unsigned int id;
	u8 *vaddr;
	dma_addr_t addr;	/* READ_ONCE() by the device, 0 if there is none */
	struct worker *clients;	/* of the device */
	dma_addr_t shared;	/* of one mapping for all */
};

static void one_round(struct worker *worker, unsigned int round)
{
	size_t at = (round * 37) % PAGE_SIZE, size = 1 + (round * 91) % (SIZE - PAGE_SIZE);
	u8 value = worker->id * 16 + round % 16;
	struct kt *t = worker->t;
	dma_addr_t addr;

	memset(worker->vaddr, 0, SIZE);
	addr = rig_map(t, worker->vaddr + at, size, DMA_BIDIRECTIONAL, 0);
	if (!addr)
		return;
	WRITE_ONCE(worker->addr, addr);
	device_fill(t, addr, value, size);
	dma_sync_single_for_cpu(rig_of(t)->dev, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, all(worker->vaddr + at, value, size), "worker %u", worker->id);
	memset(worker->vaddr + at, ~value, size);
	dma_sync_single_for_device(rig_of(t)->dev, addr, size, DMA_BIDIRECTIONAL);
	KT_EXPECT(t, device_sees(t, addr, ~value, size), "worker %u", worker->id);
	rig_unmap(t, addr, size, DMA_BIDIRECTIONAL, 0);
	KT_EXPECT_EQ(t, SHADOW_UNMAPPED, device_fault(t, addr, false));
	KT_EXPECT(t, all(worker->vaddr, 0, at), "worker %u wrote before", worker->id);
}

static int client(void *data)
{
	struct worker *worker = data;
	unsigned int round;

	for (round = 0; round < ROUNDS && !kt_over(worker->t); round++) {
		one_round(worker, round);
		cond_resched();
	}
	complete(&worker->done);
	return 0;
}

/* Whatever is there: one of the clients may be writing it. */
static void peek(struct kt *t, dma_addr_t addr)
{
	struct shadow_space *space = rig_of(t)->space;
	struct shadow_window w;
	unsigned long flags;

	flags = shadow_lock(space);
	shadow_open(space, addr, 1, false, &w);
	if (w.len) {
		/* The value is of no use, so it may be any. */
		data_race(READ_ONCE(*(u8 *)w.ptr));
	}
	shadow_close(&w);
	shadow_unlock(space, flags);
}

/*
 * Reaches for what the clients have mapped, or have just unmapped: it finds
 * something or nothing, but nothing that was freed.
 */
static int device(void *data)
{
	struct worker *worker = data;
	unsigned int i;
	dma_addr_t addr;

	while (!kthread_should_stop()) {
		for (i = 0; i < CLIENTS; i++) {
			addr = READ_ONCE(worker->clients[i].addr);
			if (addr)
				peek(worker->t, addr);
		}
		cond_resched();
		/* With one processor, let the others have it. */
		schedule_timeout_uninterruptible(1);
	}
	complete(&worker->done);
	return 0;
}

static bool start(struct worker *worker, int (*function)(void *data))
{
	struct task_struct *task;

	init_completion(&worker->done);
	task = kthread_create(function, worker, "shadow-test/%u", worker->id);
	if (!KT_EXPECT_EQ(worker->t, 0, PTR_ERR_OR_ZERO(task)))
		return false;
	get_task_struct(task);
	worker->task = task;
	wake_up_process(task);
	return true;
}

static void finish(struct worker *worker)
{
	if (!worker->task)
		return;
	kthread_stop(worker->task);
	put_task_struct(worker->task);
}

static void run_clients(struct kt *t, struct worker *workers)
{
	unsigned int i;

	for (i = 0; i <= CLIENTS; i++) {
		workers[i].t = t;
		workers[i].id = i;
		workers[i].clients = workers;
		workers[i].vaddr = rig_pages(t, SIZE);
		if (!workers[i].vaddr || !start(&workers[i], i < CLIENTS ? client : device))
			break;
	}
	for (i = 0; i < CLIENTS; i++)
		if (workers[i].task)
			KT_EXPECT(t, wait_for_completion_timeout(&workers[i].done, WAIT),
				  "worker %u doesn't end", i);
	for (i = 0; i <= CLIENTS; i++) {
		finish(&workers[i]);
		rig_free(workers[i].vaddr, SIZE);
	}
}

static void run_all(struct kt *t)
{
	struct worker *workers = kcalloc(CLIENTS + 1, sizeof(*workers), GFP_KERNEL);

	if (!KT_EXPECT(t, workers, "no memory"))
		return;
	run_clients(t, workers);
	kfree(workers);
	KT_EXPECT_EQ(t, 0, rig_stats(t).live);
	KT_EXPECT_EQ(t, CLIENTS * ROUNDS, rig_stats(t).maps);
	KT_EXPECT_EQ(t, 0, rig_stats(t).denied);
	KT_EXPECT_EQ(t, 0, rig_stats(t).shared_lines);
}

void threads_iommu(struct kt *t)
{
	if (rig_iommu(t, 32))
		run_all(t);
}

void threads_cached(struct kt *t)
{
	if (rig_cached(t, LINE, 32))
		run_all(t);
}

/* ---- one mapping, used by all ---- */

/* Each has a line of its own, and all synchronize the first one, which nobody writes. */
static int share(void *data)
{
	struct worker *worker = data;
	struct device *dev = rig_of(worker->t)->dev;
	struct kt *t = worker->t;
	unsigned int round;
	u8 value;

	for (round = 0; round < ROUNDS && !kt_over(t); round++) {
		value = worker->id * 16 + round % 16;
		device_fill(t, worker->addr, value, LINE);
		dma_sync_single_for_cpu(dev, worker->addr, LINE, DMA_BIDIRECTIONAL);
		KT_EXPECT(t, all(worker->vaddr, value, LINE), "worker %u", worker->id);
		memset(worker->vaddr, ~value, LINE);
		dma_sync_single_for_device(dev, worker->addr, LINE, DMA_BIDIRECTIONAL);
		dma_sync_single_for_cpu(dev, worker->shared, 1, DMA_BIDIRECTIONAL);
		dma_sync_single_for_device(dev, worker->shared, 1, DMA_BIDIRECTIONAL);
		KT_EXPECT(t, device_sees(t, worker->addr, ~value, LINE), "worker %u", worker->id);
		cond_resched();
	}
	complete(&worker->done);
	return 0;
}

static void share_mapping(struct kt *t, u8 *vaddr, struct worker *workers)
{
	const size_t size = (CLIENTS + 2) * LINE - 20;
	unsigned int i;
	dma_addr_t addr;

	addr = rig_map(t, vaddr + 10, size, DMA_BIDIRECTIONAL, 0);
	for (i = 0; addr && i < CLIENTS; i++) {
		workers[i].t = t;
		workers[i].id = i;
		workers[i].vaddr = vaddr + (i + 1) * LINE;
		workers[i].addr = addr - 10 + (i + 1) * LINE;
		workers[i].shared = addr;
		if (!start(&workers[i], share))
			break;
	}
	for (i = 0; i < CLIENTS; i++) {
		if (workers[i].task)
			KT_EXPECT(t, wait_for_completion_timeout(&workers[i].done, WAIT),
				  "worker %u doesn't end", i);
		finish(&workers[i]);
	}
	rig_unmap(t, addr, size, DMA_BIDIRECTIONAL, 0);
}

void threads_one_mapping(struct kt *t)
{
	struct worker *workers = kcalloc(CLIENTS, sizeof(*workers), GFP_KERNEL);
	u8 *vaddr = rig_pages(t, PAGE_SIZE);

	if (workers && vaddr && rig_cached(t, LINE, 32))
		share_mapping(t, vaddr, workers);
	rig_free(vaddr, PAGE_SIZE);
	kfree(workers);
}

/* ---- somebody else in the same line ---- */

/* Writes one byte after the other, and finds what it wrote. */
static int neighbour(void *data)
{
	struct worker *worker = data;
	u8 *vaddr = worker->vaddr, value = 0;
	unsigned int i;

	while (!kthread_should_stop() && !kt_over(worker->t)) {
		for (i = 0; i < LINE / 2; i++) {
			u8 was = READ_ONCE(vaddr[i]);

			KT_EXPECT_EQ(worker->t, value, was);
			vaddr[i] = value + 1;
		}
		value++;
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* The second half of the neighbour's line; the device's bytes come through, or are lost. */
static void map_beside(struct kt *t, u8 *vaddr)
{
	unsigned int round;
	dma_addr_t addr;
	u64 lost;
	u8 value;

	for (round = 0; round < 10 * ROUNDS && !kt_over(t); round++) {
		value = round % 200 + 1;
		memset(vaddr, 0, LINE / 2);
		lost = rig_stats(t).shared_lines;
		addr = rig_map(t, vaddr, LINE / 2, DMA_FROM_DEVICE, 0);
		device_fill(t, addr, value, LINE / 2);
		rig_unmap(t, addr, LINE / 2, DMA_FROM_DEVICE, 0);
		lost = rig_stats(t).shared_lines - lost;
		KT_EXPECT(t, lost <= 1, "%llu lines", lost);
		KT_EXPECT(t, all(vaddr, lost ? 0 : value, LINE / 2), "round %u", round);
		cond_resched();
	}
	kt_note(t, "%llu of %u lines lost", rig_stats(t).shared_lines, round);
}

void threads_neighbour(struct kt *t)
{
	u8 *vaddr = rig_pages(t, PAGE_SIZE);
	struct worker worker = { .t = t, .vaddr = vaddr };

	if (vaddr && rig_cached(t, LINE, 32)) {
		if (start(&worker, neighbour))
			map_beside(t, vaddr + LINE / 2);
		finish(&worker);
	}
	rig_free(vaddr, PAGE_SIZE);
}
