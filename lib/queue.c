// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The jobs of a channel, in their order: a ring of slots. Whoever does a job knows it by
 * the number of its slot.
 */
#include <stdlib.h>

#include "internal.h"

/* Positions only grow; a slot's number is its position modulo the depth. */
struct queue {
	unsigned int depth;
	uint64_t head, tail;	/* the oldest job, and behind the youngest */
	uint64_t sequence;	/* of the next job */
	struct slot slots[];
};

struct queue *queue_new(unsigned int depth)
{
	struct queue *queue = calloc(1, sizeof(*queue) + depth * sizeof(queue->slots[0]));

	if (queue)
		queue->depth = depth;
	return queue;
}

void queue_free(struct queue *queue)
{
	unsigned int i;

	for (i = 0; queue && i < queue->depth; i++)
		free(queue->slots[i].args);
	free(queue);
}

static struct slot *slot_at(struct queue *queue, uint64_t position)
{
	return &queue->slots[position % queue->depth];
}

unsigned int queue_held(const struct queue *queue)
{
	return queue->tail - queue->head;
}

unsigned int queue_room(const struct queue *queue)
{
	return queue->depth - queue_held(queue);
}

struct slot *queue_free_slot(struct queue *queue, unsigned int i, unsigned int *number)
{
	*number = (queue->tail + i) % queue->depth;
	return &queue->slots[*number];
}

void queue_push(struct queue *queue, unsigned int n)
{
	while (n--)
		slot_at(queue, queue->tail++)->result.sequence = queue->sequence++;
}

struct slot *queue_find(struct queue *queue, uint64_t number)
{
	uint64_t first = queue->head % queue->depth;

	if (number >= queue->depth ||
	    (number + queue->depth - first) % queue->depth >= queue_held(queue))
		return NULL;
	return &queue->slots[number];
}

struct slot *queue_youngest(struct queue *queue, unsigned int i)
{
	return slot_at(queue, queue->tail - 1 - i);
}

void queue_pop_youngest(struct queue *queue, unsigned int n)
{
	queue->tail -= n;
}

bool queue_is_ready(const struct queue *queue)
{
	const struct slot *first = &queue->slots[queue->head % queue->depth];

	return queue_held(queue) && (first->done || first->more);
}

unsigned int queue_take(struct queue *queue, struct dmafd_result *results, size_t max)
{
	struct slot *slot;
	unsigned int n;

	for (n = 0; n < max && queue_is_ready(queue); n++) {
		slot = slot_at(queue, queue->head);
		results[n] = slot->result;
		slot->more = false;
		if (!slot->done)
			return n + 1;
		queue->head++;
	}
	return n;
}

void slot_finish(struct slot *slot)
{
	slot->done = true;
	free(slot->args);
	slot->args = NULL;
}
