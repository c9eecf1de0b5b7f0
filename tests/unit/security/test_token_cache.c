/* The cache: it finds exactly what it was given, only while that is good, within its bounds. */
#include "shared/security/token_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct security_context *
context_of(const char *subject)
{
	struct security_context fields = {.caller = CALLER_USER, .subject = subject};
	const struct security_context *c = NULL;
	struct err e = {0};

	ck_assert(security_context_new(&fields, &c, &e));
	return c;
}

static void
put(struct token_cache *cache, const char *token, size_t len, int64_t from_s, int64_t until_s)
{
	const struct security_context *c = context_of("someone");

	token_cache_put(
	        cache, &(struct token_cache_entry){
	                       token, len, {.context = c, .from_s = from_s, .until_s = until_s}
        });
	security_context_unref(c);
}

static struct token_cache *
cache_of(size_t entries)
{
	struct token_cache *cache = NULL;
	struct err e = {0};

	ck_assert(token_cache_new(entries, &cache, &e));
	return cache;
}

/* As long as a token, so that the hashed tail is not the whole of it. */
static void
name(char out[200], int number)
{
	(void)snprintf(out, 200, "%0100d.%098d", number, number);
}

START_TEST(only_the_whole_token_is_found)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(8);
	char token[200];

	name(token, 7);
	put(cache, token, 199, 0, 100);
	ck_assert_ptr_nonnull(token_cache_find(cache, token, 199, 1));
	ck_assert_str_eq(token_cache_find(cache, token, 199, 1)->context->subject, "someone");
	ck_assert_ptr_null(token_cache_find(cache, token, 198, 1));
	ck_assert_ptr_null(token_cache_find(cache, token + 1, 198, 1));
	for (size_t at = 0; at < 199; at++) { /* head and tail alike */
		token[at] ^= 1;
		ck_assert_ptr_null(token_cache_find(cache, token, 199, 1));
		token[at] ^= 1;
	}
	ck_assert_ptr_nonnull(token_cache_find(cache, token, 199, 1));
}
END_TEST

START_TEST(jt24_a_token_is_good_from_and_until)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(8);

	put(cache, "token", 5, 100, 200);
	ck_assert_ptr_null(token_cache_find(cache, "token", 5, 99));
	ck_assert_ptr_nonnull(token_cache_find(cache, "token", 5, 100));
	ck_assert_ptr_nonnull(token_cache_find(cache, "token", 5, 199));
	ck_assert_ptr_null(token_cache_find(cache, "token", 5, 200));
	/* What has ended is gone, even if the clock goes back. */
	ck_assert_ptr_null(token_cache_find(cache, "token", 5, 150));
}
END_TEST

START_TEST(a_full_set_loses_its_least_recently_used)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(8); /* one set */
	char token[200];

	for (int i = 0; i < 8; i++) {
		name(token, i);
		put(cache, token, 199, 0, 100);
	}
	name(token, 0);
	ck_assert_ptr_nonnull(token_cache_find(cache, token, 199, 1));
	name(token, 8);
	put(cache, token, 199, 0, 100); /* takes the place of 1 */
	for (int i = 0; i <= 8; i++) {
		name(token, i);
		ck_assert_int_eq(token_cache_find(cache, token, 199, 1) != NULL, i != 1);
	}
}
END_TEST

START_TEST(a_set_never_holds_more_than_its_ways)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(64);
	char token[200];
	int found = 0;

	for (int i = 0; i < 1000; i++) {
		name(token, i);
		put(cache, token, 199, 0, 100);
	}
	for (int i = 0; i < 1000; i++) {
		name(token, i);
		found += token_cache_find(cache, token, 199, 1) != NULL;
	}
	ck_assert_int_le(found, 64);
	ck_assert_int_ge(found, 56); /* the keyed hash spreads them */
}
END_TEST

/* Two caches put the same tokens into different sets: the hash is keyed. */
START_TEST(nobody_outside_can_aim_at_a_set)
{
	AUTO(token_cache) struct token_cache *one = cache_of(1024);
	AUTO(token_cache) struct token_cache *other = cache_of(1024);
	char token[200];
	int differ = 0;

	for (int i = 0; i < 2000; i++) {
		name(token, i);
		put(one, token, 199, 0, 100);
		put(other, token, 199, 0, 100);
	}
	for (int i = 0; i < 2000; i++) {
		name(token, i);
		differ += (token_cache_find(one, token, 199, 1) != NULL) !=
		          (token_cache_find(other, token, 199, 1) != NULL);
	}
	ck_assert_int_gt(differ, 100);
}
END_TEST

START_TEST(an_entry_keeps_its_context_alive_and_gives_it_back)
{
	struct token_cache *cache = cache_of(8);
	const struct security_context *c = context_of("alice");

	token_cache_put(cache, &(struct token_cache_entry){
	                               "token", 5, {.context = c, .until_s = 100}
        });
	token_cache_put(cache, &(struct token_cache_entry){
	                               "token", 5, {.context = c, .until_s = 100}
        }); /* once only */
	security_context_unref(c);
	ck_assert_str_eq(token_cache_find(cache, "token", 5, 1)->context->subject, "alice");
	token_cache_free(cache); /* the sanitizer run sees that nothing is left */
	token_cache_free(NULL);
}
END_TEST

START_TEST(what_is_too_long_or_empty_is_not_kept)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(8);
	char *token = calloc(1, TOKEN_CACHE_TOKEN_MAX + 1);

	put(cache, token, TOKEN_CACHE_TOKEN_MAX + 1, 0, 100);
	ck_assert_ptr_null(token_cache_find(cache, token, TOKEN_CACHE_TOKEN_MAX + 1, 1));
	put(cache, token, TOKEN_CACHE_TOKEN_MAX, 0, 100);
	ck_assert_ptr_nonnull(token_cache_find(cache, token, TOKEN_CACHE_TOKEN_MAX, 1));
	put(cache, "", 0, 0, 100);
	ck_assert_ptr_null(token_cache_find(cache, "", 0, 1));
	free(token);
}
END_TEST

START_TEST(more_than_a_million_entries_are_refused)
{
	struct token_cache *cache = NULL;
	struct err e = {0};

	ck_assert(!token_cache_new((size_t)TOKEN_CACHE_ENTRIES_MAX + 1, &cache, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_ptr_null(cache);
}
END_TEST

START_TEST(without_memory_nothing_is_kept_and_nothing_breaks)
{
	AUTO(token_cache) struct token_cache *cache = cache_of(8);
	struct token_cache *none = NULL;
	const struct security_context *c = context_of("alice");
	struct err e = {0};

	fault_allocation(1);
	token_cache_put(cache, &(struct token_cache_entry){
	                               "token", 5, {.context = c, .until_s = 100}
        });
	fault_allocation(0);
	ck_assert_ptr_null(token_cache_find(cache, "token", 5, 1));
	fault_allocation(1);
	ck_assert(!token_cache_new(8, &none, &e));
	fault_allocation(0);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	security_context_unref(c);
}
END_TEST

Suite *
token_cache_suite(void)
{
	Suite *s = suite_create("token_cache");
	TCase *tc = tcase_create("cache");

	tcase_add_test(tc, only_the_whole_token_is_found);
	tcase_add_test(tc, jt24_a_token_is_good_from_and_until);
	tcase_add_test(tc, a_full_set_loses_its_least_recently_used);
	tcase_add_test(tc, a_set_never_holds_more_than_its_ways);
	tcase_add_test(tc, nobody_outside_can_aim_at_a_set);
	tcase_add_test(tc, an_entry_keeps_its_context_alive_and_gives_it_back);
	tcase_add_test(tc, what_is_too_long_or_empty_is_not_kept);
	tcase_add_test(tc, more_than_a_million_entries_are_refused);
	tcase_add_test(tc, without_memory_nothing_is_kept_and_nothing_breaks);
	suite_add_tcase(s, tc);
	return s;
}
