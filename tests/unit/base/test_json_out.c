#include "shared/base/json_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/unit.h"

START_TEST(commas_and_colons_are_the_writers_business)
{
	static const char expected[] =
	        "{\"t\":\"x\",\"none\":null,\"a\":[1,-2,[],{},\"b\"],\"d\":0.1,\"inf\":null,"
	        "\"yes\":true,\"no\":false,\"when\":\"2026-11-22T02:24:15.123456Z\",\"never\":null,"
	        "\"raw\":{\"k\":1},\"empty\":null,\"bytes\":\"ab\",\"last\":null}";
	AUTO(buf) struct buf b = BUF(1000);
	struct json_out w = json_out_on(&b);

	json_open(&w, NULL, '{');
	json_put_text(&w, "t", "x");
	json_put_text(&w, "none", NULL);
	json_open(&w, "a", '[');
	json_put_int(&w, NULL, 1);
	json_put_int(&w, NULL, -2);
	json_open(&w, NULL, '[');
	json_close(&w, ']');
	json_open(&w, NULL, '{');
	json_close(&w, '}');
	json_put_text(&w, NULL, "b");
	json_close(&w, ']');
	json_put_double(&w, "d", 0.1);
	json_put_double(&w, "inf", (double)INFINITY);
	json_put_bool(&w, "yes", true);
	json_put_bool(&w, "no", false);
	json_put_time(&w, "when", 1795314255123456);
	json_put_time(&w, "never", 0);
	json_put_raw(&w, "raw", "{\"k\":1}", 7);
	json_put_raw(&w, "empty", "", 0);
	json_put_bytes(&w, "bytes", "abc", 2);
	json_put_null(&w, "last");
	json_close(&w, '}');
	ck_assert(buf_ok(&b));
	ck_assert_msg(b.len == strlen(expected) && memcmp(b.data, expected, b.len) == 0, "%.*s",
	        (int)b.len, b.data);
}
END_TEST

static const double doubles[] = {0, -0.0, 1, 100, -7, 999999999999999, 1e15, 0.1, 1.0 / 3, 1e21,
        -1.5e-300, 4.9e-324, 1.7976931348623157e308, 9007199254740993.0};

START_TEST(a_double_comes_back_as_it_was)
{
	AUTO(buf) struct buf b = BUF(100);
	AUTO(json) struct json *doc = NULL;
	struct json_out w = json_out_on(&b);
	struct err e = {0};
	double back;

	json_put_double(&w, NULL, doubles[_i]);
	ck_assert(json_parse(b.data, b.len, &json_limits_default, &doc, &e));
	ck_assert(json_double(doc, json_root(doc), &back));
	ck_assert_int_eq(memcmp(&back, &doubles[_i], sizeof(back)), 0);
}
END_TEST

START_TEST(not_a_number_is_null)
{
	AUTO(buf) struct buf b = BUF(100);
	struct json_out w = json_out_on(&b);

	json_put_double(&w, NULL, (double)NAN);
	json_put_double(&w, NULL, (double)-INFINITY);
	ck_assert_uint_eq(b.len, 9);
	ck_assert_mem_eq(b.data, "null,null", 9);
}
END_TEST

/* Z14: what is escaped, and what invalid UTF-8 becomes. */
static const struct {
	const char *text, *escaped;
} texts[] = {
        {"plain / text",                        "plain / text"                        },
        {"\"\\",                                "\\\"\\\\"                            },
        {"\b\f\n\r\t",                          "\\b\\f\\n\\r\\t"                     },
        {"\x01\x1b[31m\x1f\x7f",                "\\u0001\\u001b[31m\\u001f\\u007f"    },
        {"\xc2\x9b"
         "0m",                         "\\u009b0m"                           },
        {"\xe2\x80\xa8\xe2\x80\xa9",            "\\u2028\\u2029"                      },
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80" },
        {"a\xff"
         "b\xc3",                      "a\xef\xbf\xbd"
                "b\xef\xbf\xbd"                             },
        {"\xed\xa0\x80",                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(nothing_a_reader_would_obey_stays_raw)
{
	AUTO(buf) struct buf b = BUF(1000);

	json_escape(&b, texts[_i].text, strlen(texts[_i].text));
	ck_assert(buf_ok(&b));
	ck_assert_msg(
	        b.len == strlen(texts[_i].escaped) && memcmp(b.data, texts[_i].escaped, b.len) == 0,
	        "%.*s", (int)b.len, b.data);
}
END_TEST

START_TEST(every_byte_comes_back_in_names_and_values)
{
	char text[] = "axz";
	struct err e = {0};

	for (int c = 1; c < 128; c++) {
		AUTO(buf) struct buf b = BUF(100);
		AUTO(json) struct json *doc = NULL;
		struct json_out w = json_out_on(&b);

		text[1] = (char)c;
		json_open(&w, NULL, '{');
		json_put_text(&w, text, text);
		json_close(&w, '}');
		ck_assert_msg(
		        json_parse(b.data, b.len, &json_limits_default, &doc, &e), "%s", e.text);
		ck_assert(json_string_is(doc, json_member(doc, json_root(doc), text), text));
	}
}
END_TEST

START_TEST(a_failure_sticks_to_the_buffer)
{
	AUTO(buf) struct buf b = BUF(12);
	struct json_out w = json_out_on(&b);

	json_open(&w, NULL, '[');
	json_put_text(&w, NULL, "far too long for it");
	json_put_int(&w, NULL, 1);
	json_close(&w, ']');
	ck_assert(!buf_ok(&b));
	fault_allocation(1);
	buf_free(&b);
	json_put_int(&w, NULL, 1);
	ck_assert(!buf_ok(&b));
}
END_TEST

/* Plain text is told in words of eight bytes: whichever byte is not plain, wherever it stands, the
 * string is the one that looking at each byte gives. */
START_TEST(a_string_does_not_depend_on_where_its_special_byte_stands)
{
	enum { LONGEST = 19 };
	AUTO(buf) struct buf whole = BUF(200);
	AUTO(buf) struct buf piecewise = BUF(200);
	char text[LONGEST];
	struct json_out w;

	for (size_t len = 1; len <= LONGEST; len++)
		for (size_t at = 0; at < len; at++)
			for (int c = 0; c < 256; c++) {
				memset(text, 'x', len);
				text[at] = (char)c;
				buf_clear(&whole);
				buf_clear(&piecewise);
				w = json_out_on(&whole);
				json_put_bytes(&w, NULL, text, len);
				buf_char(&piecewise, '"');
				json_escape(&piecewise, text, len);
				buf_char(&piecewise, '"');
				if (whole.len != piecewise.len ||
				        memcmp(whole.data, piecewise.data, whole.len) != 0)
					ck_abort_msg("byte %d at %zu of %zu", c, at, len);
			}
}
END_TEST

Suite *
json_out_suite(void)
{
	Suite *s = suite_create("json_out");
	TCase *tc = tcase_create("json_out");

	tcase_add_test(tc, commas_and_colons_are_the_writers_business);
	tcase_add_loop_test(tc, a_double_comes_back_as_it_was, 0, COUNT(doubles));
	tcase_add_test(tc, not_a_number_is_null);
	tcase_add_loop_test(tc, nothing_a_reader_would_obey_stays_raw, 0, COUNT(texts));
	tcase_add_test(tc, every_byte_comes_back_in_names_and_values);
	tcase_add_test(tc, a_string_does_not_depend_on_where_its_special_byte_stands);
	tcase_add_test(tc, a_failure_sticks_to_the_buffer);
	suite_add_tcase(s, tc);
	return s;
}
