/* Derived names: step ids lead to tasks, and the same request has the same identity (OW5). */
#include "orchestration/engine/identity.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(a_tasks_own_id_is_no_steps)
{
	struct uuid task = identity_task_id(uuid_v4()), found;
	unsigned index;

	ck_assert(!identity_split(&task, &found, &index));
}
END_TEST

START_TEST(a_step_id_leads_back_to_task_and_index)
{
	struct uuid_source source = {0};

	for (unsigned i = 0; i < IDENTITY_STEPS_MAX; i++) {
		struct uuid task = identity_task_id(uuid_v7(&source, 1790000000000000));
		struct uuid step = identity_step_id(&task, i), found;
		unsigned index = 0;

		ck_assert(identity_split(&step, &found, &index));
		ck_assert_uint_eq(index, i);
		ck_assert_mem_eq(&found, &task, sizeof(task));
		ck_assert_int_eq(step.bytes[6] >> 4, 7);
	}
}
END_TEST

START_TEST(task_ids_rise_strictly_even_within_a_millisecond)
{
	struct uuid_source source = {0};
	struct uuid last = {{0}};

	for (int i = 0; i < 10000; i++) {
		struct uuid id = identity_task_id(uuid_v7(&source, 1790000000000000 + i / 100));

		ck_assert_int_gt(memcmp(&id, &last, sizeof(id)), 0);
		last = id;
	}
}
END_TEST

START_TEST(named_steps_are_stable_and_apart)
{
	struct uuid a, again, b, c;

	ck_assert(identity_named_step("demo", "a", &a) && identity_named_step("demo", "a", &again));
	ck_assert(identity_named_step("demo", "b", &b) && identity_named_step("dem", "oa", &c));
	ck_assert_mem_eq(&a, &again, sizeof(a));
	ck_assert_mem_ne(&a, &b, sizeof(a));
	ck_assert_mem_ne(&a, &c, sizeof(a));
	ck_assert_int_eq(a.bytes[6] >> 4, 8);
	ck_assert_int_eq(a.bytes[8] >> 6, 2);
}
END_TEST

static void
hash(const char *text, unsigned char out[DIGEST_BYTES])
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, &doc, &e), "%s", e.text);
	ck_assert(identity_context(doc, json_root(doc), out, &e));
}

static const struct {
	const char *a, *b;
	bool same;
} contexts[] = {
        {"{\"a\":1,\"b\":[2,{\"c\":null}]}", "{ \"b\" : [2, {\"c\":null}], \"a\" : 1 }", true },
        {"{\"a\":\"\\u0041\"}",              "{\"\\u0061\":\"A\"}",                      true },
        {"{\"a\":1}",                        "{\"a\":2}",                                false},
        {"{\"a\":1}",                        "{\"a\":1.0}",                              false}, /* numbers verbatim */
        {"{\"a\":[1,2]}",                    "{\"a\":[2,1]}",                            false},
        {"{\"a\":9007199254740993}",         "{\"a\":9007199254740992}",                 false},
        {"{\"a\":\"1\"}",                    "{\"a\":1}",                                false},
};

START_TEST(equal_contexts_hash_alike_and_others_do_not)
{
	unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];

	hash(contexts[_i].a, a);
	hash(contexts[_i].b, b);
	ck_assert_int_eq(memcmp(a, b, sizeof(a)) == 0, contexts[_i].same);
}
END_TEST

static const unsigned char zero_hash[DIGEST_BYTES], one_hash[DIGEST_BYTES] = {1};

static const struct identity_input base = {.strategy = TEMPLATE_IDENTITY_STRICT,
        .tenant = "t",
        .owner = "o",
        .ns = "n",
        .name = "x",
        .version = "1",
        .context_hash = zero_hash};

START_TEST(identity_depends_on_everything_it_names)
{
	AUTO(digest) struct digest *d = NULL;
	unsigned char first[DIGEST_BYTES], other[DIGEST_BYTES];
	struct identity_input in[8];
	struct err e = {0};

	for (size_t i = 0; i < COUNT(in); i++)
		in[i] = base;
	in[0].tenant = "u";
	in[1].owner = "p";
	in[2].ns = "m";
	in[3].name = "y";
	in[4].version = "2";
	in[5].context_hash = one_hash;
	in[6].idempotency_key = "k"; /* a key given replaces the context */
	in[7].tenant = "to", in[7].owner = "";
	ck_assert(digest_new(&d, &e));
	ck_assert_int_eq(identity_of(d, &base, first), IDENTITY_KEYED);
	for (size_t i = 0; i < COUNT(in); i++) {
		ck_assert_int_eq(identity_of(d, &in[i], other), IDENTITY_KEYED);
		ck_assert_mem_ne(first, other, sizeof(first));
	}
	ck_assert_int_eq(identity_of(d, &base, other), IDENTITY_KEYED);
	ck_assert_mem_eq(first, other, sizeof(first));
}
END_TEST

START_TEST(strategies_differ)
{
	AUTO(digest) struct digest *d = NULL;
	unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
	struct identity_input in = base;
	struct err e = {0};

	ck_assert(digest_new(&d, &e));
	in.strategy = TEMPLATE_IDENTITY_ALWAYS_UNIQUE;
	ck_assert_int_eq(identity_of(d, &in, a), IDENTITY_UNIQUE);
	in.strategy = TEMPLATE_IDENTITY_CALLER_PROVIDED;
	ck_assert_int_eq(identity_of(d, &in, a), IDENTITY_KEY_MISSING);
	in.idempotency_key = "";
	ck_assert_int_eq(identity_of(d, &in, a), IDENTITY_KEY_MISSING);
	in.idempotency_key = "k";
	ck_assert_int_eq(identity_of(d, &in, a), IDENTITY_KEYED);
	in.context_hash = one_hash; /* the key alone counts */
	ck_assert_int_eq(identity_of(d, &in, b), IDENTITY_KEYED);
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

Suite *
engine_identity_suite(void)
{
	Suite *s = suite_create("engine identity");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, a_tasks_own_id_is_no_steps);
	tcase_add_test(tc, a_step_id_leads_back_to_task_and_index);
	tcase_add_test(tc, task_ids_rise_strictly_even_within_a_millisecond);
	tcase_add_test(tc, named_steps_are_stable_and_apart);
	tcase_add_loop_test(tc, equal_contexts_hash_alike_and_others_do_not, 0, COUNT(contexts));
	tcase_add_test(tc, identity_depends_on_everything_it_names);
	tcase_add_test(tc, strategies_differ);
	suite_add_tcase(s, tc);
	return s;
}
