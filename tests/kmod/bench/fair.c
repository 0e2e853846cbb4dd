// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many channels that always have work: each gets its share, in bytes.
 */
#include <linux/delay.h>

#include "bench.h"

/* No channel may be further from the mean than this, per mille. */
#define TOLERANCE	50
/*
 * Each channel is to move so many bytes, on average. It takes some seconds, in which
 * the scheduler treats all alike: who preempts a provider's thread stops its channel.
 */
#define SHARE		SZ_64M
/* What a channel has queued: it never runs out of work in its turn. */
#define QUEUED		SZ_512K
#define LONGEST		SZ_128K

struct client {
	struct fair *fair;
	struct dma_chan *chan;
	size_t len;
	atomic64_t bytes;
};

struct fair {
	struct bench *b;
	bool counting;		/* written by the case */
	bool refused;		/* written by callbacks, to true */
	struct client client[BENCH_CHANNELS];
};

static void copied(void *param);

static void submit_next(struct client *client)
{
	struct fair *fair = client->fair;

	if (dma_submit_error(bench_submit(client->chan, &fair->b->pair[0], client->len, copied,
					  client)))
		WRITE_ONCE(fair->refused, true);
}

static void copied(void *param)
{
	struct client *client = param;

	if (READ_ONCE(client->fair->counting))
		atomic64_add(client->len, &client->bytes);
	submit_next(client);
	dma_async_issue_pending(client->chan);
}

static void start_client(struct fair *fair, unsigned int i, size_t len)
{
	struct client *client = &fair->client[i];
	size_t queued;

	client->fair = fair;
	client->chan = fair->b->chan[i];
	client->len = len;
	atomic64_set(&client->bytes, 0);
	for (queued = 0; queued < QUEUED; queued += len)
		submit_next(client);
}

static u64 total(struct fair *fair)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < fair->b->chans; i++)
		sum += atomic64_read(&fair->client[i].bytes);
	return sum;
}

/* Until each has had its share, on average. */
static void let_run(struct fair *fair)
{
	struct bench *b = fair->b;
	unsigned long end = jiffies + 4 * msecs_to_jiffies(b->timeout_ms);
	u64 enough = (u64)SHARE * b->chans;

	msleep(50);
	WRITE_ONCE(fair->counting, true);
	while (total(fair) < enough && time_before(jiffies, end))
		msleep(20);
	WRITE_ONCE(fair->counting, false);
	KT_EXPECT(b->t, total(fair) >= enough, "only %llu of %llu bytes are copied",
		  total(fair), enough);
}

/* A channel's share, per mille of the mean. */
static u64 share_of(struct fair *fair, unsigned int i, u64 mean)
{
	return bench_permille(atomic64_read(&fair->client[i].bytes), mean);
}

static void judge(struct fair *fair)
{
	struct bench *b = fair->b;
	u64 mean = div_u64(total(fair), b->chans), low, high;
	unsigned int i, least = 0, most = 0;

	for (i = 1; i < b->chans; i++) {
		if (share_of(fair, i, mean) < share_of(fair, least, mean))
			least = i;
		if (share_of(fair, i, mean) > share_of(fair, most, mean))
			most = i;
	}
	low = share_of(fair, least, mean);
	high = share_of(fair, most, mean);
	kt_note(b->t, "%u channels: from %llu to %llu per mille of the mean of %llu KiB",
		b->chans, low, high, mean >> 10);
	KT_EXPECT(b->t, low >= 1000 - TOLERANCE, "channel %u has too little, in copies of %zu",
		  least, fair->client[least].len);
	KT_EXPECT(b->t, high <= 1000 + TOLERANCE, "channel %u has too much, in copies of %zu",
		  most, fair->client[most].len);
}

static void be_fair(struct kt *t, const size_t *lens, unsigned int count)
{
	/* Not on the stack: the channels are terminated after this function. */
	static struct fair fair;
	struct bench *b = to_bench(t);
	unsigned int i;

	if (!bench_open(b, BENCH_CHANNELS) || !bench_make_pairs(b, 1, LONGEST))
		return;
	if (b->chans < 2) {
		kt_skip(t, "the provider has one channel");
		return;
	}
	fair.b = b;
	fair.counting = false;
	fair.refused = false;
	for (i = 0; i < b->chans; i++)
		start_client(&fair, i, lens[i % count]);
	for (i = 0; i < b->chans; i++)
		dma_async_issue_pending(b->chan[i]);
	let_run(&fair);
	KT_EXPECT(t, !READ_ONCE(fair.refused), "a copy is refused");
	judge(&fair);
}

void fair_same_size(struct kt *t)
{
	static const size_t lens[] = { SZ_16K };

	be_fair(t, lens, ARRAY_SIZE(lens));
}

/* Some of them don't divide anything that a provider may count in. */
void fair_mixed_sizes(struct kt *t)
{
	static const size_t lens[] = { SZ_4K, 20000, SZ_64K, 5000, 50000, LONGEST };

	be_fair(t, lens, ARRAY_SIZE(lens));
}
