// SPDX-License-Identifier: GPL-2.0-only
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_temp(struct target *target, mode_t mode)
{
	static const char suffix[] = ".dmafd-XXXXXX";

	if (snprintf(target->temp, sizeof(target->temp), "%s%s", target->path, suffix) >=
	    (int)sizeof(target->temp)) {
		*target->temp = '\0';
		errno = ENAMETOOLONG;
		return failed("%s", target->path);
	}
	target->fd = mkostemp(target->temp, O_CLOEXEC);
	if (target->fd < 0) {
		*target->temp = '\0';
		return failed("%s", target->path);
	}
	return fchmod(target->fd, mode) ? failed("%s", target->path) : STATUS_FINE;
}

/* What is no regular file keeps its place. */
static int open_in_place(struct target *target, const struct stat *st)
{
	bool block = S_ISBLK(st->st_mode);

	if (S_ISDIR(st->st_mode)) {
		errno = EISDIR;
		return failed("%s", target->path);
	}
	target->stream = !block;
	target->fd = open(target->path, (block ? O_RDWR : O_WRONLY) | O_CLOEXEC);
	return target->fd < 0 ? failed("%s", target->path) : STATUS_FINE;
}

static mode_t new_mode(mode_t mode)
{
	mode_t mask = umask(0);

	umask(mask);
	return mode & 0777 & ~mask;
}

/* A link stays, and what it leads to is replaced. */
static void follow(struct target *target)
{
	char *real = realpath(target->path, NULL);

	if (real)
		snprintf(target->path, sizeof(target->path), "%s", real);
	free(real);
}

int target_open(struct target *target, const char *path, mode_t mode, const struct stat *source)
{
	struct stat st;

	*target = (struct target){ .fd = -1 };
	if (!strcmp(path, "-")) {
		target->fd = STDOUT_FILENO;
		target->stream = true;
		snprintf(target->path, sizeof(target->path), "standard output");
		return STATUS_FINE;
	}
	if (snprintf(target->path, sizeof(target->path), "%s", path) >=
	    (int)sizeof(target->path)) {
		errno = ENAMETOOLONG;
		return failed("%s", path);
	}
	if (stat(path, &st))
		return errno == ENOENT ? open_temp(target, new_mode(mode)) : failed("%s", path);
	if (source && st.st_dev == source->st_dev && st.st_ino == source->st_ino) {
		complain("%s would be copied to itself", path);
		return STATUS_FAILED;
	}
	if (!S_ISREG(st.st_mode))
		return open_in_place(target, &st);
	/* Replacing a file needs no permission on it, so that is asked for. */
	if (access(path, W_OK))
		return failed("%s", path);
	follow(target);
	return open_temp(target, st.st_mode & 07777);
}

int target_commit(struct target *target)
{
	if (target->stream)
		return STATUS_FINE;
	if (fsync(target->fd))
		return failed("%s", target->path);
	if (!*target->temp)
		return STATUS_FINE;
	if (rename(target->temp, target->path))
		return failed("%s", target->path);
	*target->temp = '\0';
	return STATUS_FINE;
}

void target_close(struct target *target)
{
	if (*target->temp)
		unlink(target->temp);
	*target->temp = '\0';
	if (target->fd > STDERR_FILENO)
		close(target->fd);
	target->fd = -1;
}

ssize_t read_all(int fd, void *ptr, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, (char *)ptr + done, size - done);
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

int write_all(int fd, const void *ptr, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(fd, ptr, size);
		if (n < 0)
			return -1;
		ptr = (const char *)ptr + n;
		size -= n;
	}
	return 0;
}
