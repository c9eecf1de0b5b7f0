#include "tests/unit/worker/rig.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"

struct rig {
	struct runner *runner;
	pthread_mutex_t lock;
	struct step_report *reports, **tail;
	size_t count;
	unsigned changes;
};

static const char *
beside(const char *name, char *out, size_t size)
{
	char self[2048];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	(void)snprintf(out, size, "%s/%s", self, name);
	return out;
}

const char *
rig_shim(void)
{
	static char path[4096];

	return beside("bin/tasker-exec", path, sizeof(path));
}

const char *
rig_chaos(void)
{
	static char path[4096];

	return beside("chaos_handler", path, sizeof(path));
}

const char *
rig_scratch(void)
{
	static char path[64];

	if (path[0] == '\0') {
		(void)snprintf(path, sizeof(path), "/tmp/tasker-rig-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(path));
	}
	return path;
}

struct runner_settings
rig_settings(const struct handler_settings *handlers, size_t count)
{
	struct runner_settings s = runner_settings_default;

	s.shim = rig_shim();
	s.worker = "w1";
	s.boot = "rig-boot";
	s.scratch = rig_scratch();
	s.frame_bytes = KIB(256);
	s.result_bytes = KIB(32);
	s.tick_us = 20000;
	s.stop_us = 300000;
	s.restart =
	        (struct restart_policy){.least_us = 10000, .most_us = 50000, .window_us = 1000000};
	s.handlers = handlers;
	s.handler_count = count;
	return s;
}

struct handler_settings
rig_chaos_handler(const char *const *command)
{
	static const char *plain[2];
	static const char *const callables[] = {"chaos.*"};

	plain[0] = rig_chaos();
	return (struct handler_settings){.name = "chaos",
	        .kind = HANDLER_PROCESS,
	        .command = command != NULL ? command : plain,
	        .callables = callables,
	        .callable_count = 1,
	        .processes = 1,
	        .slots = 1,
	        .timeout_us = 5000000,
	        .grace_us = 200000,
	        .start_timeout_us = 5000000};
}

struct handler_settings
rig_shell_handler(const char *const *command)
{
	static const char *const callables[] = {"shell.*"};

	return (struct handler_settings){.name = "shell",
	        .kind = HANDLER_EXEC,
	        .command = command,
	        .callables = callables,
	        .callable_count = 1,
	        .processes = 1,
	        .slots = 1,
	        .timeout_us = 5000000,
	        .grace_us = 200000,
	        .start_timeout_us = 5000000};
}

static void
on_report(OWNED struct step_report *report, void *arg)
{
	struct rig *rig = arg;

	(void)pthread_mutex_lock(&rig->lock);
	*rig->tail = report;
	rig->tail = &report->next;
	rig->count++;
	(void)pthread_mutex_unlock(&rig->lock);
}

static void
on_changed(void *arg)
{
	struct rig *rig = arg;

	(void)pthread_mutex_lock(&rig->lock);
	rig->changes++;
	(void)pthread_mutex_unlock(&rig->lock);
}

struct rig *
rig_new(const struct runner_settings *settings)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	const struct runner_ears ears = {.report = on_report, .changed = on_changed, .arg = rig};
	struct err e = {0};

	ck_assert_ptr_nonnull(rig);
	log_open(2, LOG_TEXT, LEVEL_ERROR, "test");
	(void)pthread_mutex_init(&rig->lock, NULL);
	rig->tail = &rig->reports;
	ck_assert_msg(runner_new(settings, &ears, &rig->runner, &e), "%s", e.text);
	ck_assert_msg(runner_start(rig->runner, &e), "%s", e.text);
	return rig;
}

void
rig_free(struct rig *rig)
{
	runner_free(rig->runner);
	while (rig->reports != NULL) {
		struct step_report *r = rig->reports;

		rig->reports = r->next;
		step_report_free(r);
	}
	(void)pthread_mutex_destroy(&rig->lock);
	free(rig);
	ck_assert_msg(rmdir(rig_scratch()) == 0, "an attempt left something in %s", rig_scratch());
}

struct runner *
rig_runner(struct rig *rig)
{
	return rig->runner;
}

const char *
rig_uuid(unsigned n)
{
	static char text[UUID_TEXT];

	(void)snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012u", n);
	return text;
}

struct step *
rig_step(unsigned n, int64_t attempt, const char *callable, const char *input, int timeout_s)
{
	AUTO(buf) struct buf text = BUF(MIB(4));
	AUTO(json) struct json *doc = NULL;
	struct step *step = NULL;
	struct err e = {0};

	buf_format(&text,
	        "{\"type\":\"step\",\"id\":\"%s.%" PRId64 "\",\"step_uuid\":\"%s\","
	        "\"task\":\"11111111-0000-7000-8000-000000000000\",\"namespace\":\"demo\","
	        "\"template\":\"greet@1.0.0\",\"step\":\"hello\",\"handler\":\"%s\",\"attempt\":"
	        "%" PRId64
	        ",\"max_attempts\":3,\"idempotency_key\":\"k/hello\",\"timeout_seconds\":",
	        rig_uuid(n), attempt, rig_uuid(n), callable, attempt);
	if (timeout_s > 0)
		buf_int(&text, timeout_s);
	else
		buf_text(&text, "null");
	buf_text(&text, ",\"input\":");
	buf_text(&text, input);
	buf_text(&text, ",\"dependencies\":{\"before\":{\"result\":7}},\"config\":{},"
	                "\"checkpoint\":null}");
	ck_assert(buf_ok(&text));
	ck_assert_msg(json_parse(text.data, text.len,
	                      &(struct json_limits){.bytes = MIB(4), .nodes = 100000, .depth = 32},
	                      &doc, &e),
	        "%s", e.text);
	ck_assert_msg(step_parse(doc, json_root(doc), &step, &e), "%s", e.text);
	return step;
}

void
rig_give(struct rig *rig, unsigned n, int64_t attempt, const char *callable)
{
	struct err e = {0};

	ck_assert(runner_offer(
	        rig->runner, rig_step(n, attempt, callable, "{\"who\":\"Ada\"}", 0), &e));
}

void
rig_give_input(struct rig *rig, unsigned n, const char *callable, const char *input, int timeout_s)
{
	struct err e = {0};

	ck_assert(runner_offer(rig->runner, rig_step(n, 1, callable, input, timeout_s), &e));
}

static void
nap(void)
{
	const struct timespec ms = {.tv_nsec = 2000000};

	(void)nanosleep(&ms, NULL);
}

struct step_report *
rig_wait(struct rig *rig)
{
	const int64_t until = clock_mono_us() + RIG_WAIT_MS * 1000LL;

	while (clock_mono_us() < until) {
		struct step_report *r;

		(void)pthread_mutex_lock(&rig->lock);
		r = rig->reports;
		if (r != NULL) {
			rig->reports = r->next;
			rig->count--;
			if (rig->reports == NULL)
				rig->tail = &rig->reports;
		}
		(void)pthread_mutex_unlock(&rig->lock);
		if (r != NULL)
			return r;
		nap();
	}
	ck_abort_msg("no report came");
	return NULL;
}

size_t
rig_waiting(struct rig *rig)
{
	size_t n;

	(void)pthread_mutex_lock(&rig->lock);
	n = rig->count;
	(void)pthread_mutex_unlock(&rig->lock);
	return n;
}

unsigned
rig_changes(struct rig *rig)
{
	unsigned n;

	(void)pthread_mutex_lock(&rig->lock);
	n = rig->changes;
	(void)pthread_mutex_unlock(&rig->lock);
	return n;
}

void
rig_until(bool (*holds)(struct rig *rig, void *arg), struct rig *rig, void *arg)
{
	const int64_t until = clock_mono_us() + RIG_WAIT_MS * 1000LL;

	while (clock_mono_us() < until) {
		if (holds(rig, arg))
			return;
		nap();
	}
	ck_abort_msg("it never came to hold");
}

bool
rig_ready(struct rig *rig, void *arg)
{
	AUTO(buf) struct buf offers = BUF(KIB(64));

	(void)arg;
	runner_callables(rig->runner, &offers);
	return runner_settled(rig->runner) && offers.len > 2;
}

const char *
rig_text(const struct buf *b)
{
	static char text[262144];
	const size_t len = b->len < sizeof(text) - 1 ? b->len : sizeof(text) - 1;

	if (len > 0)
		memcpy(text, b->data, len);
	text[len] = '\0';
	return text;
}
