/*
 * A worker's side of the wire, spoken by hand (design §15): who may register, what a poll answers,
 * and that a result counts once (LA-01, LA-03 to LA-06, WI1, WI2, WI4, WI5, WI9).
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/uuid.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

#define BOOT "0197d6a0-0000-7000-8000-00000000000"
#define TEMPLATE                                                                                   \
	"name: by-hand\\nnamespace_name: hand\\nversion: '1.0.0'\\nsteps:\\n  - name: only\\n"     \
	"    handler: {callable: hand.do}\\n    retry: {max_attempts: 2, backoff: none}\\n"

static struct pair pair;

static void
start(void)
{
	token_maker_prepare();
	ck_assert(pair_start(&pair, &(struct pair_settings){.without_worker = true}));
}

static void
stop(void)
{
	pair_stop(&pair);
}

static struct wire_reply
register_as(const char *worker, const char *allowed, const char *body)
{
	char *system = pair_system(worker, allowed);
	struct wire_reply r =
	        wire_call(pair.orchestration.port, "POST", "/v1/internal/workers", system, body);

	free(system);
	return r;
}

/* The Authorization line of a fresh session of that worker in namespace hand; owned. */
static char *
session_of(const char *worker, const char *boot)
{
	char body[1024];
	char *header = NULL, *secret;
	struct wire_reply r;

	(void)snprintf(body, sizeof(body),
	        "{\"proto\":1,\"worker\":\"%s\",\"boot\":\"" BOOT
	        "%s\",\"slots\":4,\"namespaces\":[\"hand\"],"
	        "\"handlers\":[\"hand.do\"],\"templates\":[{\"yaml\":\"" TEMPLATE "\"}]}",
	        worker, boot);
	r = register_as(worker, "hand", body);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	secret = pair_member(r.body, "session");
	ck_assert_int_gt(asprintf(&header, "Authorization: Bearer %s\r\n", secret), 0);
	free(secret);
	wire_reply_free(&r);
	return header;
}

/* A poll with an id of its own; results is the inside of the array, or "". */
static struct wire_reply
poll_with(const char *session, int free_slots, const char *held, const char *results, int wait_ms)
{
	__attribute__((cleanup(auto_buf_))) struct buf body = BUF(KIB(64));
	struct uuid id = uuid_v4();
	char text[UUID_TEXT];

	uuid_text(&id, text);
	buf_format(&body,
	        "{\"id\":\"%s\",\"free\":%d,\"held\":[%s],\"wait_ms\":%d,\"results\":[%s]}", text,
	        free_slots, held, wait_ms, results);
	buf_char(&body, '\0');
	ck_assert(buf_ok(&body));
	return wire_call(pair.orchestration.port, "POST", "/v1/internal/poll", session, body.data);
}

static const struct {
	const char *worker, *allowed, *body;
	int status;
	const char *says;
} registrations[] = {
        {"w1", "hand", "{}",                                     400, "/proto"           },
        {"w1", "hand",
         "{\"proto\":2,\"worker\":\"w1\",\"boot\":\"" BOOT
                "1\",\"slots\":1,\"namespaces\":[\"hand\"]}",    400, "protocol 1"       },
        {"w1", "hand",
         "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"nonsense\",\"slots\":1,\"namespaces\":["
                "\"hand\"]}",                                    400, "/boot"            },
        {"w1", "hand",
         "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"" BOOT
                "1\",\"slots\":5000,\"namespaces\":[\"hand\"]}", 400, "/slots"           },
        {"w1", "hand",
         "{\"proto\":1,\"worker\":\"w2\",\"boot\":\"" BOOT
                "1\",\"slots\":1,\"namespaces\":[\"hand\"]}",    403, "another worker"   },
        {"w1", "hand",
         "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"" BOOT
                "1\",\"slots\":1,\"namespaces\":[\"demo\"]}",    403, "worker_namespaces"},
        {"w1", "",
         "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"" BOOT
                "1\",\"slots\":1,\"namespaces\":[]}",            400, "/namespaces"      },
        {"w1", "hand",
         "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"" BOOT
                "1\",\"slots\":1,\"namespaces\":[\"hand\"],"
                "\"templates\":7}",                              400, "/templates"       },
};

START_TEST(registration_is_refused_with_its_reason)
{
	struct wire_reply r = register_as(
	        registrations[_i].worker, registrations[_i].allowed, registrations[_i].body);

	ck_assert_msg(r.status == registrations[_i].status, "%d %s", r.status, r.body);
	ck_assert_msg(strstr(r.body, registrations[_i].says) != NULL, "%s", r.body);
	ck_assert_ptr_null(strstr(r.body, "\"session\""));
	wire_reply_free(&r);
}
END_TEST

START_TEST(bad_template_is_reported_and_keeps_nobody_out)
{
	struct wire_reply r = register_as("w-t", "hand",
	        "{\"proto\":1,\"worker\":\"w-t\",\"boot\":\"" BOOT
	        "1\",\"slots\":1,\"namespaces\":[],\"handlers\":[\"hand.do\"],\"templates\":["
	        "{\"yaml\":\"name: x\\nsteps:\\n  - nme: y\\n\"},{\"yaml\":7},"
	        "{\"yaml\":\"name: foreign\\nnamespace_name: demo\\nversion: '1'\\nsteps:\\n  - "
	        "name: a\\n"
	        "    handler: {callable: c}\\n\"}]}");

	ck_assert_int_eq(r.status, 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"session\":\"ts_"));
	ck_assert_ptr_nonnull(strstr(r.body, "line "));
	ck_assert_ptr_nonnull(strstr(r.body, "not registered for namespace demo"));
	ck_assert_ptr_null(strstr(r.body, "\"ok\":true"));
	wire_reply_free(&r);
}
END_TEST

/* input_schema is kept and not yet enforced: the log says so where somebody may look. */
START_TEST(what_a_template_says_in_vain_is_logged)
{
	struct wire_reply r = register_as("w-warn", "hand",
	        "{\"proto\":1,\"worker\":\"w-warn\",\"boot\":\"" BOOT
	        "1\",\"slots\":1,\"namespaces\":[\"hand\"],\"templates\":["
	        "{\"yaml\":\"name: schema\\nnamespace_name: hand\\nversion: '1'\\n"
	        "input_schema: {type: object}\\nsteps:\\n  - name: a\\n    handler: {callable: "
	        "c}\\n\"}]}");
	char *log = daemon_read(pair.dir, "orchestration.log");

	ck_assert_int_eq(r.status, 200);
	for (int i = 0; i < 200 && strstr(log, "template.warning") == NULL; i++) {
		free(log); /* the log has a thread of its own */
		(void)poll(NULL, 0, 10);
		log = daemon_read(pair.dir, "orchestration.log");
	}
	ck_assert_ptr_nonnull(strstr(log, "input_schema"));
	wire_reply_free(&r);
	free(log);
}
END_TEST

START_TEST(same_version_with_other_content_is_refused)
{
	char *session = session_of("w-v", "1");
	struct wire_reply r = register_as("w-v", "hand",
	        "{\"proto\":1,\"worker\":\"w-v\",\"boot\":\"" BOOT
	        "1\",\"slots\":1,\"namespaces\":[\"hand\"],\"templates\":["
	        "{\"yaml\":\"name: by-hand\\nnamespace_name: hand\\nversion: '1.0.0'\\nsteps:\\n"
	        "  - name: other\\n    handler: {callable: hand.do}\\n\"}]}");

	ck_assert_int_eq(r.status, 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"ok\":false"));
	wire_reply_free(&r);
	free(session);
}
END_TEST

/* The step and attempt of the first frame in a poll's answer: {"step":"…","attempt":n}; owned. */
static char *
first_ref(const struct wire_reply *r)
{
	char *step = pair_member(r->body, "step_uuid");
	const char *attempt = strstr(r->body, "\"attempt\":");
	char *ref = NULL;

	ck_assert_msg(step != NULL && attempt != NULL, "%s", r->body);
	ck_assert_int_gt(asprintf(&ref, "\"step\":\"%s\",\"attempt\":%ld", step,
	                         strtol(attempt + 10, NULL, 10)),
	        0);
	free(step);
	return ref;
}

START_TEST(result_counts_once)
{
	char *session = session_of("w-once", "1"), *admin = pair_admin();
	char *task = pair_task(&pair, admin, "hand", "by-hand"), *ref, *held, *ok;
	struct wire_reply r = poll_with(session, 1, "", "", 5000);

	ck_assert_int_eq(r.status, 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"handler\":\"hand.do\""));
	ref = first_ref(&r);
	wire_reply_free(&r);
	ck_assert_int_gt(asprintf(&held, "{%s}", ref), 0);
	ck_assert_int_gt(asprintf(&ok, "{%s,\"outcome\":\"ok\",\"result\":{\"n\":1}}", ref), 0);
	r = poll_with(session, 0, "", ok, 0);
	ck_assert_msg(strstr(r.body, "\"status\":\"accepted\"") != NULL, "%s", r.body);
	wire_reply_free(&r);
	r = poll_with(session, 0, "", ok, 0); /* WI5 */
	ck_assert_msg(strstr(r.body, "\"status\":\"duplicate\"") != NULL, "%s", r.body);
	wire_reply_free(&r);
	ck_assert(pair_task_is(&pair, task, "complete", 2000));
	free(ref);
	free(held);
	free(ok);
	free(task);
	free(admin);
	free(session);
}
END_TEST

/* limits.json_depth is a result's own: what the poll wraps around it does not count. */
START_TEST(deepest_result_a_handler_may_give_is_taken)
{
	enum { DEEPEST = 32 };
	char *session = session_of("w-deep", "1"), *admin = pair_admin();
	char *task = pair_task(&pair, admin, "hand", "by-hand"), *ref, *ok;
	char nested[2 * DEEPEST + 1] = {0};
	struct wire_reply r = poll_with(session, 1, "", "", 5000);

	memset(nested, '[', DEEPEST);
	memset(nested + DEEPEST, ']', DEEPEST);
	ref = first_ref(&r);
	wire_reply_free(&r);
	ck_assert_int_gt(asprintf(&ok, "{%s,\"outcome\":\"ok\",\"result\":[%s]}", ref, nested), 0);
	r = poll_with(session, 0, "", ok, 0);
	ck_assert_msg(r.status == 400, "%d %s", r.status, r.body);
	wire_reply_free(&r);
	free(ok);
	ck_assert_int_gt(asprintf(&ok, "{%s,\"outcome\":\"ok\",\"result\":%s}", ref, nested), 0);
	r = poll_with(session, 0, "", ok, 0);
	ck_assert_msg(strstr(r.body, "\"status\":\"accepted\"") != NULL, "%s", r.body);
	wire_reply_free(&r);
	ck_assert(pair_task_is(&pair, task, "complete", 2000));
	free(ref);
	free(ok);
	free(task);
	free(admin);
	free(session);
}
END_TEST

/* WI3, WI4, I4: only who holds the attempt may end it. */
START_TEST(result_of_another_attempt_or_session_is_stale)
{
	char *mine = session_of("w-mine", "1"), *other = session_of("w-other", "2");
	char *admin = pair_admin(), *task = pair_task(&pair, admin, "hand", "by-hand"), *ref,
	     *result;
	struct wire_reply r = poll_with(mine, 1, "", "", 5000);

	ref = first_ref(&r);
	wire_reply_free(&r);
	ck_assert_int_gt(asprintf(&result, "{%s,\"outcome\":\"ok\",\"result\":1}", ref), 0);
	r = poll_with(other, 0, "", result, 0);
	ck_assert_msg(strstr(r.body, "\"status\":\"stale\"") != NULL, "%s", r.body);
	wire_reply_free(&r);
	result[strlen(result) - strlen(",\"outcome\":\"ok\",\"result\":1}") - 1] =
	        '7'; /* attempt 7 */
	r = poll_with(mine, 0, "", result, 0);
	ck_assert_msg(strstr(r.body, "\"status\":\"stale\"") != NULL, "%s", r.body);
	wire_reply_free(&r);
	ck_assert(pair_task_is(&pair, task, "steps_in_process", 100));
	free(ref);
	free(result);
	free(task);
	free(admin);
	free(mine);
	free(other);
}
END_TEST

START_TEST(new_session_of_a_worker_ends_the_old_one)
{
	char *old = session_of("w-new", "1"), *fresh = session_of("w-new", "2");
	struct wire_reply r = poll_with(old, 0, "", "", 0);

	ck_assert_int_eq(r.status, 401);
	wire_reply_free(&r);
	r = poll_with(fresh, 0, "", "", 0);
	ck_assert_int_eq(r.status, 200);
	wire_reply_free(&r);
	free(old);
	free(fresh);
}
END_TEST

START_TEST(poll_parks_as_long_as_it_may)
{
	char *session = session_of("w-park", "1");
	int64_t from = clock_mono_us();
	struct wire_reply r = poll_with(session, 0, "", "", 300);

	ck_assert_int_eq(r.status, 200);
	ck_assert_int_ge(clock_mono_us() - from, 290000);
	ck_assert_ptr_nonnull(strstr(r.body, "\"steps\":[]"));
	wire_reply_free(&r);
	free(session);
}
END_TEST

static const struct {
	const char *results, *says;
} polls[] = {
        {"{}",                                                                  "/results"        },
        {"{\"step\":\"x\",\"attempt\":1,\"outcome\":\"ok\"}",                   "UUID"            },
        {"{\"step\":\"" BOOT "1\",\"attempt\":-1,\"outcome\":\"ok\"}",          "integer"         },
        {"{\"step\":\"" BOOT "1\",\"attempt\":1,\"outcome\":\"done\"}",         "/results/outcome"},
        {"{\"step\":\"" BOOT "1\",\"attempt\":1,\"outcome\":\"ok\",\"log\":7}", "/results/log"    },
        {"7",                                                                   "/results"        },
};

START_TEST(bad_poll_says_where)
{
	char *session = session_of("w-bad", "1");
	struct wire_reply r = poll_with(session, 0, "", polls[_i].results, 0);

	ck_assert_msg(r.status == 400, "%d %s", r.status, r.body);
	ck_assert_msg(strstr(r.body, polls[_i].says) != NULL, "%s", r.body);
	wire_reply_free(&r);
	free(session);
}
END_TEST

Suite *
internal_suite(void)
{
	Suite *s = suite_create("internal");
	TCase *tc = tcase_create("wire");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, registration_is_refused_with_its_reason, 0, COUNT(registrations));
	tcase_add_test(tc, bad_template_is_reported_and_keeps_nobody_out);
	tcase_add_test(tc, what_a_template_says_in_vain_is_logged);
	tcase_add_test(tc, same_version_with_other_content_is_refused);
	tcase_add_test(tc, result_counts_once);
	tcase_add_test(tc, deepest_result_a_handler_may_give_is_taken);
	tcase_add_test(tc, result_of_another_attempt_or_session_is_stale);
	tcase_add_test(tc, new_session_of_a_worker_ends_the_old_one);
	tcase_add_test(tc, poll_parks_as_long_as_it_may);
	tcase_add_loop_test(tc, bad_poll_says_where, 0, COUNT(polls));
	suite_add_tcase(s, tc);
	return s;
}
