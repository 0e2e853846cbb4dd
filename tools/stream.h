/* SPDX-License-Identifier: GPL-2.0-only */
/* What record and play share: a port, and a ring of memory. */
#ifndef TOOLS_STREAM_H
#define TOOLS_STREAM_H

#include "common.h"

struct stream_config {
	uint64_t duration_ms, bytes, period, periods;
	uint64_t timeout_ms;	/* 0: never; UINT64_MAX: not set */
};

/* How long a wait is at most, in ms: a signal may come just before it begins. */
#define LOOK_MS 200

extern struct stream_config stream_config;
extern const struct tool_option stream_options[];

/* For the options above. Returns an exit status. */
int stream_set(int letter, const char *value);

struct stream {
	struct dmafd_ctx *ctx;
	struct dmafd_chan *chan;
	struct dmafd_chan_attr attr;
	struct dmafd_buf *ring;
	unsigned char *memory;
	uint64_t size;		/* of the ring */
	uint64_t until;		/* time that it ends, or UINT64_MAX */
	uint64_t bytes;		/* that were moved, in whole periods until it is over */
	uint32_t overruns;
	uint64_t position;	/* bytes moved when that was last asked, not only whole periods */
	uint64_t moved_ns;	/* when it was seen to be another */
	bool over;		/* no record will come any more */
};

/* @flag: DMAFD_ATTR_TX or DMAFD_ATTR_RX: what the port must be for. @access: of the ring. */
int stream_open(struct stream *stream, const char *port, uint32_t flag, unsigned int access);
int stream_start(struct stream *stream);
/*
 * Waits a moment for the device; "bytes", "overruns" and "position" may have grown. It fails when
 * the device was silent for too long.
 */
int stream_wait(struct stream *stream);
/* Whether it is to end now. */
bool stream_is_over(const struct stream *stream);
/* Stops the device; the last result is taken. Returns @status, or else how that failed. */
int stream_stop(struct stream *stream, int status);
void stream_close(struct stream *stream);

#endif
