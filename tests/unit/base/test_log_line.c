#include "shared/base/log_line.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/unit.h"

static const struct log_field no_fields[] = {{.name = NULL}};

static struct log_line
line_with(const struct log_field *fields)
{
	return (struct log_line){.level = LEVEL_WARN,
	        .wall_us = 1795314255123456,
	        .component = "worker",
	        .event = "auth.denied",
	        .fields = fields};
}

/* A line is printable, but for the newline at its end. */
static void
ck_one_line(const struct buf *b)
{
	ck_assert(buf_ok(b));
	ck_assert_uint_le(b->len, LOG_LINE);
	for (size_t i = 0; i < b->len; i++)
		ck_assert_int_eq((unsigned char)b->data[i] < 0x20, i == b->len - 1);
	ck_assert_int_eq(b->data[b->len - 1], '\n');
}

static void
ck_text(const struct buf *b, const char *expected)
{
	ck_assert_msg(b->len == strlen(expected) && memcmp(b->data, expected, b->len) == 0, "%.*s",
	        (int)b->len, b->data);
}

START_TEST(the_two_formats)
{
	const struct log_field fields[] = {TEXT_F("route", "/v1/\"x\""), INT_F("status", 403),
	        TEXT_F("none", NULL), no_fields[0]};
	struct log_line line = line_with(fields);
	AUTO(buf) struct buf b = BUF(LOG_LINE);

	log_line_put(&b, &line, LOG_JSON);
	ck_text(&b, "{\"time\":\"2026-11-22T02:24:15.123456Z\",\"level\":\"warn\",\"component\":"
	            "\"worker\",\"msg\":\"auth.denied\",\"route\":\"/v1/\\\"x\\\"\",\"status\":403,"
	            "\"none\":\"\"}\n");
	buf_clear(&b);
	line.suppressed = 5;
	log_line_put(&b, &line, LOG_TEXT);
	ck_text(&b, "2026-11-22T02:24:15.123456Z warn  worker auth.denied suppressed=5 "
	            "route=\"/v1/\\\"x\\\"\" status=403 none=\"\"\n");
}
END_TEST

/* CF7: whatever a stranger puts into a value, the line stays one line and JSON. */
static const char *const injections[] = {"\n{\"level\":\"error\",\"msg\":\"forged\"}\n",
        "\r\nSet-Cookie: x", "\x1b[2J\x1b]0;title\x07", "\xc2\x9b[31m", "\",\"level\":\"debug",
        "\\", "\\\"", "\xff\xfe\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x01\x02\x1f\x7f",
        "\xe2\x80\xa8\xe2\x80\xa9", "%s%n%x", "</script><script>", "\t\v\f\b", ""};

START_TEST(CF7_no_value_forges_a_line)
{
	const struct log_field fields[] = {TEXT_F("value", injections[_i]), no_fields[0]};
	const struct log_line line = line_with(fields);

	for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
		AUTO(buf) struct buf b = BUF(LOG_LINE);
		AUTO(json) struct json *doc = NULL;
		struct err e = {0};

		log_line_put(&b, &line, (enum log_format)format);
		ck_one_line(&b);
		ck_assert_ptr_null(memchr(b.data, 0x1b, b.len));
		ck_assert_ptr_null(memchr(b.data, 0x7f, b.len));
		ck_assert_ptr_null(memmem(b.data, b.len, "\xc2\x9b", 2));
		if (format == LOG_TEXT)
			continue;
		ck_assert(json_parse(b.data, b.len, &json_limits_default, &doc, &e));
		ck_assert_uint_eq(json_count(json_root(doc)), 5);
	}
}
END_TEST

/* Fields of that many bytes each; those that do not fit are left out and the line says so. */
static void
ck_long(size_t len, enum log_format format)
{
	AUTO(buf) struct buf b = BUF(LOG_LINE);
	AUTO(json) struct json *doc = NULL;
	char *value = malloc(len + 1);
	const struct log_field fields[] = {TEXT_F("first", "kept"), TEXT_F("long", value),
	        TEXT_F("last", "kept too"), no_fields[0]};
	const struct log_line line = line_with(fields);
	struct err e = {0};

	memset(value, '\x01', len);
	value[len] = '\0';
	log_line_put(&b, &line, format);
	ck_one_line(&b);
	ck_assert_ptr_nonnull(memmem(b.data, b.len, "kept too", 8));
	ck_assert_ptr_nonnull(memmem(b.data, b.len, "truncated", 9));
	ck_assert_ptr_null(memmem(b.data, b.len, "long", 4));
	ck_assert(format == LOG_TEXT || json_parse(b.data, b.len, &json_limits_default, &doc, &e));
	free(value);
}

START_TEST(what_does_not_fit_is_left_out)
{
	ck_long(LOG_LINE, LOG_JSON);
	ck_long(LOG_LINE / 6, LOG_JSON);
	ck_long(MIB(1), LOG_TEXT);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const struct log_line line = line_with(no_fields);
	AUTO(buf) struct buf b = BUF(LOG_LINE);

	fault_allocation(1);
	log_line_put(&b, &line, LOG_JSON);
	ck_assert(!buf_ok(&b));
}
END_TEST

Suite *
log_line_suite(void)
{
	Suite *s = suite_create("log_line");
	TCase *tc = tcase_create("log_line");

	tcase_add_test(tc, the_two_formats);
	tcase_add_loop_test(tc, CF7_no_value_forges_a_line, 0, COUNT(injections));
	tcase_add_test(tc, what_does_not_fit_is_left_out);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
