// SPDX-License-Identifier: GPL-2.0-only
/* Tests that end in every way a test can end; tests/harness/check reads it. */
#include "harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(passes)
{
	unsigned int large = ~0U;
	const char *text = "abc";
	char same[] = "abc";

	EXPECT_EQ(3, strlen(text));
	EXPECT_NE(-1, large);
	EXPECT_LT(-1, 0U);
	EXPECT_LE((signed char)-1, -1LL);
	EXPECT_GT(large, -1);
	EXPECT_GE((unsigned char)7, 7UL);
	EXPECT_TRUE(text != same);
	EXPECT_FALSE(text == same);
	EXPECT_NE(text, same);
	EXPECT_STREQ(text, same);
	EXPECT_MEMEQ(text, same, 4);
	EXPECT_OK(getppid());
	EXPECT_ERRNO(EBADF, close(-1));
	EXPECT_ERRNO(EBADF, mmap(NULL, 4096, PROT_READ, MAP_SHARED, -1, 0));
}

TEST(expect_goes_on)
{
	EXPECT_EQ(1, 2);
	printf("after EXPECT\n");
}

TEST(assert_ends)
{
	ASSERT_EQ(-1, 2U);
	printf("after ASSERT\n");
}

TEST(streq_fails)
{
	EXPECT_STREQ("abc", "abd");
}

TEST(memeq_fails)
{
	EXPECT_MEMEQ("abcd", "abXY", 4);
}

TEST(errno_differs)
{
	EXPECT_ERRNO(EINVAL, close(-1));
}

TEST(errno_but_success)
{
	EXPECT_ERRNO(EINVAL, getppid() * 0 + 7);
}

TEST(ok_but_errno)
{
	EXPECT_OK(close(-1));
}

TEST(crashes)
{
	printf("no newline before the crash");
	fflush(stdout);
	raise(SIGSEGV);
}

TEST(exits)
{
	exit(0);
}

TEST(times_out, .timeout = 1)
{
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
}

TEST(writes_for_ever, .timeout = 1)
{
	for (;;)
		usleep(printf("again and again\n"));
}

TEST(skips)
{
	SKIP("no %s here", "hardware");
}

TEST(skip_after_failure)
{
	EXPECT_TRUE(false);
	SKIP("too late");
}

TEST(failure_in_child)
{
	pid_t pid = fork();

	if (pid == 0) {
		ASSERT_EQ(1, 2);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

TEST(child_returns)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		return;
	waitpid(pid, &status, 0);
	EXPECT_EQ(1, WEXITSTATUS(status));
}

static void *failing_thread(void *data)
{
	EXPECT_EQ(1, 2);
	return data;
}

TEST(failure_in_thread)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, failing_thread, NULL));
	pthread_join(thread, NULL);
}

/* It holds the output open and would outlive the test. */
TEST(leaves_a_process)
{
	if (fork() == 0)
		for (;;)
			pause();
}

TEST(looks_like_a_result)
{
	printf("ok 1 passes\nnot ok 2 nothing\n1..1\n\nKTAP version 1\n");
}

FIXTURE(fix) {
	int set;
};

FIXTURE_SETUP(fix)
{
	EXPECT_EQ(0, self->set);
	self->set = 1;
}

FIXTURE_TEARDOWN(fix)
{
	printf("teardown %d\n", self->set);
	ASSERT_NE(3, self->set);
}

TEST_F(fix, passes)
{
	EXPECT_EQ(1, self->set);
}

TEST_F(fix, assert_ends)
{
	self->set = 2;
	ASSERT_TRUE(false);
}

TEST_F(fix, teardown_fails)
{
	self->set = 3;
}

TEST_F(fix, skips)
{
	self->set = 4;
	SKIP("nothing to do");
}
