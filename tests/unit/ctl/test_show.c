#include "ctl/show.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text, *shown;
} texts[] = {
        {"plain",                                      "plain"                     },
        {"",                                           ""                          },
        {"\033[2J\033]0;title\007",                    "\\x1b[2J\\x1b]0;title\\x07"},
        {"two\nlines\r\tand",                          "two\\nlines\\r\\tand"      },
        {"\x7f",                                       "\\x7f"                     },
        {"\xc2\x9b"
         "31m",                               "\\x9b31m"                  }, /* CSI in one character */
        {"a\xe2\x80\xae"
         "b",                                 "a\\u202eb"                 }, /* right-to-left override */
        {"a\xe2\x81\xa6"
         "b",                                 "a\\u2066b"                 },
        {"\xe2\x80\xa8",                               "\\u2028"                   },
        {"\xef\xbb\xbf",                               "\\ufeff"                   },
        {"\xff\xfe",                                   "\xef\xbf\xbd\xef\xbf\xbd"  },
        {"Gr\xc3\xbc\xc3\x9f\xe4\xbd\xa0\xe5\xa5\xbd",
         "Gr\xc3\xbc\xc3\x9f\xe4\xbd\xa0\xe5\xa5\xbd"                              },
};

START_TEST(nothing_that_acts_on_a_terminal_passes)
{
	struct buf out = BUF(1024);
	char *shown;

	show_clean(&out, texts[_i].text, strlen(texts[_i].text));
	shown = buf_take_text(&out);
	ck_assert_str_eq(shown, texts[_i].shown);
	free(shown);
}
END_TEST

static const struct {
	const char *json, *shown;
} values[] = {
        {"null",                 "-"                   },
        {"true",                 "yes"                 },
        {"false",                "no"                  },
        {"\"a\\u001bb\"",        "a\\x1bb"             },
        {"18446744073709551615", "18446744073709551615"},
        {"[\"demo\",\"a.b:c\"]", "demo, a.b:c"         },
        {"[]",                   "-"                   },
        {"[\"a, b\"]",           "[\"a, b\"]"          },
        {"[\"\"]",               "[\"\"]"              },
        {"[\"a\",1]",            "[\"a\",1]"           },
        {"{ \"a\" : [ 1 ] }",    "{\"a\":[1]}"         },
};

START_TEST(values_read_as_people_write_them)
{
	AUTO(json) struct json *doc = NULL;
	struct buf out = BUF(1024);
	struct err e = {0};
	char *shown;

	ck_assert(json_parse(
	        values[_i].json, strlen(values[_i].json), &json_limits_default, &doc, &e));
	show_json(&out, doc, json_root(doc));
	shown = buf_take_text(&out);
	ck_assert_str_eq(shown, values[_i].shown);
	free(shown);
}
END_TEST

START_TEST(a_value_past_the_limit_is_cut)
{
	static char json[SHOW_TEXT_MAX + 4];
	AUTO(json) struct json *doc = NULL;
	struct buf out = BUF(MIB(1));
	struct err e = {0};

	memset(json, 'x', sizeof(json));
	json[0] = json[sizeof(json) - 1] = '"';
	ck_assert(json_parse(json, sizeof(json), &json_limits_default, &doc, &e));
	show_json(&out, doc, json_root(doc));
	ck_assert_uint_eq(out.len, SHOW_TEXT_MAX + 3);
	ck_assert_mem_eq(out.data + SHOW_TEXT_MAX, "...", 3);
	buf_clear(&out);
	show_json(&out, doc, NULL);
	ck_assert_mem_eq(out.data, "-", 1);
	buf_free(&out);
}
END_TEST

Suite *
show_suite(void)
{
	Suite *s = suite_create("show");
	TCase *tc = tcase_create("texts");

	tcase_add_loop_test(tc, nothing_that_acts_on_a_terminal_passes, 0, COUNT(texts));
	tcase_add_loop_test(tc, values_read_as_people_write_them, 0, COUNT(values));
	tcase_add_test(tc, a_value_past_the_limit_is_cut);
	suite_add_tcase(s, tc);
	return s;
}
