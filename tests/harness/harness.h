/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small test harness. Include it first, write tests, link with harness.c,
 * which has main():
 *
 *	#include "harness.h"
 *
 *	TEST(reading_is_refused)
 *	{
 *		int fd;
 *		char c;
 *
 *		ASSERT_OK(fd = open("/dev/sdma_test", O_RDONLY));
 *		EXPECT_ERRNO(EINVAL, read(fd, &c, 1));
 *	}
 *
 * Every test runs in a process of its own, so a crash, an exit() or a hang
 * fails that test only. What a test writes to stdout or stderr is shown as
 * diagnostics. When a test is over, all processes of its process group are
 * killed. Tests run in the order in which they stand in the file.
 *
 * The program writes KTAP version 1 to stdout. A failed test also shows what
 * the kernel logged while it ran, where /dev/kmsg is readable.
 *
 * Exit status: 0 when every test passed or was skipped, 1 when one failed or
 * there is none, 2 for a wrong command line. "--help" tells the options.
 *
 * Environment: HARNESS_SLOW=N multiplies all timeouts by N.
 */
#ifndef HARNESS_H
#define HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds that a test may take when it does not say otherwise. */
#define HARNESS_TIMEOUT 30

/*
 * TEST(name) { ... }
 * TEST(name, .timeout = SECONDS) { ... }
 */
#define TEST(test, ...)							\
	static void test(void);						\
	static void harness_run_##test(void *data)			\
	{								\
		(void)data;						\
		test();							\
	}								\
	HARNESS_REGISTER(test, #test,					\
		.run = harness_run_##test, __VA_ARGS__)			\
	static void test(void)

/*
 * What several tests need around them:
 *
 *	FIXTURE(dev) { int fd; };
 *	FIXTURE_SETUP(dev) { ASSERT_OK(self->fd = open(...)); }
 *	FIXTURE_TEARDOWN(dev) { close(self->fd); }
 *	TEST_F(dev, name) { EXPECT_OK(write(self->fd, "x", 1)); }
 *
 * *self is zero before the set-up. The teardown runs after every test that
 * did not crash or time out, also when an ASSERT or a SKIP left the set-up or
 * the test early; what it finds wrong fails the test. An ASSERT in the
 * teardown ends the teardown.
 */
#define FIXTURE(fixture) struct fixture##_fixture

#define FIXTURE_SETUP(fixture)						\
	HARNESS_FIXTURE_FUNCTION(fixture, setup)

#define FIXTURE_TEARDOWN(fixture)					\
	HARNESS_FIXTURE_FUNCTION(fixture, teardown)

#define TEST_F(fixture, test, ...)					\
	static void fixture##_##test(struct fixture##_fixture *self);	\
	static void harness_run_##fixture##_##test(void *data)		\
	{								\
		fixture##_##test(data);					\
	}								\
	HARNESS_REGISTER(fixture##_##test, #fixture "." #test,		\
		.run = harness_run_##fixture##_##test,			\
		.setup = harness_##fixture##_setup,			\
		.teardown = harness_##fixture##_teardown,		\
		.size = sizeof(struct fixture##_fixture), __VA_ARGS__)	\
	static void fixture##_##test(					\
		struct fixture##_fixture *self __attribute__((unused)))

/*
 * A failed EXPECT_ fails the test and goes on; a failed ASSERT_ also ends it.
 * Both also work in processes and threads that the test starts: a failure
 * there fails the test, and a failed ASSERT_ there ends that process.
 *
 * Each argument is evaluated once. Integers of any types compare by value,
 * so that -1 is less than 0U; of pointers, void * and char * can be given.
 */
#define EXPECT_EQ(expected, seen) \
	HARNESS_COMPARE(false, EQ, expected, #expected, seen, #seen)
#define EXPECT_NE(expected, seen) \
	HARNESS_COMPARE(false, NE, expected, #expected, seen, #seen)
#define EXPECT_LT(expected, seen) \
	HARNESS_COMPARE(false, LT, expected, #expected, seen, #seen)
#define EXPECT_LE(expected, seen) \
	HARNESS_COMPARE(false, LE, expected, #expected, seen, #seen)
#define EXPECT_GT(expected, seen) \
	HARNESS_COMPARE(false, GT, expected, #expected, seen, #seen)
#define EXPECT_GE(expected, seen) \
	HARNESS_COMPARE(false, GE, expected, #expected, seen, #seen)
#define ASSERT_EQ(expected, seen) \
	HARNESS_COMPARE(true, EQ, expected, #expected, seen, #seen)
#define ASSERT_NE(expected, seen) \
	HARNESS_COMPARE(true, NE, expected, #expected, seen, #seen)
#define ASSERT_LT(expected, seen) \
	HARNESS_COMPARE(true, LT, expected, #expected, seen, #seen)
#define ASSERT_LE(expected, seen) \
	HARNESS_COMPARE(true, LE, expected, #expected, seen, #seen)
#define ASSERT_GT(expected, seen) \
	HARNESS_COMPARE(true, GT, expected, #expected, seen, #seen)
#define ASSERT_GE(expected, seen) \
	HARNESS_COMPARE(true, GE, expected, #expected, seen, #seen)

#define EXPECT_TRUE(seen) harness_true(HARNESS_HERE(false), #seen, !!(seen))
#define ASSERT_TRUE(seen) harness_true(HARNESS_HERE(true), #seen, !!(seen))
#define EXPECT_FALSE(seen) \
	harness_true(HARNESS_HERE(false), "!(" #seen ")", !(seen))
#define ASSERT_FALSE(seen) \
	harness_true(HARNESS_HERE(true), "!(" #seen ")", !(seen))

#define EXPECT_STREQ(expected, seen) \
	harness_streq(HARNESS_HERE(false), #seen, expected, seen)
#define ASSERT_STREQ(expected, seen) \
	harness_streq(HARNESS_HERE(true), #seen, expected, seen)

/* The first @size bytes are the same; the first difference is shown. */
#define EXPECT_MEMEQ(expected, seen, size) \
	harness_memeq(HARNESS_HERE(false), #seen, expected, seen, size)
#define ASSERT_MEMEQ(expected, seen, size) \
	harness_memeq(HARNESS_HERE(true), #seen, expected, seen, size)

/* The call did not return -1 (or MAP_FAILED). */
#define EXPECT_OK(call) HARNESS_ERRNO(false, 0, call, #call)
#define ASSERT_OK(call) HARNESS_ERRNO(true, 0, call, #call)

/* The call returned -1 (or MAP_FAILED) and left this errno. */
#define EXPECT_ERRNO(expected, call) \
	HARNESS_ERRNO(false, expected, call, #call)
#define ASSERT_ERRNO(expected, call) \
	HARNESS_ERRNO(true, expected, call, #call)

/*
 * SKIP("no %s here", what): ends the test, which counts as skipped unless
 * something in it failed.
 */
#define SKIP(...) harness_skip(__VA_ARGS__)

/* ---- what the macros are made of ---- */

struct harness_test {
	const char *name;
	void (*run)(void *data);
	void (*setup)(void *data);
	void (*teardown)(void *data);
	size_t size;
	unsigned int timeout;
	struct harness_test *next;
};

struct harness_where {
	const char *file;
	int line;
	bool fatal;
};

/* An integer or pointer with its sign. */
struct harness_value {
	unsigned long long bits;
	bool negative;
	bool pointer;
};

enum harness_op {
	HARNESS_EQ, HARNESS_NE, HARNESS_LT, HARNESS_LE, HARNESS_GT, HARNESS_GE
};

void harness_register(struct harness_test *test);
void harness_compare(struct harness_where where, enum harness_op op,
		     const char *expected_text, struct harness_value expected,
		     const char *seen_text, struct harness_value seen);
void harness_true(struct harness_where where, const char *text, bool seen);
void harness_streq(struct harness_where where, const char *text,
		   const char *expected, const char *seen);
void harness_memeq(struct harness_where where, const char *text,
		   const void *expected, const void *seen, size_t size);
void harness_errno(struct harness_where where, const char *text, int expected,
		   struct harness_value seen);
void harness_skip(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

static inline struct harness_value harness_signed(long long value)
{
	return (struct harness_value){ .bits = value, .negative = value < 0 };
}

static inline struct harness_value harness_unsigned(unsigned long long value)
{
	return (struct harness_value){ .bits = value };
}

static inline struct harness_value harness_pointer(const volatile void *value)
{
	return (struct harness_value){
		.bits = (uintptr_t)value, .pointer = true,
	};
}

#define HARNESS_VALUE(value) _Generic((value),				\
	_Bool: harness_unsigned, unsigned char: harness_unsigned,	\
	unsigned short: harness_unsigned, unsigned int: harness_unsigned, \
	unsigned long: harness_unsigned,				\
	unsigned long long: harness_unsigned,				\
	void *: harness_pointer, const void *: harness_pointer,		\
	volatile void *: harness_pointer,				\
	char *: harness_pointer, const char *: harness_pointer,		\
	unsigned char *: harness_pointer,				\
	const unsigned char *: harness_pointer,				\
	default: harness_signed)(value)

#define HARNESS_HERE(ends) \
	((struct harness_where){ .file = __FILE__, .line = __LINE__, \
				 .fatal = ends })

/* The texts are made further up, where macros in them are not yet expanded. */
#define HARNESS_COMPARE(fatal, op, expected, expected_text, seen, seen_text) \
	harness_compare(HARNESS_HERE(fatal), HARNESS_##op,		\
			expected_text, HARNESS_VALUE(expected),		\
			seen_text, HARNESS_VALUE(seen))

#define HARNESS_ERRNO(fatal, expected, call, text)			\
	harness_errno(HARNESS_HERE(fatal), text, expected,		\
		      (errno = 0, HARNESS_VALUE(call)))

#define HARNESS_REGISTER(id, shown, ...)				\
	static struct harness_test harness_test_##id = {		\
		.name = shown, __VA_ARGS__				\
	};								\
	__attribute__((constructor)) static void harness_add_##id(void)	\
	{								\
		harness_register(&harness_test_##id);			\
	}

#define HARNESS_FIXTURE_FUNCTION(fixture, step)				\
	static void fixture##_##step(struct fixture##_fixture *self);	\
	static void harness_##fixture##_##step(void *data)		\
	{								\
		fixture##_##step(data);					\
	}								\
	static void fixture##_##step(					\
		struct fixture##_fixture *self __attribute__((unused)))

#endif
