#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/unit.h"

typedef void (*print_fn)(const struct json *doc, const struct json_node *n, struct buf *out);

/* Prints the document that text is into out. */
static void
print(print_fn fn, const char *text, struct buf *out)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, &doc, &e), "%s", e.text);
	fn(doc, json_root(doc), out);
}

static void
ck_prints(print_fn fn, const char *text, const char *expected)
{
	AUTO(buf) struct buf out = BUF(4096);

	print(fn, text, &out);
	ck_assert(buf_ok(&out));
	ck_assert_msg(out.len == strlen(expected) && memcmp(out.data, expected, out.len) == 0,
	        "%.*s", (int)out.len, out.data);
}

static const struct {
	const char *text, *compact, *canonical;
} cases[] = {
        {" 1 ",                                                   "1",                               "1"                                               },
        {"[ ]",                                                   "[]",                              "[]"                                              },
        {"{ }",                                                   "{}",                              "{}"                                              },
        {"[ 1.50 ,\n2E+3, -0,\t9007199254740993 ]",               "[1.50,2E+3,-0,9007199254740993]",
         "[1.50,2E+3,-0,9007199254740993]"                                                                                                             },
        {"{ \"b\" : 1 , \"a\" : { \"d\":[ ], \"c\" :null} }",
         "{\"b\":1,\"a\":{\"d\":[],\"c\":null}}",                                                    "{\"a\":{\"c\":null,\"d\":[]},\"b\":1}"           },
        {"\" \\\" , \\\\\"",                                      "\" \\\" , \\\\\"",                "\" \\\" , \\\\\""                                },
        {"\"\\u0041\\/\\u00e9\\n\\u001f\"",                       "\"\\u0041\\/\\u00e9\\n\\u001f\"",
         "\"A/\xc3\xa9\\n\\u001f\""                                                                                                                    },
        {"{\"\\u0062\":1,\"a\":2,\"\":3,\"ab\":4,\"\\u00e9\":5}",
         "{\"\\u0062\":1,\"a\":2,\"\":3,\"ab\":4,\"\\u00e9\":5}",                                    "{\"\":3,\"a\":2,\"ab\":4,\"b\":1,\"\xc3\xa9\":5}"},
        {"[true,false ,[[ ]], \"\"]",                             "[true,false,[[]],\"\"]",          "[true,false,[[]],\"\"]"                          },
};

START_TEST(compact_keeps_the_tokens_on_one_line)
{
	ck_prints(json_compact, cases[_i].text, cases[_i].compact);
}
END_TEST

START_TEST(canonical_is_sorted_and_spelled_one_way)
{
	ck_prints(json_canonical, cases[_i].text, cases[_i].canonical);
	ck_prints(json_canonical, cases[_i].canonical, cases[_i].canonical);
}
END_TEST

START_TEST(a_part_of_a_document_is_printed_alone)
{
	static const char text[] = "{\"a\": {\"b\": [1, 2]}, \"c\": 3}";
	AUTO(json) struct json *doc = NULL;
	AUTO(buf) struct buf out = BUF(100);
	struct err e = {0};

	ck_assert(json_parse(text, strlen(text), &json_limits_default, &doc, &e));
	json_compact(doc, json_member(doc, json_root(doc), "a"), &out);
	json_canonical(doc, json_member(doc, json_root(doc), "a"), &out);
	ck_assert_mem_eq(out.data, "{\"b\":[1,2]}{\"b\":[1,2]}", 22);
	ck_assert_uint_eq(out.len, 22);
}
END_TEST

START_TEST(the_deepest_document_is_written)
{
	AUTO(json) struct json *doc = NULL;
	AUTO(buf) struct buf out = BUF(4096);
	const struct json_limits limits = {.bytes = 1000, .nodes = 100, .depth = JSON_DEPTH};
	char text[2 * JSON_DEPTH];
	struct err e = {0};

	memset(text, '[', JSON_DEPTH);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	ck_assert(json_parse(text, sizeof(text), &limits, &doc, &e));
	json_canonical(doc, json_root(doc), &out);
	ck_assert(buf_ok(&out));
	ck_assert_uint_eq(out.len, sizeof(text));
	ck_assert_mem_eq(out.data, text, sizeof(text));
}
END_TEST

START_TEST(a_full_buffer_fails)
{
	AUTO(buf) struct buf out = BUF(10);

	print(json_canonical, "{\"a\":{\"b\":{\"c\":[1,2,3]}}}", &out);
	ck_assert(!buf_ok(&out));
	buf_clear(&out);
	print(json_compact, "[1,2,3,4,5,6,7]", &out);
	ck_assert(!buf_ok(&out));
}
END_TEST

START_TEST(every_allocation_of_canonical_may_fail)
{
	static const char text[] = "{\"b\":{\"c\":[1,\"x\\n\"]},\"a\":[{}]}";
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	bool built = false;
	unsigned nth = 0;

	ck_assert(json_parse(text, strlen(text), &json_limits_default, &doc, &e));
	while (!built) {
		AUTO(buf) struct buf out = BUF(4096);

		fault_allocation(++nth);
		json_canonical(doc, json_root(doc), &out);
		fault_allocation(0);
		built = buf_ok(&out);
		ck_assert_uint_lt(nth, 20);
	}
	ck_assert_uint_eq(nth, 8); /* five levels, the scratch text and the result */
}
END_TEST

Suite *
json_print_suite(void)
{
	Suite *s = suite_create("json_print");
	TCase *tc = tcase_create("json_print");

	tcase_add_loop_test(tc, compact_keeps_the_tokens_on_one_line, 0, COUNT(cases));
	tcase_add_loop_test(tc, canonical_is_sorted_and_spelled_one_way, 0, COUNT(cases));
	tcase_add_test(tc, a_part_of_a_document_is_printed_alone);
	tcase_add_test(tc, the_deepest_document_is_written);
	tcase_add_test(tc, a_full_buffer_fails);
	tcase_add_test(tc, every_allocation_of_canonical_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
