/* Limits of a JSON document (HP20, JT10) and what a hostile one may cost (LM10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"
#include "shared/base/json_names.h"
#include "tests/unit/unit.h"

static bool
within(const char *text, size_t len, struct json_limits limits, struct err *e)
{
	AUTO(json) struct json *doc = NULL;

	return json_parse(text, len, &limits, &doc, e);
}

static void
ck_limit(const struct err *e, const char *why)
{
	ck_assert_int_eq(e->code, ERR_LIMIT);
	ck_assert_msg(strstr(e->text, why) != NULL, "%s", e->text);
}

START_TEST(HP20_the_limit_of_bytes)
{
	struct json_limits limits = {.bytes = 4, .nodes = 10, .depth = 4};
	struct err e = {0};

	ck_assert(within("1234", 4, limits, &e));
	ck_assert(!within("12345", 5, limits, &e));
	ck_limit(&e, "5 bytes; the limit is 4");
	limits.bytes = SIZE_MAX;
	ck_assert(!within("1", (size_t)UINT32_MAX, limits, &e)); /* nothing of it is read */
	ck_limit(&e, "bytes");
}
END_TEST

START_TEST(HP20_the_limit_of_values)
{
	struct json_limits limits = {.bytes = 100, .nodes = 4, .depth = 4};
	struct err e = {0};

	ck_assert(within("[1,2,3]", 7, limits, &e));
	ck_assert(within("{\"a\":1,\"b\":2,\"c\":3}", 19, limits, &e));
	ck_assert(!within("[1,2,3,4]", 9, limits, &e));
	ck_limit(&e, "byte 7: more values than the limit");
	ck_assert(!within("[1,[2,3]]", 9, limits, &e));
	ck_limit(&e, "byte 6: more values than the limit");
}
END_TEST

START_TEST(HP20_the_limit_of_depth)
{
	struct json_limits limits = {.bytes = 1000, .nodes = 1000, .depth = 32};
	char text[2 * (JSON_DEPTH + 1)];
	struct err e = {0};

	/* Nothing goes beyond JSON_DEPTH, whatever a caller's limit says. */
	for (size_t most = 32; most <= JSON_DEPTH; most += JSON_DEPTH - 32) {
		memset(text, '[', most);
		memset(text + most, ']', most);
		ck_assert(within(text, 2 * most, limits, &e));
		memset(text, '[', most + 1);
		memset(text + most + 1, ']', most + 1);
		ck_assert(!within(text, 2 * most + 2, limits, &e));
		ck_limit(&e, "nested deeper than the limit");
		limits.depth = 1000;
	}
	limits.depth = 0;
	ck_assert(within("1", 1, limits, &e));
	ck_assert(!within("{}", 2, limits, &e));
}
END_TEST

START_TEST(HP20_the_limit_of_members)
{
	struct json_limits limits = {.bytes = 100, .nodes = 100, .depth = 4, .members = 2};
	struct err e = {0};

	ck_assert(within("[1,2]", 5, limits, &e));
	ck_assert(within("[[1,2],[3,4]]", 13, limits, &e));
	ck_assert(!within("[1,2,3]", 7, limits, &e));
	ck_limit(&e, "more members or items than the limit");
	ck_assert(!within("{\"a\":1,\"b\":2,\"c\":3}", 19, limits, &e));
	ck_limit(&e, "more members or items than the limit");
}
END_TEST

START_TEST(the_defaults_are_those_of_a_public_body)
{
	ck_assert_uint_eq(json_limits_default.bytes, 1048576);
	ck_assert_uint_eq(json_limits_default.nodes, 10000);
	ck_assert_uint_eq(json_limits_default.depth, 32);
}
END_TEST

/* One object of that many members whose names are hard for a plain string hash: only the end
 * differs. */
static char *
large_object(size_t members, size_t *len)
{
	size_t room = members * 40 + 10, at = 1;
	char *text = malloc(room);

	ck_assert_ptr_nonnull(text);
	text[0] = '{';
	for (size_t i = 0; i < members; i++)
		at += (size_t)snprintf(
		        text + at, room - at, "\"aaaaaaaaaaaaaaaaaaaaaaaa%08zx\":0,", i);
	text[at - 1] = '}';
	*len = at;
	return text;
}

static int64_t
cost_us(size_t members)
{
	const struct json_limits limits = {.bytes = MIB(64), .nodes = 1000000, .depth = 4};
	int64_t best = INT64_MAX;
	size_t len;
	char *text = large_object(members, &len);

	for (int i = 0; i < 3; i++) {
		int64_t start = clock_mono_us(), took;
		struct err e = {0};

		ck_assert_msg(within(text, len, limits, &e), "%s", e.text);
		took = clock_mono_us() - start;
		best = took < best ? took : best;
	}
	free(text);
	return best;
}

/* Quadratic work would cost 256 times as much, not 16; the slack is for caches and busy machines.
 */
START_TEST(LM10_a_hundred_thousand_members_cost_linear_time)
{
	int64_t few = cost_us(6250), many = cost_us(100000);

	ck_assert_msg(many < 16 * 6 * (few + 100), "%ld us, %ld us", (long)few, (long)many);
}
END_TEST

/* Two tables never order the same names alike, so nobody can prepare names that collide. */
START_TEST(LM10_each_document_hashes_with_a_key_of_its_own)
{
	struct json_names a = {0}, b = {0};
	char names[64][3];
	size_t differing = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct json_text name = {.raw = names[i], .len = 3};

		memcpy(names[i], (char[]){'a', (char)('0' + i / 8), (char)('0' + i % 8)}, 3);
		ck_assert_int_eq(json_names_add(&a, 0, name), NAMES_NEW);
		ck_assert_int_eq(json_names_add(&b, 0, name), NAMES_NEW);
		ck_assert_int_eq(json_names_add(&a, 1, name), NAMES_NEW);
		ck_assert_int_eq(json_names_add(&b, 1, name), NAMES_NEW);
		ck_assert_int_eq(json_names_add(&a, 1, name), NAMES_TWICE);
		ck_assert_int_eq(json_names_add(&b, 1, name), NAMES_TWICE);
	}
	ck_assert_uint_eq(a.cap, b.cap);
	for (size_t i = 0; i < a.cap; i++)
		differing += a.slots[i].hash != b.slots[i].hash;
	ck_assert_uint_gt(differing, 64);
	json_names_free(&a);
	json_names_free(&b);
}
END_TEST

Suite *
json_limits_suite(void)
{
	Suite *s = suite_create("json_limits");
	TCase *tc = tcase_create("json_limits");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, HP20_the_limit_of_bytes);
	tcase_add_test(tc, HP20_the_limit_of_values);
	tcase_add_test(tc, HP20_the_limit_of_depth);
	tcase_add_test(tc, HP20_the_limit_of_members);
	tcase_add_test(tc, the_defaults_are_those_of_a_public_body);
	tcase_add_test(tc, LM10_a_hundred_thousand_members_cost_linear_time);
	tcase_add_test(tc, LM10_each_document_hashes_with_a_key_of_its_own);
	suite_add_tcase(s, tc);
	return s;
}
