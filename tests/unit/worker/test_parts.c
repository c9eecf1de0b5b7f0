/* The runner's pure parts: lines, output, frames, restart policy, steps, reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/worker/rig.h"
#include "worker/held_table.h"
#include "worker/link_wire.h"
#include "worker/runner/environment.h"
#include "worker/runner/frame.h"
#include "worker/runner/lines.h"

/* ---- lines ---- */

/* Feeds text in pieces of size piece; writes what came out: lines with '|', "!" for one too long.
 */
static void
split(const char *text, size_t piece, size_t max, struct buf *out)
{
	struct lines l = lines_new(max);
	const char *line;
	size_t len;

	for (size_t at = 0; at < strlen(text); at += piece) {
		const size_t left = strlen(text) - at;
		enum lines_got got;

		ck_assert_int_eq(lines_add(&l, text + at, left < piece ? left : piece), LINES_NONE);
		while ((got = lines_next(&l, &line, &len)) != LINES_NONE) {
			if (got == LINES_LINE)
				buf_add(out, line, len);
			buf_text(out, got == LINES_LINE ? "|" : "!");
		}
	}
	lines_free(&l);
}

static const struct {
	const char *text, *out;
} streams[] = {
        {"a\nbb\n",                       "a|bb|"    },
        {"\n\n",                          "||"       },
        {"no end",                        ""         },
        {"12345678\n",                    "12345678|"},
        {"123456789\nx\n",                "!x|"      },
        {"123456789",                     "!"        },
        {"123456789012345678901234\nx\n", "!x|"      },
        {"a\n123456789\n123456789\nb\n",  "a|!!b|"   },
};

START_TEST(lines_do_not_depend_on_how_the_bytes_were_split)
{
	for (size_t piece = 1; piece <= strlen(streams[_i].text); piece++) {
		AUTO(buf) struct buf out = BUF(KIB(1));

		split(streams[_i].text, piece, 8, &out);
		ck_assert_str_eq(rig_text(&out), streams[_i].out);
	}
}
END_TEST

START_TEST(a_line_without_memory_is_said_so)
{
	struct lines l = lines_new(8);

	fault_allocation(1);
	ck_assert_int_eq(lines_add(&l, "a\n", 2), LINES_NOMEM);
	fault_allocation(0);
	lines_free(&l);
}
END_TEST

/* ---- output ---- */

static const struct {
	const char *bytes;
	size_t len, repeat;
	const char *text;
} prints[] = {
        {"",                  0,  0,   ""                                                               },
        {"abc",               3,  1,   "abc"                                                            },
        {"0123456789",        10, 1,   "0123456789"                                                     },
        {"0123456789abcdef",  16, 1,   "0123456789abcdef"                                               },
        {"0123456789abcdefg", 17, 1,
         "01234567\n\xE2\x80\xA6 1 bytes dropped \xE2\x80\xA6\n9abcdefg"                                },
        {"ab",                2,  500, "abababab\n\xE2\x80\xA6 984 bytes dropped \xE2\x80\xA6\nabababab"},
        {"\xFF",              1,  2,   "\xEF\xBF\xBD"                                                   },
        {"a\xFF",             2,  2,
         "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"                                                                         },
        {"a\xFF",             2,  8,
         "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"
                "a\xEF\xBF\xBD"                                                                         },
        {"a\0b",              3,  1,
         "a\xEF\xBF\xBD"
                "b"                                                                                     },
 /* a character across the seam of head and tail is whole when nothing is missing */
        {"1234567\xC3\xA4x",  10, 1,   "1234567\xC3\xA4x"                                               },
};

START_TEST(output_keeps_head_and_tail)
{
	struct output o = output_new(16);
	AUTO(buf) struct buf text = BUF(KIB(4));

	for (size_t i = 0; i < prints[_i].repeat; i++)
		output_add(&o, prints[_i].bytes, prints[_i].len);
	output_text(&o, &text);
	ck_assert_str_eq(rig_text(&text), prints[_i].text);
	output_free(&o);
}
END_TEST

START_TEST(output_survives_any_amount_in_any_pieces)
{
	struct output o = output_new(KIB(64));
	AUTO(buf) struct buf text = BUF(KIB(128));
	static char chunk[200000];

	memset(chunk, 'z', sizeof(chunk));
	for (size_t i = 1; i <= 300; i++)
		output_add(&o, chunk, i * 997 % sizeof(chunk));
	output_text(&o, &text);
	ck_assert(buf_ok(&text));
	ck_assert_uint_lt(text.len, KIB(64) + 64);
	ck_assert_uint_le(o.tail.cap, o.tail.max);
	output_free(&o);
}
END_TEST

START_TEST(tagged_output_names_its_process_on_each_line)
{
	struct output o = output_new(KIB(1));
	AUTO(buf) struct buf text = BUF(KIB(4));

	output_add_tagged(&o, "[p#1] ", "one\ntwo\nhalf", 12);
	output_text(&o, &text);
	ck_assert_str_eq(rig_text(&text), "[p#1] one\n[p#1] two\n[p#1] half");
	output_free(&o);
}
END_TEST

START_TEST(output_without_memory_only_counts)
{
	struct output o = output_new(16);
	AUTO(buf) struct buf text = BUF(KIB(1));

	fault_allocation(1);
	output_add(&o, "abc", 3);
	fault_allocation(0);
	output_text(&o, &text);
	ck_assert_ptr_nonnull(strstr(rig_text(&text), "3 bytes dropped"));
	output_free(&o);
}
END_TEST

/* ---- frames ---- */

static const struct json_limits frame_limits = {.bytes = 1000, .nodes = 20, .depth = 4};

static const struct {
	const char *line;
	bool ok;
	enum frame_type type;
	const char *id;
} frames[] = {
        {"{\"type\":\"result\",\"id\":\"a.1\",\"result\":1}", true,  FRAME_RESULT,     "a.1"},
        {" { \"type\" : \"pong\" , \"n\" : 1 } ",             true,  FRAME_PONG,       ""   },
        {"{\"type\":\"ready\"}",                              true,  FRAME_READY,      ""   },
        {"{\"type\":\"error\",\"id\":7}",                     true,  FRAME_ERROR,      ""   },
        {"{\"type\":\"progress\"}",                           true,  FRAME_PROGRESS,   ""   },
        {"{\"type\":\"log\"}",                                true,  FRAME_LOG,        ""   },
        {"{\"type\":\"checkpoint\"}",                         true,  FRAME_CHECKPOINT, ""   },
        {"{\"type\":\"wait\"}",                               true,  FRAME_WAIT,       ""   },
        {"{\"type\":\"later\"}",                              true,  FRAME_UNKNOWN,    ""   },
        {"{\"type\":7}",                                      false, FRAME_UNKNOWN,    NULL },
        {"{}",                                                false, FRAME_UNKNOWN,    NULL },
        {"[]",                                                false, FRAME_UNKNOWN,    NULL },
        {"\"type\"",                                          false, FRAME_UNKNOWN,    NULL },
        {"",                                                  false, FRAME_UNKNOWN,    NULL },
        {"{\"type\":\"result\",\"type\":\"result\"}",         false, FRAME_UNKNOWN,    NULL },
        {"{\"type\":\"result\",\"result\":NaN}",              false, FRAME_UNKNOWN,    NULL },
        {"{\"type\":\"result\"} x",                           false, FRAME_UNKNOWN,    NULL },
        {"{\"type\":\"result\",\"result\":[[[[1]]]]}",        false, FRAME_UNKNOWN,    NULL },
        {"{\"type\":\"result\",\"result\":\"\xFF\"}",         false, FRAME_UNKNOWN,    NULL },
};

START_TEST(a_frame_is_one_strict_object_with_a_type)
{
	AUTO(frame) struct frame f = {0};
	struct err e = {0};
	const bool ok =
	        frame_parse(frames[_i].line, strlen(frames[_i].line), &frame_limits, &f, &e);

	ck_assert_int_eq(ok, frames[_i].ok);
	if (!ok) {
		ck_assert_str_ne(e.text, "");
		ck_assert_ptr_null(f.doc);
		return;
	}
	ck_assert_int_eq(f.type, frames[_i].type);
	ck_assert_str_eq(f.id, frames[_i].id);
}
END_TEST

START_TEST(frames_to_a_handler_are_single_lines)
{
	AUTO(buf) struct buf out = BUF(KIB(4));

	frame_hello(&out,
	        &(struct hello){.worker = "w\n1", .frame_bytes = 2048, .heartbeat_ms = 10000});
	frame_cancel(&out, "a.1", "timeout", 500);
	frame_ping(&out, 17);
	frame_drain(&out);
	ck_assert_str_eq(rig_text(&out),
	        "{\"type\":\"hello\",\"protocol\":1,\"worker\":\"w\\n1\",\"limits\":{\"frame\":"
	        "2048},"
	        "\"heartbeat_ms\":10000}\n"
	        "{\"type\":\"cancel\",\"id\":\"a.1\",\"reason\":\"timeout\",\"grace_ms\":500}\n"
	        "{\"type\":\"ping\",\"n\":17}\n"
	        "{\"type\":\"drain\"}\n");
}
END_TEST

START_TEST(a_step_is_written_on_one_line_with_its_deadline)
{
	AUTO(step) struct step *s = rig_step(1, 2, "demo.greet", "{ \"a\" :\n [ 1 , 2.50 ] }", 7);
	AUTO(buf) struct buf out = BUF(KIB(4));
	const char *text;

	ck_assert_str_eq(s->id, "00000000-0000-7000-8000-000000000001.2");
	ck_assert_int_eq(s->timeout_s, 7);
	ck_assert_int_eq(s->max_attempts, 3);
	ck_assert_uint_eq(s->input_len, strlen("{\"a\":[1,2.50]}"));
	ck_assert_int_eq(memcmp(s->frame + s->input_at, "{\"a\":[1,2.50]}", s->input_len), 0);
	step_write(s, 0, &out);
	text = rig_text(&out);
	ck_assert_ptr_nonnull(strstr(text, ",\"deadline\":\"1970-01-01T00:00:00.000000Z\"}\n"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + out.len - 1);
}
END_TEST

static const char *const bad_steps[] = {
        "1",
        "{}",
        "{\"id\":\"x\"}",
        /* each lacks or spoils one member of a whole frame */
        "{\"id\":\"\",\"step_uuid\":\"u\",\"attempt\":1,\"handler\":\"h\",\"task\":\"t\","
        "\"namespace\":\"n\",\"template\":\"t\",\"step\":\"s\",\"idempotency_key\":\"k\"}",
        "{\"id\":\"i\",\"step_uuid\":\"u\",\"attempt\":-1,\"handler\":\"h\",\"task\":\"t\","
        "\"namespace\":\"n\",\"template\":\"t\",\"step\":\"s\",\"idempotency_key\":\"k\"}",
        "{\"id\":\"i\",\"step_uuid\":\"u\",\"attempt\":1,\"handler\":\"h\",\"task\":\"t\","
        "\"namespace\":\"n\",\"template\":\"t\",\"step\":\"s\"}",
        "{\"id\":\"i\",\"step_uuid\":\"u\",\"attempt\":1,\"handler\":\"h\",\"task\":\"t\","
        "\"namespace\":\"n\",\"template\":\"t\",\"step\":\"s\",\"idempotency_key\":\"k\","
        "\"timeout_seconds\":0}",
        "{\"id\":\"i\",\"step_uuid\":\"u\",\"attempt\":1,\"handler\":\"h\",\"task\":\"t\","
        "\"namespace\":\"n\",\"template\":\"t\",\"step\":\"s\",\"idempotency_key\":\"k\","
        "\"timeout_seconds\":99999999999}",
};

START_TEST(a_step_without_its_members_is_refused)
{
	AUTO(json) struct json *doc = NULL;
	AUTO(step) struct step *s = NULL;
	struct err e = {0};

	ck_assert(json_parse(bad_steps[_i], strlen(bad_steps[_i]), &json_limits_default, &doc, &e));
	ck_assert(!step_parse(doc, json_root(doc), &s, &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(every_allocation_of_a_step_may_fail)
{
	AUTO(step) struct step *whole = rig_step(1, 1, "demo.greet", "{}", 0);
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	bool built = false;

	ck_assert(json_parse(whole->frame, whole->frame_len, &json_limits_default, &doc, &e));
	for (unsigned nth = 1; !built && nth < 100; nth++) {
		AUTO(step) struct step *s = NULL;

		fault_allocation(nth);
		built = step_parse(doc, json_root(doc), &s, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_ptr_null(s);
	}
	ck_assert(built);
}
END_TEST

/* ---- reports ---- */

START_TEST(a_report_says_what_became_of_its_attempt)
{
	AUTO(step) struct step *s = rig_step(1, 2, "demo.greet", "{}", 0);
	AUTO(step_report) struct step_report *r = NULL;
	AUTO(buf) struct buf out = BUF(KIB(16));
	struct json_out w = json_out_on(&out);
	struct err e = {0};

	ck_assert(step_report_new(s, &r, &e));
	step_report_error(r, "UPSTREAM_503", true, "line\n%s", "two");
	r->retry_after_ms = 30000;
	r->ran_us = 12345;
	buf_text(&r->log, "a \"log\"\n");
	step_report_write(r, &w);
	ck_assert_str_eq(rig_text(&out),
	        "{\"step\":\"00000000-0000-7000-8000-000000000001\",\"attempt\":2,\"outcome\":"
	        "\"error\","
	        "\"error\":{\"code\":\"UPSTREAM_503\",\"message\":\"line\\ntwo\",\"retryable\":"
	        "true,"
	        "\"retry_after_ms\":30000},\"log\":\"a \\\"log\\\"\\n\",\"execution_time_ms\":12}");
	ck_assert_uint_ge(step_report_size(r), out.len);
}
END_TEST

/* ---- restart policy ---- */

static const struct restart_policy policy = {
        .least_us = 1000000, .most_us = 60000000, .window_us = 60000000};

START_TEST(the_delay_doubles_up_to_its_most)
{
	static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct restart r = {.streak = 0};

	for (size_t i = 0; i < COUNT(seconds); i++)
		ck_assert_int_eq(restart_failed(&r, &policy, (int64_t)i + 1), seconds[i] * 1000000);
	for (size_t i = 0; i < 100; i++)
		ck_assert_int_eq(restart_failed(&r, &policy, 100), 60000000);
	restart_worked(&r);
	ck_assert_int_eq(restart_failed(&r, &policy, 100), 1000000);
}
END_TEST

START_TEST(five_failures_in_the_window_are_unhealthy_and_the_window_moves)
{
	struct restart r = {.streak = 0};
	const int64_t s = 1000000;

	ck_assert(restart_healthy(&r, &policy, s));
	for (int64_t i = 1; i <= 5; i++) {
		ck_assert(restart_healthy(&r, &policy, i * 10 * s));
		(void)restart_failed(&r, &policy, i * 10 * s);
	}
	ck_assert(!restart_healthy(&r, &policy, 50 * s));
	ck_assert(!restart_healthy(&r, &policy, 70 * s - 1));
	ck_assert(restart_healthy(&r, &policy, 70 * s)); /* the first, at 10 s, is a minute old */
	(void)restart_failed(&r, &policy, 75 * s);
	ck_assert(!restart_healthy(&r, &policy, 79 * s)); /* that of 20 s is the oldest now */
	ck_assert(restart_healthy(&r, &policy, 80 * s));
}
END_TEST

/* ---- what is held ---- */

START_TEST(a_held_table_is_bounded_and_keeps_its_order)
{
	struct held_table t;
	struct err e = {0};

	ck_assert(held_table_init(&t, 3, &e));
	ck_assert(held_table_add(&t, "a", 1));
	ck_assert(held_table_add(&t, "b", 1));
	ck_assert(held_table_add(&t, "a", 2));
	ck_assert(!held_table_add(&t, "c", 1));
	ck_assert_ptr_eq(held_table_find(&t, "a", 2), &t.items[2]);
	ck_assert_ptr_null(held_table_find(&t, "b", 2));
	held_table_remove(&t, &t.items[0]);
	ck_assert_str_eq(t.items[0].step, "b");
	ck_assert_int_eq(t.items[1].attempt, 2);
	ck_assert_uint_eq(held_table_running(&t), 2);
	held_table_free(&t);
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *pattern, *callable;
	bool matches;
} callables[] = {
        {"demo.greet", "demo.greet",   true },
        {"demo.greet", "demo.greeter", false},
        {"demo.*",     "demo.greet",   true },
        {"demo.*",     "demo.a.b",     true },
        {"demo.*",     "demo.",        false},
        {"demo.*",     "demo",         false},
        {"demo.*",     "demonic.x",    false},
        {"*",          "demo.greet",   false},
        {"",           "",             true },
};

START_TEST(a_pattern_covers_what_is_below_it)
{
	ck_assert_int_eq(callable_matches(callables[_i].pattern, callables[_i].callable),
	        callables[_i].matches);
}
END_TEST

START_TEST(an_environment_replaces_and_is_bounded)
{
	AUTO(environment) struct environment env = {0};
	static const char *const items[] = {"A=1", "nonsense", "B=2=3", "A=4", NULL};
	char name[16];

	environment_put_all(&env, items);
	ck_assert_uint_eq(env.count, 2);
	ck_assert_str_eq(env.items[0], "A=4");
	ck_assert_str_eq(env.items[1], "B=2=3");
	for (unsigned i = 0; i < ENVIRONMENT_MAX; i++) {
		(void)snprintf(name, sizeof(name), "N%u", i);
		environment_put(&env, name, "");
	}
	ck_assert(env.failed);
	ck_assert_ptr_null(env.items[ENVIRONMENT_MAX]);
}
END_TEST

/* ---- refusals ---- */

static const struct {
	const char *body, *says;
} refusals[] = {
        {"{\"status\":403,\"detail\":\"no\"}",    "no"                },
        {"{\"detail\":\"12345678901234567890\"}", "{\"detail\":\"1234"}, /* too long: the body */
        {"{\"detail\":7}",                        "{\"detail\":7}"    },
        {"{\"detail\":\"no\"",                    "{\"detail\":\"no\""},
        {"[]",                                    "[]"                },
        {"<html>Bad Gateway</html>",              "<html>Bad Gatew"   },
        {"",                                      ""                  },
};

START_TEST(a_refusal_is_told_in_its_own_words)
{
	char said[16];

	link_refusal_read(refusals[_i].body, strlen(refusals[_i].body), said, sizeof(said));
	ck_assert_str_eq(said, refusals[_i].says);
}
END_TEST

Suite *
parts_suite(void)
{
	Suite *suite = suite_create("worker_parts");
	TCase *tc = tcase_create("parts");

	tcase_add_loop_test(tc, lines_do_not_depend_on_how_the_bytes_were_split, 0, COUNT(streams));
	tcase_add_test(tc, a_line_without_memory_is_said_so);
	tcase_add_loop_test(tc, output_keeps_head_and_tail, 0, COUNT(prints));
	tcase_add_test(tc, output_survives_any_amount_in_any_pieces);
	tcase_add_test(tc, tagged_output_names_its_process_on_each_line);
	tcase_add_test(tc, output_without_memory_only_counts);
	tcase_add_loop_test(tc, a_frame_is_one_strict_object_with_a_type, 0, COUNT(frames));
	tcase_add_test(tc, frames_to_a_handler_are_single_lines);
	tcase_add_test(tc, a_step_is_written_on_one_line_with_its_deadline);
	tcase_add_loop_test(tc, a_step_without_its_members_is_refused, 0, COUNT(bad_steps));
	tcase_add_test(tc, every_allocation_of_a_step_may_fail);
	tcase_add_test(tc, a_report_says_what_became_of_its_attempt);
	tcase_add_test(tc, the_delay_doubles_up_to_its_most);
	tcase_add_test(tc, five_failures_in_the_window_are_unhealthy_and_the_window_moves);
	tcase_add_test(tc, a_held_table_is_bounded_and_keeps_its_order);
	tcase_add_loop_test(tc, a_pattern_covers_what_is_below_it, 0, COUNT(callables));
	tcase_add_test(tc, an_environment_replaces_and_is_bounded);
	tcase_add_loop_test(tc, a_refusal_is_told_in_its_own_words, 0, COUNT(refusals));
	suite_add_tcase(suite, tc);
	return suite;
}
