/* Sinks here are pipes and temporary files; log_stop() is what a test waits for, never a clock. */
#include "shared/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/log_limit.h"
#include "tests/unit/unit.h"

enum { MANY = 2000, THREADS = 8, ROUNDS = 5, EACH = 40 };

static int
temporary(void)
{
	char name[] = "/tmp/test_log_XXXXXX";
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	(void)unlink(name);
	return fd;
}

/* The whole content of the file, with a NUL behind it. */
static char *
content(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)len + 1);

	ck_assert_int_eq(pread(fd, text, (size_t)len, 0), len);
	text[len] = '\0';
	return text;
}

static unsigned
lines_with(int fd, const char *what)
{
	char *text = content(fd);
	unsigned count = 0;

	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		count += strstr(line, what) != NULL;
	}
	free(text);
	return count;
}

static void
start(void)
{
	struct err e = {0};

	ck_assert_msg(log_start(&e), "%s", e.text);
}

START_TEST(nothing_is_written_before_a_sink_is_there)
{
	ck_assert(!log_wants(LEVEL_ERROR));
	LOG(ERROR, "nobody.listens");
	ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(levels_below_the_least_are_not_written)
{
	int fd = temporary();
	enum log_level level = LEVEL_DEBUG;

	log_open(fd, LOG_AUTO, LEVEL_WARN, "test");
	LOG(INFO, "a.info");
	LOG(WARN, "a.warn");
	log_level_set(LEVEL_DEBUG);
	LOG(DEBUG, "a.debug", INT_F("n", -7));
	ck_assert_uint_eq(lines_with(fd, ""), 2);
	ck_assert_uint_eq(
	        lines_with(fd, "\"level\":\"warn\",\"component\":\"test\",\"msg\":\"a.warn\""), 1);
	ck_assert_uint_eq(lines_with(fd, "\"msg\":\"a.debug\",\"n\":-7}"), 1);
	ck_assert(log_level_parse("error", &level) && level == LEVEL_ERROR);
	ck_assert(!log_level_parse("Error", &level) && level == LEVEL_ERROR);
}
END_TEST

START_TEST(LM9_a_flood_of_warnings_is_ten_lines_and_debug_is_not_limited)
{
	int fd = temporary();
	int64_t began = clock_mono_us(), seconds;

	log_open(fd, LOG_JSON, LEVEL_DEBUG, "test");
	for (int i = 0; i < MANY; i++) {
		LOG(WARN, "flood");
		LOG(INFO, "access");
	}
	seconds = clock_mono_us() / 1000000 - began / 1000000 + 1;
	ck_assert_uint_ge(lines_with(fd, "flood"), LOG_PER_SECOND);
	ck_assert_uint_le(lines_with(fd, "flood"), (unsigned)(seconds * LOG_PER_SECOND));
	ck_assert_uint_eq(lines_with(fd, "access"), MANY);
}
END_TEST

START_TEST(stop_writes_out_what_is_queued)
{
	int fd = temporary();

	log_open(fd, LOG_JSON, LEVEL_INFO, "test");
	for (int round = 0; round < 3; round++) {
		start();
		for (int i = 0; i < 500; i++)
			LOG(INFO, "queued", INT_F("i", i));
		log_stop();
		ck_assert_uint_eq(lines_with(fd, "queued"), (unsigned)(round + 1) * 500);
	}
	LOG(INFO, "direct");
	ck_assert_uint_eq(lines_with(fd, "direct"), 1);
	ck_assert_uint_eq(log_dropped(), 0);
	log_stop(); /* nothing runs: nothing to do */
}
END_TEST

static void *
write_some(void *arg)
{
	for (int i = 0; i < EACH; i++)
		LOG(INFO, "threaded", INT_F("thread", *(int *)arg), INT_F("i", i));
	return NULL;
}

START_TEST(lines_of_many_threads_stay_whole)
{
	pthread_t threads[THREADS];
	int ids[THREADS], fd = temporary();

	log_open(fd, LOG_JSON, LEVEL_INFO, "test");
	start();
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < THREADS; i++) {
			ids[i] = i;
			ck_assert_int_eq(pthread_create(&threads[i], NULL, write_some, &ids[i]), 0);
		}
		for (int i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	log_stop();
	ck_assert_uint_eq(log_dropped(), 0);
	ck_assert_uint_eq(lines_with(fd, ""), ROUNDS * THREADS * EACH);
	ck_assert_uint_eq(lines_with(fd, "\"thread\":3,\"i\":39}"), ROUNDS);
}
END_TEST

static void *
write_one(void *arg)
{
	(void)arg;
	LOG(INFO, "one");
	return NULL;
}

START_TEST(a_thread_that_ends_leaves_its_ring_to_the_next)
{
	pthread_t thread;
	int fd = temporary(), failed = 0;

	log_open(fd, LOG_JSON, LEVEL_INFO, "test");
	start();
	for (int i = 0; i < 2; i++) {
		/* The first thread allocates a line and a ring, the second one a line only. */
		fault_allocation(i == 0 ? 0 : 2);
		failed |= pthread_create(&thread, NULL, write_one, NULL);
		failed |= pthread_join(thread, NULL);
	}
	fault_allocation(0);
	ck_assert_int_eq(failed, 0);
	log_stop();
	ck_assert_uint_eq(log_dropped(), 0);
	ck_assert_uint_eq(lines_with(fd, "one"), 2);
}
END_TEST

START_TEST(CF9_a_full_pipe_drops_counts_and_does_not_block)
{
	char value[1001];
	int ends[2];
	int64_t began;
	uint64_t dropped;

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(pipe(ends), 0);
	log_open(ends[1], LOG_JSON, LEVEL_INFO, "test");
	start();
	began = clock_mono_us();
	for (int i = 0; i < MANY; i++)
		LOG(INFO, "stuck", TEXT_F("value", value));
	/* 2 MB into a ring of 256 KiB, a batch and a pipe of 64 KiB each */
	ck_assert_int_lt(clock_mono_us() - began, 5000000);
	dropped = log_dropped();
	ck_assert_uint_gt(dropped, MANY / 2);
	began = clock_mono_us();
	log_stop();
	ck_assert_int_lt(clock_mono_us() - began, 3000000);
	ck_assert_uint_ge(log_dropped(), dropped);
}
END_TEST

START_TEST(CF9_a_reader_that_returns_is_told_what_is_missing)
{
	static char text[1 << 20];
	AUTO(buf) struct buf value = BUF(KIB(16));
	int ends[2];
	size_t len = 0;
	ssize_t got;

	for (int i = 0; i < 15000; i++)
		buf_char(&value, 'x');
	buf_char(&value, '\0');
	ck_assert_int_eq(pipe(ends), 0);
	log_open(ends[1], LOG_JSON, LEVEL_INFO, "test");
	start();
	while (log_dropped() == 0)
		LOG(INFO, "stuck", TEXT_F("value", value.data));
	/* Now the reader returns: everything queued arrives, and the count of what did not. */
	while (strstr(text, "log.dropped") == NULL) {
		got = read(ends[0], text + len, sizeof(text) - 1 - len);
		ck_assert_int_gt(got, 0);
		len += (size_t)got;
	}
	log_stop();
	ck_assert_ptr_nonnull(strstr(text, "\"msg\":\"log.dropped\",\"dropped\":"));
}
END_TEST

START_TEST(CF9_a_closed_pipe_and_a_full_disk_lose_lines_only)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	(void)close(ends[0]);
	log_open(ends[1], LOG_JSON, LEVEL_INFO, "test");
	start();
	for (int i = 0; i < 10; i++)
		LOG(INFO, "lost"); /* the writer thread takes no SIGPIPE */
	log_stop();
	ck_assert_uint_eq(log_dropped(), 10);
	log_open(full, LOG_JSON, LEVEL_INFO, "test");
	LOG(INFO, "lost");
	start();
	LOG(INFO, "lost");
	log_stop();
	ck_assert_uint_eq(log_dropped(), 12);
}
END_TEST

static void
limit_files(rlim_t most)
{
	struct rlimit limit = {0};

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = most;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(CF9_half_a_line_is_closed_before_the_next_one)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	int fd = temporary();
	char *text;

	ck_assert_int_eq(sigaction(SIGXFSZ, &ignore, NULL), 0);
	log_open(fd, LOG_JSON, LEVEL_INFO, "test");
	limit_files(150);
	LOG(INFO, "one.whole");
	LOG(INFO, "two.half");
	LOG(INFO, "three.lost");
	limit_files(RLIM_INFINITY);
	LOG(INFO, "four.whole");
	text = content(fd);
	ck_assert_uint_eq(log_dropped(), 2);
	ck_assert_uint_eq(lines_with(fd, ""), 3);
	ck_assert_uint_eq(lines_with(fd, "}"), 2);
	ck_assert_int_eq(text[150], '\n');
	ck_assert_uint_eq(lines_with(fd, "\"msg\":\"four.whole\"}"), 1);
	free(text);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	int fd = temporary();
	struct err e = {0};

	log_open(fd, LOG_JSON, LEVEL_INFO, "test");
	fault_allocation(1);
	ck_assert(!log_start(&e));
	ck_assert_int_eq(e.code, ERR_NOMEM);
	start();
	fault_allocation(1); /* the line */
	LOG(INFO, "lost");
	ck_assert_uint_eq(log_dropped(), 1);
	fault_allocation(2); /* the ring */
	LOG(INFO, "lost");
	ck_assert_uint_eq(log_dropped(), 2);
	fault_allocation(0);
	LOG(INFO, "written");
	log_stop();
	ck_assert_uint_eq(lines_with(fd, "written"), 1);
	ck_assert_uint_eq(lines_with(fd, "\"dropped\":2}"), 1);
}
END_TEST

Suite *
log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, nothing_is_written_before_a_sink_is_there);
	tcase_add_test(tc, levels_below_the_least_are_not_written);
	tcase_add_test(tc, LM9_a_flood_of_warnings_is_ten_lines_and_debug_is_not_limited);
	tcase_add_test(tc, stop_writes_out_what_is_queued);
	tcase_add_test(tc, lines_of_many_threads_stay_whole);
	tcase_add_test(tc, a_thread_that_ends_leaves_its_ring_to_the_next);
	tcase_add_test(tc, CF9_a_full_pipe_drops_counts_and_does_not_block);
	tcase_add_test(tc, CF9_a_reader_that_returns_is_told_what_is_missing);
	tcase_add_test(tc, CF9_a_closed_pipe_and_a_full_disk_lose_lines_only);
	tcase_add_test(tc, CF9_half_a_line_is_closed_before_the_next_one);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
