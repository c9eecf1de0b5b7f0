#include "tests/unit/worker/link_rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"

struct link_rig rig;

void
link_rig_record(const char *fmt, const char *step, int64_t number)
{
	(void)pthread_mutex_lock(&rig.lock);
	ck_assert_uint_lt(rig.count, LINK_RIG_EVENTS);
	(void)snprintf(rig.events[rig.count++], sizeof(rig.events[0]), "%s %s %lld", fmt, step,
	        (long long)number);
	(void)pthread_mutex_unlock(&rig.lock);
}

const char *
link_rig_event(void)
{
	const int64_t until = clock_mono_us() + RIG_WAIT_MS * 1000LL;

	while (clock_mono_us() < until) {
		bool is;

		(void)pthread_mutex_lock(&rig.lock);
		is = rig.taken < rig.count;
		(void)pthread_mutex_unlock(&rig.lock);
		if (is)
			return rig.events[rig.taken++];
		(void)usleep(1000);
	}
	ck_abort_msg("the runner was told nothing");
	return NULL;
}

static bool
offer(struct step *step, void *arg, struct err *e)
{
	(void)arg;
	if (rig.refuses)
		return err_set(e, ERR_NOMEM, "no");
	link_rig_record("offer", step->uuid, step->attempt);
	step_free(step);
	return true;
}

static bool
stop(const char *step, int64_t attempt, enum stop why, void *arg)
{
	(void)arg;
	link_rig_record(why == STOP_LOST ? "lost" : "cancel", step, attempt);
	return true;
}

static void
release_all(int64_t grace_us, void *arg)
{
	(void)arg;
	link_rig_record("release", "all", grace_us);
}

static void
callables(struct buf *out, void *arg)
{
	(void)arg;
	buf_text(out, rig.callables);
}

static bool
settled(void *arg)
{
	(void)arg;
	return true;
}

void
link_rig_begin(void)
{
	static const char *const namespaces[] = {"demo"};

	log_open(2, LOG_TEXT, LEVEL_ERROR, "test");
	rig = (struct link_rig){.callables = "[\"demo.greet\"]"};
	(void)pthread_mutex_init(&rig.lock, NULL);
	rig.fake = fake_new();
	rig.settings = link_settings_default;
	rig.settings.url = fake_url(rig.fake);
	rig.settings.worker = "w1";
	rig.settings.boot = "00000000-0000-4000-8000-00000000b007";
	rig.settings.slots = 4;
	rig.settings.namespaces = namespaces;
	rig.settings.namespace_count = 1;
	rig.settings.templates = "[{\"yaml\":\"name: x\"}]";
	rig.settings.templates_len = strlen(rig.settings.templates);
	rig.settings.backoff_us = 5000;
	rig.settings.backoff_most_us = 40000;
	rig.settings.slack_us = 2000000;
	rig.settings.goodbye_us = 60000;
}

void
link_rig_start(void)
{
	const struct link_runner runner = {.offer = offer,
	        .stop = stop,
	        .release_all = release_all,
	        .callables = callables,
	        .settled = settled};
	struct err e = {0};

	ck_assert_msg(link_new(&rig.settings, &runner, &rig.link, &e), "%s", e.text);
	ck_assert_msg(link_start(rig.link, &e), "%s", e.text);
}

void
link_rig_stop(void)
{
	link_free(rig.link);
	rig.link = NULL;
	fake_free(rig.fake);
	if (rig.token_path[0] != '\0')
		(void)unlink(rig.token_path);
	rig.token_path[0] = '\0';
}

const char *
link_rig_frame(unsigned n, int64_t attempt)
{
	struct step *s = rig_step(n, attempt, "demo.greet", "{}", 0);
	static char text[2][2048];
	static unsigned which;

	which = 1 - which;
	(void)snprintf(text[which], sizeof(text[which]), "%s", s->frame);
	step_free(s);
	return text[which];
}

void
link_rig_finish(unsigned n, int64_t attempt, const char *result)
{
	struct step *s = rig_step(n, attempt, "demo.greet", "{}", 0);
	struct step_report *r;
	struct err e = {0};

	ck_assert(step_report_new(s, &r, &e));
	r->outcome = result != NULL ? OUTCOME_OK : OUTCOME_DROPPED;
	if (result != NULL)
		buf_text(&r->result, result);
	step_free(s);
	link_report(rig.link, r);
}

void
link_rig_ref(char out[128], unsigned n, int64_t attempt)
{
	(void)snprintf(
	        out, 128, "{\"step\":\"%s\",\"attempt\":%lld}", rig_uuid(n), (long long)attempt);
}

void
link_rig_status(char out[128], unsigned n, int64_t attempt, const char *status)
{
	(void)snprintf(out, 128, "{\"step\":\"%s\",\"attempt\":%lld,\"status\":\"%s\"}",
	        rig_uuid(n), (long long)attempt, status);
}

bool
link_rig_has(const struct fake_request *r, const char *text)
{
	return strstr(r->body, text) != NULL;
}

struct fake_request
link_rig_with_step(int lease_ms, int beat_ms)
{
	struct fake_request r;

	fake_register(rig.fake, "s1", lease_ms, beat_ms);
	r = fake_poll(rig.fake, "s1");
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(1, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000001 1");
	return fake_poll(rig.fake, "s1");
}
