/*
 * The link against an orchestration played by the test (design §7, §15). What it proves beyond the
 * names: WI5 a finish is said again under the same id until it was answered; LA-08 credentials are
 * renewed without a restart and nothing held is lost by it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/unit/worker/fake_orchestration.h"
#include "tests/unit/worker/rig.h"
#include "worker/link.h"

enum { EVENTS = 32 };

/* A runner that only writes down what it is told. */
static struct recorder {
	pthread_mutex_t lock;
	char events[EVENTS][160];
	unsigned count, taken;
	const char *callables;
	bool refuses;
} recorder;

static void
record(const char *fmt, const char *step, int64_t number)
{
	(void)pthread_mutex_lock(&recorder.lock);
	ck_assert_uint_lt(recorder.count, EVENTS);
	(void)snprintf(recorder.events[recorder.count++], sizeof(recorder.events[0]), "%s %s %lld",
	        fmt, step, (long long)number);
	(void)pthread_mutex_unlock(&recorder.lock);
}

/* The next event, which must come in time. */
static const char *
event(void)
{
	const int64_t until = clock_mono_us() + RIG_WAIT_MS * 1000LL;

	while (clock_mono_us() < until) {
		bool is;

		(void)pthread_mutex_lock(&recorder.lock);
		is = recorder.taken < recorder.count;
		(void)pthread_mutex_unlock(&recorder.lock);
		if (is)
			return recorder.events[recorder.taken++];
		(void)usleep(1000);
	}
	ck_abort_msg("the runner was told nothing");
	return NULL;
}

static bool
offer(struct step *step, void *arg, struct err *e)
{
	(void)arg;
	if (recorder.refuses)
		return err_set(e, ERR_NOMEM, "no");
	record("offer", step->uuid, step->attempt);
	step_free(step);
	return true;
}

static bool
stop(const char *step, int64_t attempt, enum stop why, void *arg)
{
	(void)arg;
	record(why == STOP_LOST ? "lost" : "cancel", step, attempt);
	return true;
}

static void
release_all(int64_t grace_us, void *arg)
{
	(void)arg;
	record("release", "all", grace_us);
}

static void
callables(struct buf *out, void *arg)
{
	(void)arg;
	buf_text(out, recorder.callables);
}

static bool
settled(void *arg)
{
	(void)arg;
	return true;
}

static struct fake *fake;
static struct link *l;
static struct link_settings settings;
static char token_path[64];

static void
begin(void)
{
	static const char *const namespaces[] = {"demo"};

	log_open(2, LOG_TEXT, LEVEL_ERROR, "test");
	recorder = (struct recorder){.callables = "[\"demo.greet\"]"};
	(void)pthread_mutex_init(&recorder.lock, NULL);
	fake = fake_new();
	settings = link_settings_default;
	settings.url = fake_url(fake);
	settings.worker = "w1";
	settings.boot = "00000000-0000-4000-8000-00000000b007";
	settings.slots = 4;
	settings.namespaces = namespaces;
	settings.namespace_count = 1;
	settings.templates = "[{\"yaml\":\"name: x\"}]";
	settings.templates_len = strlen(settings.templates);
	settings.backoff_us = 5000;
	settings.backoff_most_us = 40000;
	settings.slack_us = 2000000;
	settings.goodbye_us = 60000;
}

static void
go(void)
{
	const struct link_runner runner = {.offer = offer,
	        .stop = stop,
	        .release_all = release_all,
	        .callables = callables,
	        .settled = settled};
	struct err e = {0};

	ck_assert_msg(link_new(&settings, &runner, &l, &e), "%s", e.text);
	ck_assert_msg(link_start(l, &e), "%s", e.text);
}

static void
end(void)
{
	link_free(l);
	l = NULL;
	fake_free(fake);
	if (token_path[0] != '\0')
		(void)unlink(token_path);
	token_path[0] = '\0';
}

/* The frame of a step, as rig_step() reads it. */
static const char *
frame(unsigned n, int64_t attempt)
{
	struct step *s = rig_step(n, attempt, "demo.greet", "{}", 0);
	static char text[2][2048];
	static unsigned which;

	which = 1 - which;
	(void)snprintf(text[which], sizeof(text[which]), "%s", s->frame);
	step_free(s);
	return text[which];
}

/* The step is finished: the runner says so. */
static void
finish(unsigned n, int64_t attempt, const char *result)
{
	struct step *s = rig_step(n, attempt, "demo.greet", "{}", 0);
	struct step_report *r;
	struct err e = {0};

	ck_assert(step_report_new(s, &r, &e));
	r->outcome = result != NULL ? OUTCOME_OK : OUTCOME_DROPPED;
	if (result != NULL)
		buf_text(&r->result, result);
	step_free(s);
	link_report(l, r);
}

static void
ref(char out[128], unsigned n, int64_t attempt)
{
	(void)snprintf(
	        out, 128, "{\"step\":\"%s\",\"attempt\":%lld}", rig_uuid(n), (long long)attempt);
}

static void
accepted(char out[128], unsigned n, int64_t attempt, const char *status)
{
	(void)snprintf(out, 128, "{\"step\":\"%s\",\"attempt\":%lld,\"status\":\"%s\"}",
	        rig_uuid(n), (long long)attempt, status);
}

static bool
has(const struct fake_request *r, const char *text)
{
	return strstr(r->body, text) != NULL;
}

/* Registered, and given step 1 attempt 1; returns the poll that is parked after it. */
static struct fake_request
with_one_step(int lease_ms, int beat_ms)
{
	struct fake_request r;

	fake_register(fake, "s1", lease_ms, beat_ms);
	r = fake_poll(fake, "s1");
	fake_answer_poll(fake, &r, "", frame(1, 1), "", "");
	ck_assert_str_eq(event(), "offer 00000000-0000-7000-8000-000000000001 1");
	return fake_poll(fake, "s1");
}

START_TEST(registers_with_all_it_has_and_then_polls)
{
	struct fake_request r;

	go();
	r = fake_next(fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert_str_eq(r.authorization, ""); /* no link.token_path: no credential is made up */
	ck_assert_str_eq(r.body,
	        "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"00000000-0000-4000-8000-00000000b007\","
	        "\"slots\":4,\"namespaces\":[\"demo\"],\"handlers\":[\"demo.greet\"],"
	        "\"templates\":[{\"yaml\":\"name: x\"}]}");
	fake_answer(fake, r.connection, 200,
	        "{\"session\":\"s1\",\"lease_ms\":30000,\"beat_ms\":5000,"
	        "\"templates\":[{\"name\":\"x\",\"ok\":false,\"error\":\"line 1\"}]}");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":4,\"held\":[],\"wait_ms\":20000,\"results\":[]"));
	end();
}
END_TEST

START_TEST(a_step_is_offered_held_reported_and_done_with)
{
	char held[128], status[128];
	struct fake_request r, parked;

	go();
	parked = with_one_step(30000, 5000);
	ref(held, 1, 1);
	ck_assert(has(&parked, "\"free\":3"));
	ck_assert(has(&parked, held));
	ck_assert(has(&parked, "\"wait_ms\":5000")); /* the beat renews the lease */
	finish(1, 1, "{\"ok\":1}");
	r = fake_poll(fake, "s1"); /* at once, though the other is parked */
	ck_assert_str_ne(fake_member(&r, "id"), "");
	ck_assert(has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(has(&r, "\"outcome\":\"ok\",\"result\":{\"ok\":1}"));
	ck_assert(fake_is_gone(fake, parked.connection));
	accepted(status, 1, 1, "accepted");
	fake_answer_poll(fake, &r, status, "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(has(&r, "\"results\":[]"));
	ck_assert_uint_eq(link_status(l).accepted, 1);
	end();
}
END_TEST

START_TEST(steps_in_an_answer_that_was_crossed_are_not_started)
{
	struct fake_request r, parked;

	go();
	parked = with_one_step(30000, 5000);
	finish(1, 1, "1");
	r = fake_poll(fake, "s1");
	fake_answer_poll(fake, &parked, "", frame(2, 1), "", ""); /* too late: nobody listens */
	fake_answer_poll(fake, &r, "", "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"held\":[]"));
	ck_assert_uint_eq(recorder.count, 1);
	end();
}
END_TEST

/* How an answer may fail to come; the poll comes again, letter for letter. */
enum loss { LOSS_DROPPED, LOSS_500, LOSS_503, LOSS_NO_JSON, LOSS_OTHER_ID, LOSS_NUMBER };

START_TEST(a_poll_without_an_answer_comes_again_under_its_id)
{
	char first[1024], status[128];
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	finish(1, 1, "\"precious\"");
	r = fake_poll(fake, "s1");
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(first, sizeof(first), "%s", r.body);
		if (_i == LOSS_DROPPED)
			fake_drop(fake, r.connection);
		else if (_i == LOSS_NO_JSON)
			fake_answer(fake, r.connection, 200, "{\"id\":");
		else if (_i == LOSS_OTHER_ID)
			fake_answer(fake, r.connection, 200, "{\"id\":\"another\"}");
		else
			fake_answer(fake, r.connection, _i == LOSS_500 ? 500 : 503, "{}");
		r = fake_poll(fake, "s1");
		ck_assert_str_eq(r.body, first);
	}
	accepted(status, 1, 1, "duplicate");
	fake_answer_poll(fake, &r, status, "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(!has(&r, "precious"));
	end();
}
END_TEST

START_TEST(a_step_given_again_by_a_replayed_answer_is_offered_once)
{
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	fake_answer_poll(fake, &r, "", frame(1, 1), "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":3"));
	ck_assert_uint_eq(recorder.count, 1);
	end();
}
END_TEST

START_TEST(a_session_that_ended_is_replaced_and_nothing_held_is_lost)
{
	char held[128];
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	fake_answer_poll(fake, &r, "", frame(2, 1), "", "");
	ck_assert_str_eq(event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(fake, "s1");
	finish(1, 1, "\"kept\"");
	r = fake_poll(fake, "s1");
	fake_answer(fake, r.connection, 401, "{}");
	r = fake_next(fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert(has(&r, "00000000-0000-4000-8000-00000000b007")); /* the same boot */
	fake_answer(fake, r.connection, 200,
	        "{\"session\":\"s2\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(fake, "s2");
	ref(held, 2, 1);
	ck_assert(has(&r, held));
	ck_assert(has(&r, "\"kept\""));
	end();
}
END_TEST

static void
write_token(const char *text)
{
	FILE *file = fopen(token_path, "we");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

START_TEST(the_credential_is_read_again_on_401_and_when_its_file_changes)
{
	struct fake_request r;

	(void)snprintf(token_path, sizeof(token_path), "/tmp/tasker-token-XXXXXX");
	(void)close(mkstemp(token_path));
	write_token("old\n");
	settings.token_path = token_path;
	go();
	r = fake_next(fake);
	ck_assert_str_eq(r.authorization, "Bearer old");
	write_token("new");
	fake_answer(fake, r.connection, 401, "{}");
	do { /* tries that were already on their way */
		r = fake_next(fake);
		if (strcmp(r.authorization, "Bearer old") == 0)
			fake_answer(fake, r.connection, 401, "{}");
	} while (strcmp(r.authorization, "Bearer old") == 0);
	ck_assert_str_eq(r.authorization, "Bearer new");
	fake_answer(fake, r.connection, 200,
	        "{\"session\":\"s1\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(fake, "s1");
	(void)usleep(20000); /* so that the file's time is another one */
	write_token("newest");
	fake_answer_poll(fake, &r, "", "", "", "");
	r = fake_next(fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert_str_eq(r.authorization, "Bearer newest");
	end();
}
END_TEST

static const char *const bad_tokens[] = {"", "two words", " \n"};

START_TEST(a_file_without_one_token_registers_nobody)
{
	struct fake_request r;

	(void)snprintf(token_path, sizeof(token_path), "/tmp/tasker-token-XXXXXX");
	(void)close(mkstemp(token_path));
	write_token(bad_tokens[_i]);
	settings.token_path = token_path;
	go();
	ck_assert(!fake_try(fake, 100, &r));
	write_token("good");
	r = fake_next(fake);
	ck_assert_str_eq(r.authorization, "Bearer good");
	end();
}
END_TEST

START_TEST(cancel_and_lost_reach_the_runner)
{
	char cancel[128], lost[128];
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	ref(cancel, 1, 1);
	ref(lost, 7, 3);
	fake_answer_poll(fake, &r, "", "", cancel, lost);
	ck_assert_str_eq(event(), "cancel 00000000-0000-7000-8000-000000000001 1");
	ck_assert_str_eq(event(), "lost 00000000-0000-7000-8000-000000000007 3");
	finish(1, 1, NULL); /* dropped: nothing to say, its slot is free again */
	r = fake_poll(fake, "s1");
	if (has(&r, "\"free\":3")) { /* one that was already on its way */
		fake_answer_poll(fake, &r, "", "", "", "");
		r = fake_poll(fake, "s1");
	}
	ck_assert(has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(has(&r, "\"results\":[]"));
	end();
}
END_TEST

START_TEST(a_stale_result_is_counted_and_not_said_again)
{
	char status[128];
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	finish(1, 1, "1");
	r = fake_poll(fake, "s1");
	accepted(status, 1, 1, "stale");
	fake_answer_poll(fake, &r, status, "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"results\":[]"));
	ck_assert_uint_eq(link_status(l).stale, 1);
	ck_assert_uint_eq(link_status(l).accepted, 0);
	end();
}
END_TEST

START_TEST(without_answers_the_steps_are_stopped_before_the_lease_ends)
{
	struct fake_request r;
	int64_t sent, told;

	go();
	settings.slack_us = 50000;
	r = with_one_step(800, 100);
	sent = clock_mono_us(); /* the lease counts from before this */
	(void)r;
	ck_assert_str_eq(event(), "release all 100000");
	told = clock_mono_us();
	/* Three quarters of 800 ms, and one eighth of grace: 100 ms are left. */
	ck_assert_int_lt(told - sent, 700000);
	ck_assert_int_gt(told - sent, 300000);
	ck_assert(!link_status(l).connected);
	/* It goes on trying, and what was released is said when somebody listens again. */
	finish(1, 1, "\"late\"");
	do {
		r = fake_next(fake);
	} while (!has(&r, "late"));
	fake_answer_poll(fake, &r, "", "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"held\":[]"));
	ck_assert(link_status(l).connected);
	end();
}
END_TEST

START_TEST(other_handlers_are_registered_anew_while_steps_go_on)
{
	char held[128];
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	recorder.callables = "[]";
	link_changed(l);
	r = fake_next(fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert(has(&r, "\"handlers\":[]"));
	/* It is refused: the old session is used on. */
	fake_answer(fake, r.connection, 503, "{}");
	r = fake_poll(fake, "s1");
	fake_answer_poll(fake, &r, "", "", "", "");
	do {
		r = fake_next(fake);
		if (strcmp(r.path, "/v1/internal/poll") == 0)
			fake_answer_poll(fake, &r, "", "", "", "");
	} while (strcmp(r.path, "/v1/internal/poll") == 0);
	fake_answer(fake, r.connection, 200,
	        "{\"session\":\"s2\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(fake, "s2");
	ref(held, 1, 1);
	ck_assert(has(&r, held));
	end();
}
END_TEST

START_TEST(no_more_steps_are_held_than_there_are_slots)
{
	char steps[16384];
	size_t len = 0;
	struct fake_request r;

	go();
	fake_register(fake, "s1", 30000, 5000);
	r = fake_poll(fake, "s1");
	for (unsigned n = 1; n <= 6; n++) /* two more than were asked for */
		len += (size_t)snprintf(
		        steps + len, sizeof(steps) - len, "%s%s", n > 1 ? "," : "", frame(n, 1));
	fake_answer_poll(fake, &r, "", steps, "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":0"));
	ck_assert(!has(&r, "000000000005")); /* unlisted: it goes back */
	ck_assert_uint_eq(recorder.count, 4);
	end();
}
END_TEST

START_TEST(a_step_the_runner_does_not_take_is_not_held)
{
	struct fake_request r;

	recorder.refuses = true;
	go();
	fake_register(fake, "s1", 30000, 5000);
	r = fake_poll(fake, "s1");
	fake_answer_poll(fake, &r, "", frame(1, 1), "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":4,\"held\":[]"));
	end();
}
END_TEST

START_TEST(a_step_that_makes_no_sense_is_answered_so_that_it_does_not_come_back)
{
	struct fake_request r;

	go();
	fake_register(fake, "s1", 30000, 5000);
	r = fake_poll(fake, "s1");
	fake_answer_poll(fake, &r, "",
	        "{\"step_uuid\":\"00000000-0000-7000-8000-000000000001\",\"attempt\":2}", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"code\":\"INVALID_STEP\""));
	ck_assert(has(&r, "\"retryable\":false"));
	ck_assert(has(&r, "\"attempt\":2"));
	end();
}
END_TEST

START_TEST(a_result_the_orchestration_refuses_becomes_an_error_and_spares_the_others)
{
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	fake_answer_poll(fake, &r, "", frame(2, 1), "", "");
	ck_assert_str_eq(event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(fake, "s1");
	finish(1, 1, "\"poison\"");
	r = fake_poll(fake, "s1");
	finish(2, 1, "\"healthy\"");
	fake_answer(fake, r.connection, 400, "{}");
	for (unsigned i = 0; i < 8; i++) { /* whoever holds the poison is refused */
		r = fake_poll(fake, "s1");
		if (has(&r, "\"poison\""))
			fake_answer(fake, r.connection, 400, "{\"error\":1}");
		else if (has(&r, "RESULT_REFUSED"))
			break;
		else
			fake_answer_poll(fake, &r, "", "", "", "");
	}
	ck_assert(has(&r, "RESULT_REFUSED"));
	fake_answer(fake, r.connection, 400, "{}"); /* not even that: it is dropped */
	r = fake_poll(fake, "s1");
	while (has(&r, "\"healthy\"")) {
		fake_answer_poll(fake, &r, "", "", "", "");
		r = fake_poll(fake, "s1");
	}
	ck_assert(has(&r, "\"held\":[]"));
	ck_assert(has(&r, "\"results\":[]"));
	end();
}
END_TEST

static void
on_drained(void *arg)
{
	(void)arg;
	record("drained", "-", 0);
}

START_TEST(draining_asks_for_nothing_and_ends_with_the_last_result)
{
	struct fake_request r;

	go();
	r = with_one_step(30000, 5000);
	link_drain(l, on_drained, NULL);
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"free\":0"));
	ck_assert_uint_eq(recorder.count, 1);
	finish(1, 1, "1");
	r = fake_poll(fake, "s1");
	if (!has(&r, "\"outcome\"")) /* one that was already on its way */
		r = fake_poll(fake, "s1");
	ck_assert_uint_eq(recorder.count, 1); /* not before it was heard */
	fake_answer_poll(fake, &r, "", "", "", "");
	ck_assert_str_eq(event(), "drained - 0");
	end();
	ck_assert_uint_eq(recorder.count, 2);
}
END_TEST

START_TEST(an_idle_link_is_drained_at_once_though_nobody_answers)
{
	settings.url = "http://127.0.0.1:9";
	go();
	link_drain(l, on_drained, NULL);
	ck_assert_uint_eq(recorder.count, 1);
	end();
}
END_TEST

static void *
end_link(void *arg)
{
	link_free(arg);
	return NULL;
}

START_TEST(the_last_results_are_said_before_the_end)
{
	struct fake_request r;
	pthread_t thread;

	settings.goodbye_us = 3000000;
	go();
	r = with_one_step(30000, 5000);
	finish(1, 1, "\"last words\"");
	r = fake_poll(fake, "s1");
	fake_drop(fake, r.connection);
	ck_assert_int_eq(pthread_create(&thread, NULL, end_link, l), 0);
	do {
		r = fake_poll(fake, "s1");
	} while (!has(&r, "last words"));
	fake_answer_poll(fake, &r, "", "", "", "");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	l = NULL;
	end();
}
END_TEST

START_TEST(the_end_comes_soon_though_the_orchestration_hangs)
{
	int64_t began;

	go();
	if (_i == 0)
		(void)fake_next(fake); /* a registration that is never answered */
	else
		(void)with_one_step(30000, 5000);
	if (_i == 2) {
		finish(1, 1, "1");
		(void)fake_poll(fake, "s1");
	}
	began = clock_mono_us();
	link_free(l);
	l = NULL;
	ck_assert_int_lt(clock_mono_us() - began, 1500000);
	end();
}
END_TEST

static const char *const bad_sessions[] = {"", "[]", "{}", "{\"session\":\"s\"}",
        "{\"session\":\"\",\"lease_ms\":30000,\"beat_ms\":1000}",
        "{\"session\":\"a b\",\"lease_ms\":30000,\"beat_ms\":1000}",
        "{\"session\":\"s\",\"lease_ms\":0,\"beat_ms\":1000}",
        "{\"session\":\"s\",\"lease_ms\":30000,\"beat_ms\":\"x\"}"};

START_TEST(a_registration_without_a_usable_answer_is_tried_again_slower_each_time)
{
	struct fake_request r;
	int64_t began = clock_mono_us();

	go();
	for (unsigned i = 0; i < 6; i++) {
		r = fake_next(fake);
		ck_assert_str_eq(r.path, "/v1/internal/workers");
		fake_answer(fake, r.connection, 200, bad_sessions[_i]);
	}
	/* 5, 10, 20, 40 and 40 ms, each less a quarter at most */
	ck_assert_int_gt(clock_mono_us() - began, 115000 / 4 * 3);
	end();
}
END_TEST

START_TEST(results_that_do_not_fit_stay_held_and_follow)
{
	static char large[8192];
	struct fake_request r;

	settings.poll_bytes = 8192;
	memset(large, 'a', 6000);
	large[0] = large[5999] = '"';
	go();
	r = with_one_step(30000, 5000);
	fake_answer_poll(fake, &r, "", frame(2, 1), "", "");
	ck_assert_str_eq(event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(fake, "s1");
	finish(1, 1, large);
	r = fake_poll(fake, "s1"); /* under way with the first */
	finish(2, 1, large);
	fake_drop(fake, r.connection);
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"held\":[{\"step\":\"00000000-0000-7000-8000-000000000002\""));
	fake_answer_poll(fake, &r, "", "", "", "");
	r = fake_poll(fake, "s1");
	ck_assert(has(&r, "\"held\":[]"));
	ck_assert(has(&r, "000000000002\",\"attempt\":1,\"outcome\":\"ok\""));
	end();
}
END_TEST

START_TEST(every_allocation_of_a_new_link_may_fail)
{
	const struct link_runner runner = {.settled = settled};
	bool built = false;

	for (unsigned nth = 1; !built && nth < 50; nth++) {
		AUTO(link) struct link *fresh = NULL;
		struct err e = {0};

		fault_allocation(nth);
		built = link_new(&settings, &runner, &fresh, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert(built);
	fake_free(fake);
}
END_TEST

Suite *
link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, registers_with_all_it_has_and_then_polls);
	tcase_add_test(tc, a_step_is_offered_held_reported_and_done_with);
	tcase_add_test(tc, steps_in_an_answer_that_was_crossed_are_not_started);
	tcase_add_loop_test(tc, a_poll_without_an_answer_comes_again_under_its_id, 0, LOSS_NUMBER);
	tcase_add_test(tc, a_step_given_again_by_a_replayed_answer_is_offered_once);
	tcase_add_test(tc, a_session_that_ended_is_replaced_and_nothing_held_is_lost);
	tcase_add_test(tc, the_credential_is_read_again_on_401_and_when_its_file_changes);
	tcase_add_loop_test(tc, a_file_without_one_token_registers_nobody, 0, COUNT(bad_tokens));
	tcase_add_test(tc, cancel_and_lost_reach_the_runner);
	tcase_add_test(tc, a_stale_result_is_counted_and_not_said_again);
	tcase_add_test(tc, without_answers_the_steps_are_stopped_before_the_lease_ends);
	tcase_add_test(tc, other_handlers_are_registered_anew_while_steps_go_on);
	tcase_add_test(tc, no_more_steps_are_held_than_there_are_slots);
	tcase_add_test(tc, a_step_the_runner_does_not_take_is_not_held);
	tcase_add_test(tc, a_step_that_makes_no_sense_is_answered_so_that_it_does_not_come_back);
	tcase_add_test(
	        tc, a_result_the_orchestration_refuses_becomes_an_error_and_spares_the_others);
	tcase_add_test(tc, draining_asks_for_nothing_and_ends_with_the_last_result);
	tcase_add_test(tc, an_idle_link_is_drained_at_once_though_nobody_answers);
	tcase_add_test(tc, the_last_results_are_said_before_the_end);
	tcase_add_loop_test(tc, the_end_comes_soon_though_the_orchestration_hangs, 0, 3);
	tcase_add_loop_test(tc,
	        a_registration_without_a_usable_answer_is_tried_again_slower_each_time, 0,
	        COUNT(bad_sessions));
	tcase_add_test(tc, results_that_do_not_fit_stay_held_and_follow);
	tcase_add_test(tc, every_allocation_of_a_new_link_may_fail);
	suite_add_tcase(suite, tc);
	return suite;
}
