// SPDX-License-Identifier: GPL-2.0-only
/* The control port: the command's output with init's messages in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

void control_init(struct control *ctl, const char *token, int out)
{
	memset(ctl, 0, sizeof(*ctl));
	ctl->out = out;
	ctl->mark[0] = '\0';
	ctl->mark_len = 1 + strlen(token) + 1;
	memcpy(ctl->mark + 1, token, strlen(token));
	ctl->mark[ctl->mark_len - 1] = ' ';
}

/* What comes before the command is noise of the port being set up. That nobody
 * reads our output any more is no reason to stop watching.
 */
static void pass_on(struct control *ctl, const char *data, size_t len)
{
	if (ctl->ready && ctl->out >= 0 && write_all(ctl->out, data, len))
		ctl->out = -1;
}

void control_flush(struct control *ctl)
{
	pass_on(ctl, ctl->held, ctl->held_len);
	ctl->held_len = 0;
}

static void take_message(struct control *ctl, const char *msg)
{
	if (!strcmp(msg, "ready")) {
		ctl->ready = true;
	} else if (!strncmp(msg, "exit ", 5)) {
		ctl->status = (int)strtol(msg + 5, NULL, 10);
		ctl->done = true;
	}
}

/* One byte more of what may be a message. */
static void hold(struct control *ctl, char c)
{
	size_t at = ctl->held_len;

	ctl->held[ctl->held_len++] = c;
	if (at < ctl->mark_len) {
		if (c != ctl->mark[at])
			control_flush(ctl);
		return;
	}
	if (c == '\n') {
		ctl->held[at] = '\0';
		if (at > ctl->mark_len && ctl->held[at - 1] == '\r')
			ctl->held[at - 1] = '\0';
		take_message(ctl, ctl->held + ctl->mark_len);
		ctl->held_len = 0;
	} else if (ctl->held_len == sizeof(ctl->held)) {
		control_flush(ctl);
	}
}

void control_feed(struct control *ctl, const char *data, size_t len)
{
	const char *end = data + len, *nul;

	while (data < end) {
		/* A NUL that ends an attempt may begin the real one. */
		if (ctl->held_len > 0 && !(*data == '\0' && ctl->held_len < ctl->mark_len)) {
			hold(ctl, *data++);
			continue;
		}
		control_flush(ctl);
		nul = memchr(data, '\0', end - data);
		if (!nul)
			nul = end;
		pass_on(ctl, data, nul - data);
		data = nul;
		if (data < end)
			hold(ctl, *data++);
	}
}
