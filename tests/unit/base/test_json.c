#include "shared/base/json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Parses a text that ends where it ends: reading one byte further is seen by ASan. */
static bool
parses(const char *text, size_t len, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	char *exact = malloc(len > 0 ? len : 1);
	bool good;

	memcpy(exact, text, len);
	good = json_parse(exact, len, &json_limits_default, &doc, e);
	ck_assert_int_eq(doc != NULL, good);
	free(exact);
	return good;
}

/* HP20, JT10: what is no JSON, and what we refuse beyond RFC 8259, with the byte it is said of. */
static const struct {
	const char *text, *why;
} refused[] = {
        {"",                               "byte 0: a value is expected"                    },
        {" \n\t\r",                        "byte 4: a value is expected"                    },
        {"nul",                            "byte 0: a value is expected"                    },
        {"True",                           "byte 0: a value is expected"                    },
        {"NaN",                            "byte 0: a value is expected"                    },
        {"-Infinity",                      "byte 1: a digit is missing"                     },
        {"'a'",                            "byte 0: a value is expected"                    },
        {"\v1",                            "byte 0: a value is expected"                    },
        {"\xef\xbb\xbf{}",                 "byte 0: a value is expected"                    },
        {"/**/1",                          "byte 0: a value is expected"                    },
        {"{} {}",                          "byte 3: something follows the document"         },
        {"1 2",                            "byte 2: something follows the document"         },
        {"truex",                          "byte 4: something follows the document"         },
        {"{",                              "byte 1: a member name is expected"              },
        {"{a:1}",                          "byte 1: a member name is expected"              },
        {"{\"a\"}",                        "byte 4: a colon is expected"                    },
        {"{\"a\":}",                       "byte 5: a value is expected"                    },
        {"{\"a\":1",                       "byte 6: a comma or } is expected"               },
        {"{\"a\":1]",                      "byte 6: a comma or } is expected"               },
        {"{\"a\":1,}",                     "byte 7: a member name is expected"              },
        {"{,}",                            "byte 1: a member name is expected"              },
        {"[",                              "byte 1: a value is expected"                    },
        {"[1",                             "byte 2: a comma or ] is expected"               },
        {"[1 2]",                          "byte 3: a comma or ] is expected"               },
        {"[1,]",                           "byte 3: a value is expected"                    },
        {"[,]",                            "byte 1: a value is expected"                    },
        {"]",                              "byte 0: a value is expected"                    },
        {"01",                             "byte 0: a number begins with 0"                 },
        {"-01",                            "byte 1: a number begins with 0"                 },
        {"+1",                             "byte 0: a value is expected"                    },
        {".5",                             "byte 0: a value is expected"                    },
        {"1.",                             "byte 2: a digit is missing"                     },
        {"1.e3",                           "byte 2: a digit is missing"                     },
        {"1e",                             "byte 2: a digit is missing"                     },
        {"1e+",                            "byte 3: a digit is missing"                     },
        {"0x1",                            "byte 1: something follows the document"         },
        {"-",                              "byte 1: a digit is missing"                     },
        {"[1e999]",                        "byte 1: a number beyond the range of a double"  },
        {"-1e309",                         "byte 0: a number beyond the range of a double"  },
        {"1e99999999999999999999",         "byte 0: a number beyond the range of a double"  },
        {"\"",                             "byte 1: a string without an end"                },
        {"\"\\",                           "byte 1: a string without an end"                },
        {"\"\\\"",                         "byte 3: a string without an end"                },
        {"\"a\nb\"",                       "byte 2: a control character in a string"        },
        {"\"\x1f\"",                       "byte 1: a control character in a string"        },
        {"\"\\x41\"",                      "byte 1: no such escape"                         },
        {"\"\\u12\"",                      "byte 1: four hexadecimal digits must follow \\u"},
        {"\"\\u12g4\"",                    "byte 1: four hexadecimal digits must follow \\u"},
        {"\"a\\u0000\"",                   "byte 2: U+0000 in a string"                     },
        {"{\"\\u0000\":1}",                "byte 2: U+0000 in a string"                     },
        {"\"\\ud800\"",                    "byte 1: a lone surrogate"                       },
        {"\"\\ud800\\u0041\"",             "byte 1: a lone surrogate"                       },
        {"\"\\ud800\\ud800\"",             "byte 1: a lone surrogate"                       },
        {"\"\\udc00\\ud800\"",             "byte 1: a lone surrogate"                       },
        {"\"\xc3\"",                       "byte 1: invalid UTF-8"                          },
        {"\"\xed\xa0\x80\"",               "byte 1: invalid UTF-8"                          },
        {"\"\xc0\x80\"",                   "byte 1: invalid UTF-8"                          },
        {"{\"a\":1,\"a\":1}",              "byte 7: a duplicate member name"                },
        {"{\"a\":1,\"\\u0061\":2}",        "byte 7: a duplicate member name"                },
        {"{\"\\u00e9\":1,\"\xc3\xa9\":2}", "byte 12: a duplicate member name"               },
        {"{\"\":1,\"\":2}",                "byte 6: a duplicate member name"                },
        {"[{\"b\":{\"a\":1,\"a\":2}}]",    "byte 13: a duplicate member name"               },
};

START_TEST(what_is_no_strict_json_is_refused_at_its_byte)
{
	struct err e = {0};

	ck_assert_msg(
	        !parses(refused[_i].text, strlen(refused[_i].text), &e), "%s", refused[_i].text);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_str_eq(e.text, refused[_i].why);
}
END_TEST

START_TEST(a_nul_byte_is_refused_wherever_it_stands)
{
	static const char text[] = "{ \"a\" : [ 1 , \"b\" ] }";
	char broken[sizeof(text)];
	struct err e = {0};

	ck_assert(parses(text, sizeof(text) - 1, &e));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(broken, text, sizeof(text));
		broken[i] = '\0';
		ck_assert(!parses(broken, sizeof(text) - 1, &e));
		ck_assert_int_eq(e.code, ERR_FORMAT);
	}
	ck_assert(!parses(text, sizeof(text), &e)); /* behind the document */
}
END_TEST

static const char *const accepted[] = {"null", " true ", "false", "0", "-0", "-0.0e-0", "\"\"",
        "[]", "{}", "[[],{}]", "\t{\r\n\"a\" :\t1 }\n", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\ud83d\\ude00 \xf0\x9f\x98\x80 \x7f\"", "{\"a\":{\"a\":{\"a\":1}}}",
        "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2,\"a \":3,\"\":4}", "1.7976931348623157e308",
        "1e-999", "9223372036854775808", "123456789012345678901234567890"};

START_TEST(strict_json_is_accepted_and_no_prefix_of_a_document_is)
{
	const char *text = accepted[_i];
	bool scalar = strchr("{[\" \t", text[0]) == NULL;
	struct err e = {0};

	ck_assert_msg(parses(text, strlen(text), &e), "%s: %s", text, e.text);
	for (size_t len = 0; !scalar && len < strlen(text); len++)
		if (text[len] != ' ' && text[len] != '\n')
			ck_assert(!parses(text, len, &e));
}
END_TEST

/* A number with more digits than a double can tell apart is judged by all of them. */
START_TEST(long_numbers_are_judged_by_their_value)
{
	char text[1400];
	struct err e = {0};

	memset(text, '0', sizeof(text));
	text[0] = '1';
	ck_assert(parses(text, 309, &e));
	ck_assert(!parses(text, 310, &e));
	memcpy(text + 1000, "e-999", 5);
	ck_assert(parses(text, 1005, &e));
	memset(text, '9', 309);
	ck_assert(!parses(text, 309, &e));
	memcpy(text, "0.", 2);
	memset(text + 2, '0', 1300);
	memcpy(text + 1302, "1e1600", 6);
	ck_assert(parses(text, 1308, &e));
	memcpy(text + 1302, "1e1610", 6);
	ck_assert(!parses(text, 1308, &e));
}
END_TEST

/* {"n0":{"n0":0},"n1":{"n1":0},...} with another member named like the one called `again`. */
static void
object_with_twin(struct buf *out, int members, int again, const char *spelled)
{
	buf_clear(out);
	buf_char(out, '{');
	for (int i = 0; i < members; i++)
		buf_format(out, "\"n%d\":{\"n%d\":0},", i, i);
	buf_format(out, "\"%s%d\":1}", spelled, again);
	ck_assert(buf_ok(out));
}

START_TEST(a_twin_is_found_in_objects_of_any_size)
{
	AUTO(buf) struct buf text = BUF(MIB(1));
	struct err e = {0};

	for (int members = 1; members <= 300; members++) {
		for (int again = 0; again < members; again += 1 + members / 7) {
			object_with_twin(&text, members, again, "n");
			ck_assert(!parses(text.data, text.len, &e));
			ck_assert_ptr_nonnull(strstr(e.text, "duplicate"));
			object_with_twin(&text, members, again, "\\u006e");
			ck_assert(!parses(text.data, text.len, &e));
			ck_assert_ptr_nonnull(strstr(e.text, "duplicate"));
		}
		object_with_twin(&text, members, members, "n");
		ck_assert(parses(text.data, text.len, &e));
	}
}
END_TEST

/* Loops over a document until each of its allocations has failed once. */
static void
fail_each_allocation(const char *text, size_t len)
{
	bool built = false;
	unsigned nth = 0;

	while (!built) {
		AUTO(json) struct json *doc = NULL;
		struct err e = {0};

		fault_allocation(++nth);
		built = json_parse(text, len, &json_limits_default, &doc, &e);
		fault_allocation(0);
		if (built)
			break;
		ck_assert_int_eq(e.code, ERR_NOMEM);
		ck_assert_ptr_null(doc);
	}
	ck_assert_uint_gt(nth, 2);
}

START_TEST(every_allocation_may_fail)
{
	AUTO(buf) struct buf text = BUF(MIB(1));

	fail_each_allocation("{}", 2);
	object_with_twin(&text, 200, 200, "n");
	fail_each_allocation(text.data, text.len);
}
END_TEST

Suite *
json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, what_is_no_strict_json_is_refused_at_its_byte, 0, COUNT(refused));
	tcase_add_test(tc, a_nul_byte_is_refused_wherever_it_stands);
	tcase_add_loop_test(
	        tc, strict_json_is_accepted_and_no_prefix_of_a_document_is, 0, COUNT(accepted));
	tcase_add_test(tc, long_numbers_are_judged_by_their_value);
	tcase_add_test(tc, a_twin_is_found_in_objects_of_any_size);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
