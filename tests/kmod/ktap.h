/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests inside of the kernel: a module with a table of cases, whose results
 * are read as KTAP from debugfs.
 *
 *	static void copies(struct kt *t)
 *	{
 *		KT_EXPECT_EQ(t, 4, copy(src, dst, 4));
 *		KT_EXPECT(t, src != dst, "src %p", src);
 *	}
 *
 *	static const struct kt_case cases[] = { KT_CASE(copies) };
 *	static const struct kt_suite suite = {
 *		.name = KBUILD_MODNAME, .cases = cases,
 *		.count = ARRAY_SIZE(cases),
 *	};
 *	static struct kt kt;
 *	init: return kt_register(&kt, &suite);   exit: kt_unregister(&kt);
 *
 * and in the shell:
 *
 *	echo 'only=copies' > /sys/kernel/debug/NAME/run
 *	cat /sys/kernel/debug/NAME/results
 *
 * Writing to "run" runs the cases in the order of the table and returns when
 * they are done; what is written are the arguments, words of the form
 * KEY=VALUE. "only=TEXT" is known everywhere: only the cases run whose name
 * contains TEXT. A signal ends the run after the case that it finds, with
 * EINTR; the cases that did not run are then missing in the results. Results
 * can be read while the tests run. They stay until the next run.
 *
 * A case fails when one of its expectations does, and when it has none. A
 * failed expectation does not end the case; each gives back whether it held,
 * so that a case can leave when going on makes no sense:
 *
 *	if (!KT_EXPECT_EQ(t, 0, err))
 *		return;
 *
 * Everything below that takes a struct kt may be called in any context, from
 * several at once, until the case has returned.
 */
#ifndef KTAP_H
#define KTAP_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

/* What a case says has this much room, and what is said about it so much. */
#define KT_CASE_ROOM	8192
#define KT_OWN_ROOM	1024
#define KT_REASON	160
#define KT_ARGS		512

struct kt;

struct kt_case {
	const char *name;
	void (*run)(struct kt *t);
};

#define KT_CASE(function) { .name = #function, .run = (function) }

/*
 * The hooks may be NULL. start and finish are called once in a run, before the
 * first and after the last case: when start returns an error, the write to
 * "run" gives it and nothing else happens. before and after are called around
 * each case; what they expect counts for the case. When before gives a
 * negative error code, the case itself does not run and fails, unless before
 * called kt_skip(); after is called in any case.
 */
struct kt_suite {
	const char *name;
	const struct kt_case *cases;
	unsigned int count;
	int (*start)(struct kt *t);
	void (*finish)(struct kt *t);
	int (*before)(struct kt *t);
	void (*after)(struct kt *t);
};

struct kt {
	const struct kt_suite *suite;
	struct dentry *dir;

	/* Held by the one run that there is at a time. */
	struct mutex run_lock;
	/* Written by the run only: */
	char args[KT_ARGS];
	void *data;			/* the suite's own */

	/*
	 * The results. Text is appended under @lock, and what stands there does
	 * not change; @text itself is moved under @grow_lock and @lock.
	 */
	struct mutex grow_lock;
	spinlock_t lock;		/* protects all below */
	char *text;
	size_t size;
	size_t len;

	/* Of the case that runs: */
	size_t limit;			/* what the case says ends here */
	unsigned int failures;
	unsigned int lost;		/* messages that found no room */
	bool skipped;
	char reason[KT_REASON];
	atomic_t checks;		/* without the lock */
};

/* ---- what a case uses ---- */

/*
 * KT_EXPECT(t, condition) or KT_EXPECT(t, condition, "format", ...): true if
 * the condition holds; if not, the case has failed, and the condition is shown
 * with its place and the message.
 */
#define KT_EXPECT(t, condition, ...)					\
	kt_check(t, !!(condition), __FILE__, __LINE__, #condition, ": " __VA_ARGS__)

/* Integers of any types, compared by value. */
#define KT_EXPECT_EQ(t, expected, seen)					\
	kt_check_eq(t, expected, seen, __FILE__, __LINE__, #seen)

/* Fails the case. */
#define KT_FAIL(t, format, ...)						\
	kt_check(t, false, __FILE__, __LINE__, "", format, ##__VA_ARGS__)

/*
 * Says that the case does not apply, and why; it then returns. A case that
 * failed counts as failed all the same. The first reason is the one shown.
 */
__printf(2, 3) static inline void kt_skip(struct kt *t, const char *format, ...);

/* Says something beside the results. */
__printf(2, 3) static inline void kt_note(struct kt *t, const char *format, ...);

/* The case failed or was skipped already, or a signal came: don't go on. */
static inline bool kt_over(struct kt *t);

/*
 * Copies the value of the argument @key of this run to @value and returns its
 * length, -ENOENT if it was not given, -E2BIG if there is no room.
 */
static inline int kt_arg(struct kt *t, const char *key, char *value, size_t size);

/* ---- what a module uses ---- */

/* Makes the files. @suite and @t stay where they are until kt_unregister(). */
static inline int kt_register(struct kt *t, const struct kt_suite *suite);

/* Removes them; waits for a run or a reader that is on its way. */
static inline void kt_unregister(struct kt *t);

/* ---- the results' text ---- */

/* Appends to @t->text what fits as a whole into @limit bytes of it. */
__printf(3, 0)
static inline bool kt_append(struct kt *t, size_t limit, const char *format, va_list args)
{
	size_t room = limit - min(limit, t->len);
	int n;

	lockdep_assert_held(&t->lock);
	n = vsnprintf(t->text + t->len, room, format, args);
	if ((size_t)n >= room)
		return false;
	t->len += n;
	return true;
}

/* For the run's own lines, for which kt_reserve() leaves room. */
__printf(2, 3) static inline void kt_print(struct kt *t, const char *format, ...)
{
	va_list args;

	lockdep_assert_held(&t->lock);
	va_start(args, format);
	WARN_ON_ONCE(!kt_append(t, t->size, format, args));
	va_end(args);
}

/* A case's lines; those that find no room are counted. */
__printf(2, 3) static inline void kt_say(struct kt *t, const char *format, ...)
{
	va_list args;

	lockdep_assert_held(&t->lock);
	va_start(args, format);
	if (!kt_append(t, t->limit, format, args))
		t->lost++;
	va_end(args);
}

/* Makes room for the next case. */
static inline int kt_reserve(struct kt *t)
{
	size_t need = t->len + KT_CASE_ROOM + KT_OWN_ROOM;
	size_t size = max(2 * t->size, need);
	char *text;

	if (need <= t->size)
		return 0;
	text = vmalloc(size);
	if (!text)
		return -ENOMEM;
	mutex_lock(&t->grow_lock);
	spin_lock_irq(&t->lock);
	if (t->len)
		memcpy(text, t->text, t->len);
	swap(text, t->text);
	t->size = size;
	spin_unlock_irq(&t->lock);
	mutex_unlock(&t->grow_lock);
	vfree(text);
	return 0;
}

/* ---- expectations ---- */

__printf(6, 7) static inline bool kt_check(struct kt *t, bool good, const char *file, int line,
					   const char *condition, const char *format, ...)
{
	struct va_format message = { .fmt = format };
	unsigned long flags;
	va_list args;

	atomic_inc(&t->checks);
	if (good)
		return true;
	va_start(args, format);
	message.va = &args;
	spin_lock_irqsave(&t->lock, flags);
	t->failures++;
	kt_say(t, "# %s:%d: %s%pV\n", kbasename(file), line, condition, &message);
	spin_unlock_irqrestore(&t->lock, flags);
	va_end(args);
	return false;
}

/* A value with its sign, which two types together would lose. */
struct kt_value {
	u64 bits;
	bool negative;
};

#define KT_VALUE(x)							\
({									\
	typeof(x) kt_x = (x);						\
	/* In two steps, since "unsigned < 0" is warned of. */		\
	(struct kt_value){						\
		.bits = (u64)kt_x,					\
		.negative = !(kt_x > 0) && kt_x != 0,			\
	};								\
})

#define kt_check_eq(t, expected, seen, file, line, text)		\
	kt_check_values(t, KT_VALUE(expected), KT_VALUE(seen), file, line, text)

static inline bool kt_check_values(struct kt *t, struct kt_value expected, struct kt_value seen,
				   const char *file, int line, const char *text)
{
	bool same = expected.bits == seen.bits && expected.negative == seen.negative;
	const char *format = ": expected %llu (%#llx), but it is %llu (%#llx)";

	/* Small negative numbers are error codes; others are rather addresses. */
	if (expected.negative && seen.negative)
		format = ": expected %lld (%#llx), but it is %lld (%#llx)";
	else if (expected.negative)
		format = ": expected %lld (%#llx), but it is %llu (%#llx)";
	else if (seen.negative)
		format = ": expected %llu (%#llx), but it is %lld (%#llx)";
	return kt_check(t, same, file, line, text, format, expected.bits, expected.bits,
			seen.bits, seen.bits);
}

static inline void kt_skip(struct kt *t, const char *format, ...)
{
	unsigned long flags;
	va_list args;

	va_start(args, format);
	spin_lock_irqsave(&t->lock, flags);
	if (!t->skipped)
		vscnprintf(t->reason, sizeof(t->reason), format, args);
	t->skipped = true;
	spin_unlock_irqrestore(&t->lock, flags);
	va_end(args);
}

static inline void kt_note(struct kt *t, const char *format, ...)
{
	struct va_format message = { .fmt = format };
	unsigned long flags;
	va_list args;

	va_start(args, format);
	message.va = &args;
	spin_lock_irqsave(&t->lock, flags);
	kt_say(t, "# %pV\n", &message);
	spin_unlock_irqrestore(&t->lock, flags);
	va_end(args);
}

static inline bool kt_over(struct kt *t)
{
	unsigned long flags;
	bool over;

	spin_lock_irqsave(&t->lock, flags);
	over = t->failures || t->skipped;
	spin_unlock_irqrestore(&t->lock, flags);
	return over || signal_pending(current);
}

/* ---- a run ---- */

static inline int kt_arg(struct kt *t, const char *key, char *value, size_t size)
{
	const char *word = t->args;
	size_t keylen = strlen(key), len;

	for (; *word; word += len) {
		word = skip_spaces(word);
		len = strcspn(word, " \t\n");
		if (len <= keylen || strncmp(word, key, keylen) || word[keylen] != '=')
			continue;
		if (len - keylen > size)
			return -E2BIG;
		strscpy(value, word + keylen + 1, len - keylen);
		return len - keylen - 1;
	}
	return -ENOENT;
}

static inline bool kt_selected(const struct kt_case *one, const char *only)
{
	return strstr(one->name, only);
}

static inline void kt_begin_case(struct kt *t)
{
	spin_lock_irq(&t->lock);
	t->limit = t->len + KT_CASE_ROOM;
	t->failures = 0;
	t->lost = 0;
	t->skipped = false;
	atomic_set(&t->checks, 0);
	spin_unlock_irq(&t->lock);
}

static inline void kt_end_case(struct kt *t, unsigned int number, const char *name, s64 ms)
{
	spin_lock_irq(&t->lock);
	if (t->lost)
		kt_print(t, "# and %u more\n", t->lost);
	kt_print(t, "# %lld ms\n", ms);
	if (!t->failures && !t->skipped && !atomic_read(&t->checks)) {
		kt_print(t, "# nothing was checked\n");
		t->failures++;
	}
	if (t->failures)
		kt_print(t, "not ok %u %s\n", number, name);
	else if (t->skipped)
		kt_print(t, "ok %u %s # SKIP %s\n", number, name, t->reason);
	else
		kt_print(t, "ok %u %s\n", number, name);
	spin_unlock_irq(&t->lock);
}

static inline void kt_run_case(struct kt *t, unsigned int number, const struct kt_case *one)
{
	const struct kt_suite *suite = t->suite;
	ktime_t start = ktime_get();
	int err = 0;

	kt_begin_case(t);
	if (suite->before)
		err = suite->before(t);
	if (!err)
		one->run(t);
	else if (!t->skipped)
		KT_FAIL(t, "could not be prepared: %d", err);
	if (suite->after)
		suite->after(t);
	kt_end_case(t, number, one->name, ktime_ms_delta(ktime_get(), start));
}

static inline int kt_begin_run(struct kt *t, const char *only)
{
	unsigned int count = 0, i;
	int err;

	for (i = 0; i < t->suite->count; i++)
		count += kt_selected(&t->suite->cases[i], only);
	spin_lock_irq(&t->lock);
	t->len = 0;
	spin_unlock_irq(&t->lock);
	err = kt_reserve(t);
	if (err)
		return err;
	spin_lock_irq(&t->lock);
	kt_print(t, "KTAP version 1\n1..%u\n", count);
	t->limit = t->len + KT_CASE_ROOM;
	spin_unlock_irq(&t->lock);
	return 0;
}

static inline int kt_run_cases(struct kt *t, const char *only)
{
	unsigned int number = 0, i;
	int err;

	for (i = 0; i < t->suite->count; i++) {
		if (!kt_selected(&t->suite->cases[i], only))
			continue;
		err = signal_pending(current) ? -EINTR : kt_reserve(t);
		if (err)
			return err;
		kt_run_case(t, ++number, &t->suite->cases[i]);
		cond_resched();
	}
	return 0;
}

static inline int kt_run(struct kt *t)
{
	char only[64] = "";
	int err;

	lockdep_assert_held(&t->run_lock);
	err = kt_arg(t, "only", only, sizeof(only));
	if (err == -E2BIG)
		return err;
	err = kt_begin_run(t, only);
	if (err)
		return err;
	if (t->suite->start)
		err = t->suite->start(t);
	if (err) {
		kt_note(t, "the run could not be started: %d", err);
		return err;
	}
	err = kt_run_cases(t, only);
	if (t->suite->finish)
		t->suite->finish(t);
	return err;
}

/* ---- files ---- */

static inline ssize_t kt_write_run(struct file *file, const char __user *from, size_t size,
				   loff_t *pos)
{
	struct kt *t = file->private_data;
	int err;

	if (size >= sizeof(t->args))
		return -E2BIG;
	if (mutex_lock_interruptible(&t->run_lock))
		return -EINTR;
	memset(t->args, 0, sizeof(t->args));
	err = copy_from_user(t->args, from, size) ? -EFAULT : kt_run(t);
	mutex_unlock(&t->run_lock);
	return err ?: size;
}

/* What is there does not change, so only its place needs to be held. */
static inline ssize_t kt_read_results(struct file *file, char __user *to, size_t size,
				      loff_t *pos)
{
	struct kt *t = file->private_data;
	ssize_t n;
	size_t len;

	if (mutex_lock_interruptible(&t->grow_lock))
		return -EINTR;
	spin_lock_irq(&t->lock);
	len = t->len;
	spin_unlock_irq(&t->lock);
	n = simple_read_from_buffer(to, size, pos, t->text, len);
	mutex_unlock(&t->grow_lock);
	return n;
}

static const struct file_operations kt_run_fops __maybe_unused = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = kt_write_run,
	.llseek = noop_llseek,
};

static const struct file_operations kt_results_fops __maybe_unused = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = kt_read_results,
	.llseek = default_llseek,
};

static inline int kt_register(struct kt *t, const struct kt_suite *suite)
{
	t->suite = suite;
	mutex_init(&t->run_lock);
	mutex_init(&t->grow_lock);
	spin_lock_init(&t->lock);
	t->dir = debugfs_create_dir(suite->name, NULL);
	if (IS_ERR(t->dir))
		return PTR_ERR(t->dir);
	debugfs_create_file("run", 0200, t->dir, t, &kt_run_fops);
	debugfs_create_file("results", 0400, t->dir, t, &kt_results_fops);
	return 0;
}

static inline void kt_unregister(struct kt *t)
{
	debugfs_remove(t->dir);
	vfree(t->text);
	t->text = NULL;
}

#endif
