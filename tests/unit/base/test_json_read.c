#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/unit.h"

static struct json *
parsed(const char *text)
{
	struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, &doc, &e), "%s", e.text);
	return doc;
}

static const struct {
	const char *text;
	bool whole;
	int64_t value;
} integers[] = {
        {"0",                    true,  0               },
        {"-0",                   true,  0               },
        {"9223372036854775807",  true,  INT64_MAX       },
        {"-9223372036854775808", true,  INT64_MIN       },
        {"9007199254740993",     true,  9007199254740993},
        {"9223372036854775808",  false, 0               },
        {"-9223372036854775809", false, 0               },
        {"99999999999999999999", false, 0               },
        {"1.0",                  false, 0               },
        {"1e3",                  false, 0               },
        {"\"1\"",                false, 0               },
        {"true",                 false, 0               },
        {"[1]",                  false, 0               },
};

/* HP20: an integer is read exactly or not at all. */
START_TEST(integers_are_exact_or_refused)
{
	AUTO(json) struct json *doc = parsed(integers[_i].text);
	int64_t value = 42;

	ck_assert_int_eq(json_int64(doc, json_root(doc), &value), integers[_i].whole);
	ck_assert_int_eq(value, integers[_i].whole ? integers[_i].value : 42);
	ck_assert(!json_int64(doc, NULL, &value));
}
END_TEST

static const char *const doubles[] = {"0", "-0.0", "1.5", "-2.5e-3", "1e308", "4.9e-324", "1e-999",
        "0.1", "123456789012345678901234567890", "9007199254740993", "2.2250738585072011e-308",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000123"};

START_TEST(doubles_agree_with_libc)
{
	AUTO(json) struct json *doc = parsed(doubles[_i]);
	double value = 42, expected = strtod(doubles[_i], NULL);

	ck_assert(json_double(doc, json_root(doc), &value));
	ck_assert_int_eq(memcmp(&value, &expected, sizeof(value)), 0);
	ck_assert(!json_double(doc, NULL, &value));
}
END_TEST

START_TEST(a_double_is_decided_by_all_its_digits)
{
	/* 2^53 + 1 lies between two doubles; a digit far behind decides which one it is. */
	char text[1000] = "9007199254740993.";
	double low, high;

	memset(text + 17, '0', 900);
	{
		AUTO(json) struct json *doc = parsed(text);

		ck_assert(json_double(doc, json_root(doc), &low));
	}
	text[916] = '1';
	{
		AUTO(json) struct json *doc = parsed(text);

		ck_assert(json_double(doc, json_root(doc), &high));
	}
	ck_assert_double_eq(low, 9007199254740992.0);
	ck_assert_double_eq(high, 9007199254740994.0);
}
END_TEST

START_TEST(a_tree_is_walked_in_order)
{
	AUTO(json) struct json *doc = parsed(" {\"a\": [1, {\"x\":2}, []], \"b\":null ,\"c\":{}}");
	const struct json_node *root = json_root(doc), *a, *b, *c, *item;
	size_t len;

	ck_assert_int_eq(json_kind(root), JSON_OBJECT);
	ck_assert_uint_eq(json_count(root), 3);
	ck_assert_uint_eq(json_offset(root), 1);
	ck_assert_ptr_null(json_name(doc, root));
	ck_assert_ptr_null(json_next(doc, root));
	a = json_first(doc, root);
	ck_assert(json_string_is(doc, json_name(doc, a), "a"));
	ck_assert_mem_eq(json_raw(doc, a, &len), "[1, {\"x\":2}, []]", 16);
	ck_assert_uint_eq(len, 16);
	item = json_first(doc, a);
	ck_assert_int_eq(json_kind(item), JSON_NUMBER);
	ck_assert_ptr_null(json_name(doc, item));
	item = json_next(doc, json_next(doc, item));
	ck_assert_int_eq(json_kind(item), JSON_ARRAY);
	ck_assert_ptr_null(json_first(doc, item));
	ck_assert_ptr_null(json_next(doc, item));
	b = json_next(doc, a);
	ck_assert_int_eq(json_kind(b), JSON_NULL);
	c = json_next(doc, b);
	ck_assert(json_string_is(doc, json_name(doc, c), "c"));
	ck_assert_ptr_null(json_next(doc, c));
	ck_assert_ptr_null(json_first(doc, NULL));
}
END_TEST

START_TEST(members_are_found_by_their_unescaped_name)
{
	AUTO(json) struct json *doc = parsed("{\"\\u0061b\":1,\"ab \":2,\"Ab\":3,\"\":4}");
	const struct json_node *root = json_root(doc);
	int64_t n = 0;

	ck_assert(json_int64(doc, json_member(doc, root, "ab"), &n) && n == 1);
	ck_assert(json_int64(doc, json_member(doc, root, ""), &n) && n == 4);
	ck_assert_ptr_null(json_member(doc, root, "a"));
	ck_assert_ptr_null(json_member(doc, root, "aB"));
	ck_assert_ptr_null(json_member(doc, json_member(doc, root, "ab"), "ab"));
	ck_assert_ptr_null(json_member(doc, NULL, "ab"));
}
END_TEST

START_TEST(strings_are_unescaped)
{
	static const char expected[] =
	        "\"\\/\b\f\n\r\t A\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc3\xbc";
	AUTO(json)
	struct json *doc = parsed("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00e9 \\u20AC "
	                          "\\ud83d\\uDE00 \xc3\xbc\", 1, \"\"]");
	const struct json_node *n = json_first(doc, json_root(doc));
	AUTO(buf) struct buf out = BUF(100);

	ck_assert(json_string(doc, n, &out));
	ck_assert(buf_ok(&out));
	ck_assert_uint_eq(out.len, strlen(expected));
	ck_assert_mem_eq(out.data, expected, out.len);
	ck_assert(json_string_is(doc, n, expected));
	ck_assert(!json_string_is(doc, n, "\""));
	ck_assert(!json_string(doc, json_next(doc, n), &out));
	ck_assert(!json_string(doc, NULL, &out));
	ck_assert(!json_string_is(doc, NULL, ""));
	ck_assert(json_string_is(doc, json_next(doc, json_next(doc, n)), ""));
}
END_TEST

START_TEST(a_copy_is_whole_or_none)
{
	AUTO(json) struct json *doc = parsed("[\"a\\nbcd\", 7, \"\"]");
	const struct json_node *n = json_first(doc, json_root(doc));
	char *copy = json_string_copy(doc, n, 5);

	ck_assert_str_eq(copy, "a\nbcd");
	free(copy);
	ck_assert_ptr_null(json_string_copy(doc, n, 4));
	ck_assert_ptr_null(json_string_copy(doc, NULL, 4));
	ck_assert_ptr_null(json_string_copy(doc, json_next(doc, n), 4));
	fault_allocation(1);
	ck_assert_ptr_null(json_string_copy(doc, n, 5));
	copy = json_string_copy(doc, json_next(doc, json_next(doc, n)), 0);
	ck_assert_str_eq(copy, "");
	free(copy);
}
END_TEST

Suite *
json_read_suite(void)
{
	Suite *s = suite_create("json_read");
	TCase *tc = tcase_create("json_read");

	tcase_add_loop_test(tc, integers_are_exact_or_refused, 0, COUNT(integers));
	tcase_add_loop_test(tc, doubles_agree_with_libc, 0, COUNT(doubles));
	tcase_add_test(tc, a_double_is_decided_by_all_its_digits);
	tcase_add_test(tc, a_tree_is_walked_in_order);
	tcase_add_test(tc, members_are_found_by_their_unescaped_name);
	tcase_add_test(tc, strings_are_unescaped);
	tcase_add_test(tc, a_copy_is_whole_or_none);
	suite_add_tcase(s, tc);
	return s;
}
