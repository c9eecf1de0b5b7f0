/* What every reply carries, and what no caller can put into it (HP16). */
#include "shared/http/reply.h"

#include <string.h>

#include "tests/unit/unit.h"

static const int64_t wall_us = 784111777LL * 1000000; /* the date of RFC 9110 §5.6.7 */

static struct reply_writer writer;

static const char *
head_of(const struct http_reply *r, size_t len, enum reply_connection connection)
{
	reply_write_head(&writer, r, len, connection, wall_us);
	ck_assert_uint_lt(writer.len, sizeof(writer.bytes));
	writer.bytes[writer.len] = '\0';
	return writer.bytes;
}

START_TEST(a_reply_has_length_date_and_the_security_fields_HP16)
{
	const struct http_reply r = {.status = 200, .content_type = "application/json"};

	ck_assert_str_eq(head_of(&r, 1234567, REPLY_STAYS),
	        "HTTP/1.1 200 OK\r\n"
	        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	        "X-Content-Type-Options: nosniff\r\n"
	        "Content-Length: 1234567\r\n"
	        "Content-Type: application/json\r\n"
	        "Cache-Control: no-store\r\n\r\n");
}
END_TEST

START_TEST(the_date_follows_the_clock)
{
	const struct http_reply r = {.status = 200};

	ck_assert_ptr_nonnull(strstr(head_of(&r, 0, REPLY_STAYS), "Sun, 06 Nov 1994 08:49:37 GMT"));
	reply_write_head(&writer, &r, 0, REPLY_STAYS, wall_us + 1000000);
	ck_assert_ptr_nonnull(memmem(writer.bytes, writer.len, "08:49:38", 8));
}
END_TEST

static const struct {
	int64_t second;
	const char *text;
} dates[] = {
        {0,            "Thu, 01 Jan 1970 00:00:00 GMT"},
        {951782399,    "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400,    "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1795305600,   "Sun, 22 Nov 2026 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

START_TEST(a_date_is_printed_as_rfc_9110_says)
{
	char text[REPLY_DATE];

	reply_date(dates[_i].second, text);
	ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

START_TEST(persistence_is_said_where_it_has_to_be)
{
	const struct http_reply r = {.status = 200};

	ck_assert_ptr_null(strstr(head_of(&r, 0, REPLY_STAYS), "Connection"));
	ck_assert_ptr_nonnull(strstr(head_of(&r, 0, REPLY_CLOSES), "\r\nConnection: close\r\n"));
	ck_assert_ptr_nonnull(
	        strstr(head_of(&r, 0, REPLY_STAYS_AND_SAYS_SO), "\r\nConnection: keep-alive\r\n"));
}
END_TEST

static const struct {
	int status;
	enum method method;
	bool length, body;
} bodies[] = {
        {200, METHOD_GET,  true,  true },
        {200, METHOD_HEAD, true,  false},
        {204, METHOD_GET,  false, false},
        {304, METHOD_GET,  false, false},
        {404, METHOD_HEAD, true,  false},
        {400, METHOD_NONE, true,  true },
};

START_TEST(a_reply_has_one_length_or_none_where_no_body_can_be_HP16)
{
	const struct http_reply r = {.status = bodies[_i].status};
	const char *first = strstr(head_of(&r, 7, REPLY_STAYS), "Content-Length: 7\r\n");

	ck_assert_int_eq(first != NULL, bodies[_i].length);
	if (first != NULL)
		ck_assert_ptr_null(strstr(first + 1, "Content-Length"));
	ck_assert_int_eq(reply_has_body(bodies[_i].status, bodies[_i].method), bodies[_i].body);
}
END_TEST

static const struct {
	const char *name, *value;
	bool kept;
} fields[] = {
        {"X-Request-Id",      "abc",                true },
        {"Location",          "/v1/tasks/1",        true },
        {"X-Empty",           "",                   true },
        {"X-Inj",             "a\r\nSet-Cookie: b", false},
        {"X-Inj",             "a\nb",               false},
        {"X-Inj",             "a\rb",               false},
        {"X-Inj",             "\x1b[31m",           false},
        {"X-Inj",             "a\tb",               false},
        {"X-Inj",             "a\x7f",              false},
        {"X-Inj",             NULL,                 false},
        {"X Inj",             "a",                  false},
        {"X-Inj: a\r\nB",     "a",                  false},
        {"",                  "a",                  false},
        {"content-length",    "3",                  false},
        {"Transfer-Encoding", "chunked",            false},
        {"connection",        "keep-alive",         false},
        {"Date",              "yesterday",          false},
};

START_TEST(a_field_that_breaks_the_framing_is_dropped_HP16)
{
	const struct reply_field f = {fields[_i].name, fields[_i].value};
	const struct http_reply plain = {.status = 201};
	const struct http_reply r = {.status = 201, .fields = &f, .field_count = 1};
	const size_t before =
	        (reply_write_head(&writer, &plain, 0, REPLY_STAYS, wall_us), writer.len);

	(void)head_of(&r, 0, REPLY_STAYS);
	ck_assert_uint_eq(
	        writer.len, before + (fields[_i].kept ? strlen(f.name) + strlen(f.value) + 4 : 0));
}
END_TEST

START_TEST(a_content_type_with_a_line_in_it_is_dropped_HP16)
{
	const struct http_reply r = {.status = 200, .content_type = "text/html\r\nX-Inj: 1"};

	ck_assert_ptr_null(strstr(head_of(&r, 0, REPLY_STAYS), "X-Inj"));
}
END_TEST

START_TEST(the_callers_cache_control_replaces_ours)
{
	const struct reply_field f = {"cache-control", "max-age=60"};
	const struct http_reply r = {.status = 200, .fields = &f, .field_count = 1};
	const char *head = head_of(&r, 0, REPLY_STAYS);

	ck_assert_ptr_nonnull(strstr(head, "\r\ncache-control: max-age=60\r\n"));
	ck_assert_ptr_null(strstr(head, "no-store"));
}
END_TEST

START_TEST(fields_stop_where_the_head_is_full)
{
	static char value[REPLY_HEAD_MAX];
	struct reply_field f[3] = {
	        {"A", value  },
                {"B", value  },
                {"C", "short"}
        };
	const struct http_reply r = {.status = 200, .fields = f, .field_count = 3};
	const char *head;

	memset(value, 'v', sizeof(value) - 1);
	value[REPLY_HEAD_MAX - 1024] = '\0';
	head = head_of(&r, 0, REPLY_STAYS);
	ck_assert_ptr_nonnull(strstr(head, "\r\nA: v"));
	ck_assert_ptr_null(strstr(head, "\r\nB: v"));
	ck_assert_ptr_nonnull(strstr(head, "\r\nC: short\r\nCache-Control: no-store\r\n\r\n"));
}
END_TEST

START_TEST(a_status_without_a_row_is_500)
{
	const struct http_reply r = {.status = 799};

	ck_assert_int_eq(strncmp(head_of(&r, 0, REPLY_STAYS), "HTTP/1.1 500 ", 13), 0);
}
END_TEST

Suite *
reply_suite(void)
{
	Suite *s = suite_create("reply");
	TCase *tc = tcase_create("head");

	tcase_add_loop_test(tc, a_field_that_breaks_the_framing_is_dropped_HP16, 0, COUNT(fields));
	tcase_add_test(tc, a_content_type_with_a_line_in_it_is_dropped_HP16);
	tcase_add_test(tc, a_reply_has_length_date_and_the_security_fields_HP16);
	tcase_add_test(tc, the_date_follows_the_clock);
	tcase_add_loop_test(tc, a_date_is_printed_as_rfc_9110_says, 0, COUNT(dates));
	tcase_add_test(tc, persistence_is_said_where_it_has_to_be);
	tcase_add_loop_test(
	        tc, a_reply_has_one_length_or_none_where_no_body_can_be_HP16, 0, COUNT(bodies));
	tcase_add_test(tc, the_callers_cache_control_replaces_ours);
	tcase_add_test(tc, fields_stop_where_the_head_is_full);
	tcase_add_test(tc, a_status_without_a_row_is_500);
	suite_add_tcase(s, tc);
	return s;
}
