// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs programs of random calls, and looks whether what they leave is nothing. Those
 * that led the driver somewhere new are changed further.
 *
 * FUZZ_SECONDS, FUZZ_SEED, FUZZ_PRINT and FUZZ_TRACE: see tests/README.md.
 */
#include "calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CORPUS		"tests/fuzz/corpus"
#define KCOV		"/sys/kernel/debug/kcov"
#define MAX_CORPUS	2048
#define TRACE_SIZE	(256 * 1024)
#define PLACES		0x100000
/* A process runs so many programs. */
#define AT_ONCE		100
#define DEFAULT_SECONDS	120

/* Of all processes, of which one runs at a time. */
struct shared {
	struct program corpus[MAX_CORPUS];
	unsigned int count, given;	/* the first of them came from files */
	unsigned char seen[PLACES];
	unsigned int places;
	uint64_t random;
	unsigned int runs, stuck;
};

static struct shared *shared;
static uint64_t *trace;

#define BENCH_OF(fixture, _view)							\
	static const struct bench_plan fixture##_plan = {				\
		.view = _view, .options = "bandwidth=50000000 descriptors=40",		\
		.loop = "", .source = "kind=source rate=1000000", .sink = "kind=sink",	\
		.width = 4, .burst = 4,							\
	};										\
	FIXTURE(fixture) { struct bench bench; };					\
	FIXTURE_SETUP(fixture) { bench_up(&self->bench, &fixture##_plan); }		\
	FIXTURE_TEARDOWN(fixture) { bench_down(&self->bench); }

BENCH_OF(flat, "flat")
BENCH_OF(iommu, "iommu")
BENCH_OF(noncoherent, "noncoherent")

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

/* ---- programs as text ---- */

static bool parse(const char *text, struct program *program)
{
	unsigned int byte;
	int n;

	program->len = 0;
	while (program->len < PROGRAM_MAX && sscanf(text, "%2x%n", &byte, &n) == 1) {
		program->byte[program->len++] = byte;
		text += n;
	}
	return program->len;
}

static void print(char *text, const struct program *program, unsigned int from, unsigned int to)
{
	*text = '\0';
	for (; from < to && from < program->len; from++)
		text += sprintf(text, "%02x", program->byte[from]);
}

/* To the kernel's log, which is kept when the kernel stops. */
static void log_program(const struct program *program)
{
	char text[2 * 256 + 1];
	unsigned int at;
	int fd;

	if (!number_of("FUZZ_TRACE", 0))
		return;
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	for (at = 0; at < program->len; at += 256) {
		print(text, program, at, at + 256);
		dprintf(fd, "fuzz%s %s\n", at ? "+" : ":", text);
	}
	close(fd);
}

static void load_file(const char *name)
{
	static char line[2 * PROGRAM_MAX + 2];
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), CORPUS "/%s", name);
	ASSERT_TRUE(file = fopen(path, "r"));
	while (fgets(line, sizeof(line), file)) {
		ASSERT_LT(shared->count, MAX_CORPUS);
		if (*line != '#' && parse(line, &shared->corpus[shared->count]))
			shared->count++;
	}
	fclose(file);
}

static void load_corpus(void)
{
	struct dirent *entry;
	DIR *folder;

	ASSERT_TRUE(folder = opendir(CORPUS));
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			load_file(entry->d_name);
	closedir(folder);
	shared->given = shared->count;
	ASSERT_GT(shared->count, 0);
}

/* ---- coverage ---- */

static void cover_begin(void)
{
	int fd = open(KCOV, O_RDWR | O_CLOEXEC);
	void *ptr;

	trace = NULL;
	if (fd < 0)
		return;
	ASSERT_OK(ioctl(fd, KCOV_INIT_TRACE, TRACE_SIZE));
	ASSERT_OK(ptr = mmap(NULL, TRACE_SIZE * sizeof(*trace), PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, 0));
	trace = ptr;
	ASSERT_OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
}

/* How many places are new. */
static unsigned int cover_look(void)
{
	unsigned int news = 0;
	uint64_t i, place;

	for (i = 1; trace && i <= trace[0]; i++) {
		place = trace[i] * 0x9e3779b97f4a7c15 >> 44;
		news += !shared->seen[place];
		shared->seen[place] = 1;
	}
	shared->places += news;
	return news;
}

/* ---- mutations ---- */

static unsigned int below(unsigned int limit)
{
	shared->random ^= shared->random << 13;
	shared->random ^= shared->random >> 7;
	shared->random ^= shared->random << 17;
	return (shared->random >> 20) % limit;
}

static void remove_bytes(struct program *program, unsigned int at, unsigned int count)
{
	if (at + count > program->len)
		count = program->len - at;
	memmove(program->byte + at, program->byte + at + count, program->len - at - count);
	program->len -= count;
}

static void insert_bytes(struct program *program, unsigned int at, const unsigned char *bytes,
			 unsigned int count)
{
	if (program->len + count > PROGRAM_MAX)
		return;
	memmove(program->byte + at + count, program->byte + at, program->len - at);
	memcpy(program->byte + at, bytes, count);
	program->len += count;
}

static void cross(struct program *program, unsigned int at)
{
	const struct program *other = &shared->corpus[below(shared->count)];
	unsigned int from = below(other->len), count = 1 + below(other->len - from);

	insert_bytes(program, at, other->byte + from, count);
}

static void mutate(struct program *program)
{
	unsigned int at = below(program->len ?: 1), i;
	unsigned char some[8];

	for (i = 0; i < sizeof(some); i++)
		some[i] = below(256);
	switch (below(6)) {
	case 0:
		program->byte[at] = some[0];
		break;
	case 1:
		program->byte[at] ^= 1 << below(8);
		break;
	case 2:
		insert_bytes(program, at, some, 1 + below(8));
		break;
	case 3:
		remove_bytes(program, at, 1 + below(16));
		break;
	default:
		cross(program, at);
	}
	if (!program->len)
		program->byte[program->len++] = some[0];
}

static void invent(struct program *program)
{
	unsigned int i;

	if (below(10)) {
		*program = shared->corpus[below(shared->count)];
		for (i = 1 + below(4); i; i--)
			mutate(program);
		return;
	}
	program->len = 1 + below(PROGRAM_MAX / 2);
	for (i = 0; i < program->len; i++)
		program->byte[i] = below(256);
}

/* ---- processes ---- */

static void do_nothing(int signal)
{
	(void)signal;
}

/* Whatever a call waits for, it is interrupted. */
static void interrupt_often(void)
{
	unsigned int ms = slow_ms(25);
	struct itimerval often = {
		.it_interval = { ms / 1000, ms % 1000 * 1000 },
		.it_value = { ms / 1000, ms % 1000 * 1000 },
	};

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = do_nothing }, NULL);
	ASSERT_OK(setitimer(ITIMER_REAL, &often, NULL));
}

static void run_one(const struct bench *bench, const struct program *program)
{
	log_program(program);
	if (trace)
		trace[0] = 0;
	program_run(program, bench);
	shared->runs++;
}

static void replay(const struct bench *bench, uint64_t until)
{
	unsigned int i, from = shared->runs % shared->given;

	(void)until;
	for (i = from; i < shared->given; i++) {
		run_one(bench, &shared->corpus[i]);
		cover_look();
	}
}

static void explore(const struct bench *bench, uint64_t until)
{
	struct program program;
	unsigned int i;

	for (i = 0; i < AT_ONCE && now_ns() < until; i++) {
		invent(&program);
		run_one(bench, &program);
		if (cover_look() && shared->count < MAX_CORPUS)
			shared->corpus[shared->count++] = program;
	}
}

/* Waits, as long as it goes on; what stands still is killed, and must die. */
static void attend(pid_t pid)
{
	unsigned int runs = shared->runs, waited = 0;
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		sleep_ms(10);
		waited = runs == shared->runs ? waited + 10 : 0;
		runs = shared->runs;
		if (waited == slow_ms(5000)) {
			shared->stuck++;
			/* It is not run again. */
			shared->runs++;
			runs++;
			kill(pid, SIGKILL);
		}
		ASSERT_LT(waited, slow_ms(15000));
	}
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		ASSERT_EQ(0, status);
}

static void live_again(void)
{
	static const char * const ports[] = { "loop:tx", "loop:rx", "source", "sink" };
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (*port_get(ports[i], "live") == '0')
			ASSERT_OK(port_set(ports[i], "live", "1"));
}

static void in_process(struct bench *bench, void (*function)(const struct bench *, uint64_t),
		       uint64_t until)
{
	long before = pins();
	unsigned int waited;
	pid_t pid;

	ASSERT_OK(pid = fork());
	if (!pid) {
		cover_begin();
		interrupt_often();
		function(bench, until);
		_exit(0);
	}
	attend(pid);
	for (waited = 0; waited < slow_ms(3000) && pins() != before; waited += 10)
		sleep_ms(10);
	ASSERT_EQ(before, pins());
	/* All that it closed can be had. */
	put_text(BENCH "/inject", "off");
	live_again();
	bench_close(bench, bench_open(bench, "sink"));
}

static void begin(void)
{
	void *ptr;

	ASSERT_OK(ptr = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	shared = ptr;
	shared->random = number_of("FUZZ_SEED", time(NULL)) * 2 + 1;
	load_corpus();
	if (!number_of("FUZZ_TRACE", 0))
		return;
	put_text("/proc/sys/kernel/printk_devkmsg", "on");
}

static void replay_all(struct bench *bench)
{
	begin();
	while (shared->runs < shared->given)
		in_process(bench, replay, 0);
	EXPECT_EQ(0, shared->stuck);
}

TEST_F(flat, corpus, .timeout = 120) { replay_all(&self->bench); }
TEST_F(iommu, corpus, .timeout = 120) { replay_all(&self->bench); }
TEST_F(noncoherent, corpus, .timeout = 120) { replay_all(&self->bench); }

static void tell(void)
{
	char text[2 * PROGRAM_MAX + 1];
	unsigned int i;

	printf("%u programs, %u of them new, led to %u places; %u were stopped\n", shared->runs,
	       shared->count - shared->given, shared->places, shared->stuck);
	for (i = shared->given; i < shared->count && number_of("FUZZ_PRINT", 0); i++) {
		print(text, &shared->corpus[i], 0, PROGRAM_MAX);
		printf("program %s\n", text);
	}
}

static void fuzz(struct bench *bench)
{
	unsigned long seconds = number_of("FUZZ_SECONDS", access(KCOV, F_OK) ? 0 : DEFAULT_SECONDS);
	uint64_t until = now_ns() + seconds * 1000000000 / 3;

	if (!seconds)
		SKIP("FUZZ_SECONDS is not set");
	begin();
	printf("FUZZ_SEED=%llu\n", (unsigned long long)shared->random / 2);
	/* What they lead to is known. */
	in_process(bench, replay, 0);
	while (now_ns() < until)
		in_process(bench, explore, until);
	tell();
}

TEST_F(flat, fuzz, .timeout = 3600) { fuzz(&self->bench); }
TEST_F(iommu, fuzz, .timeout = 3600) { fuzz(&self->bench); }
TEST_F(noncoherent, fuzz, .timeout = 3600) { fuzz(&self->bench); }
