/* AK1-AK7, AK9: what a registry takes in, what it finds, and what it never says. */
#include "shared/security/api_key_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/secret_token.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char good[] = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const char other[] = "tk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
static const char *const reads[] = {"tasks:read", "dlq:*"};

static struct api_key_settings
entry(const char *key, const char *id)
{
	return (struct api_key_settings){
	        .key = key, .id = id, .permissions = reads, .permission_count = COUNT(reads)};
}

static bool
build(const struct api_key_settings *settings, size_t count, struct api_key_registry **out,
        struct err *e)
{
	return api_key_registry_new(settings, count, true, out, NULL, e);
}

static ptrdiff_t
find(const struct api_key_registry *r, const char *text, size_t len, int64_t now_s)
{
	AUTO(digest) struct digest *hasher = NULL;
	struct err e = {0};

	ck_assert(digest_new(&hasher, &e));
	return api_key_registry_find(r, hasher, text, len, now_s);
}

START_TEST(a_key_is_found_and_carries_what_was_configured)
{
	struct api_key_settings two[] = {entry(good, "ci"), entry(other, "ops")};
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	two[1].tenant = "acme";
	two[1].description = "operations";
	ck_assert_msg(build(two, 2, &r, &e), "%s", e.text);
	ck_assert_uint_eq(api_key_registry_count(r), 2);
	ck_assert_int_eq(find(r, good, strlen(good), 1), 0);
	ck_assert_int_eq(find(r, other, strlen(other), 1), 1);
	ck_assert_str_eq(api_key_registry_at(r, 1)->id, "ops");
	ck_assert_str_eq(api_key_registry_at(r, 1)->tenant, "acme");
	ck_assert_str_eq(api_key_registry_at(r, 1)->description, "operations");
	ck_assert_str_eq(api_key_registry_at(r, 0)->tenant, "");
	ck_assert(
	        permission_set_has(&api_key_registry_at(r, 0)->permissions, PERMISSION_DLQ_STATS));
	ck_assert(!permission_set_has(
	        &api_key_registry_at(r, 0)->permissions, PERMISSION_TASKS_CREATE));
}
END_TEST

START_TEST(ak1_a_hash_serves_as_well_as_the_key)
{
	unsigned char digest[DIGEST_BYTES];
	char hex[7 + DIGEST_HEX] = "sha256:";
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct api_key_settings s = entry(NULL, "ci");
	struct err e = {0};

	ck_assert(digest_of(good, strlen(good), digest));
	digest_hex(digest, hex + 7);
	for (int prefix = 0; prefix < 2; prefix++) {
		s.key_sha256 = prefix ? hex : hex + 7;
		ck_assert_msg(build(&s, 1, &r, &e), "%s", e.text);
		ck_assert_int_eq(find(r, good, strlen(good), 1), 0);
		api_key_registry_free(TAKE(r));
	}
}
END_TEST

/* AK1: no byte run of the clear text is anywhere in what the registry keeps. */
START_TEST(ak1_the_clear_text_is_not_kept)
{
	struct api_key_settings s = entry(good, "ci");
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};
	const struct api_key *key;

	ck_assert(build(&s, 1, &r, &e));
	key = api_key_registry_at(r, 0);
	ck_assert_ptr_null(memmem(key, sizeof(*key), good, 8));
	ck_assert_ptr_null(strstr(key->id, "AAEC"));
	ck_assert_str_eq(key->description, "");
}
END_TEST

START_TEST(ak1_clear_text_is_warned_about_without_showing_it)
{
	struct api_key_settings s = entry(good, "ci");
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct security_report report = {0};
	struct err e = {0};

	ck_assert(api_key_registry_new(&s, 1, true, &r, &report, &e));
	ck_assert_uint_eq(report.count, 1);
	ck_assert_ptr_nonnull(strstr(report.warnings[0], "ci"));
	ck_assert_ptr_nonnull(strstr(report.warnings[0], "key_sha256"));
	ck_assert_ptr_null(strstr(report.warnings[0], good));
}
END_TEST

/* AK3: 20 to 256 printable characters and 128 bits of them. */
static const struct strength {
	const char *key;
	bool strong;
} strengths[] = {
        {"",                                                 false},
        {"short",                                            false},
        {"12345678901234567890",                             false}, /* digits: 66 bits */
        {"123456789012345678901234567890123456789",          true }, /* digits: 129 bits */
        {"abcdefghijklmnopqrst",                             false}, /* 94 bits */
        {"0123456789abcdef0123456789abcdef",                 true }, /* exactly 128 bits */
        {"0123456789abcdef0123456789abcde",                  false},
        {"0123456789ABCDEF0123456789ABCDEF",                 true },
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",   false}, /* one character */
        {"abababababababababababababababababababababababab", false},
        {"Abcdefgh1jklmnopqrstu",                            false}, /* 21 x 5.95 = 125 bits */
        {"Abcdefgh1jklmnopqrstuv",                           true },
        {"correct-horse-battery",                            true }, /* by alphabet; a guess too kind, and said so */
        {"tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",   true },
        {"has a space in it, but is long enough",            false},
        {"has\ta\ttab/in/it/but/is/long/enough",             false},
        {"has-\xc3\xa4-umlaut-and-is-long-enough",           false},
        {"!Abcdefgh1jklmnopqr~",                             true }, /* the ends of what is printable; 20 characters */
        {"abcdefghabcdefghabcdefghabcdefghabcdefgh",         true }, /* eight different ones */
        {"abcdefgabcdefgabcdefgabcdefgabcdefgabcde",         false}, /* seven */
};

START_TEST(ak3_a_weak_key_refuses_the_configuration)
{
	struct api_key_settings s = entry(strengths[_i].key, "ci");
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};
	bool built = build(&s, 1, &r, &e);

	ck_assert_int_eq(built, strengths[_i].strong);
	if (!built) {
		ck_assert_int_eq(e.code, ERR_LIMIT);
		ck_assert_ptr_nonnull(strstr(e.text, "api_keys[0]"));
		if (strengths[_i].key[0] != '\0')
			ck_assert_ptr_null(strstr(e.text, strengths[_i].key));
	}
}
END_TEST

START_TEST(ak3_256_characters_are_the_end)
{
	char key[258];
	struct err e = {0};

	for (size_t i = 0; i < 257; i++)
		key[i] = (char)('a' + i % 26);
	for (size_t len = 256; len <= 257; len++) {
		AUTO(api_key_registry) struct api_key_registry *r = NULL;
		struct api_key_settings s;

		key[len] = '\0';
		s = entry(key, "ci");
		ck_assert_int_eq(build(&s, 1, &r, &e), len == 256);
		if (r != NULL)
			ck_assert_int_eq(find(r, key, len, 1), 0);
		key[len] = 'x';
	}
}
END_TEST

/* AK4 */
START_TEST(ak4_a_disabled_or_ended_key_opens_nothing)
{
	struct api_key_settings two[] = {entry(good, "ci"), entry(other, "ops")};
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	two[0].disabled = true;
	two[1].not_after_s = 1000;
	ck_assert(build(two, 2, &r, &e));
	ck_assert_int_eq(find(r, good, strlen(good), 1), -1);
	ck_assert_int_eq(find(r, other, strlen(other), 999), 1);
	ck_assert_int_eq(find(r, other, strlen(other), 1000), -1);
	ck_assert_int_eq(find(r, other, strlen(other), 1001), -1);
}
END_TEST

/* AK5 */
START_TEST(ak5_what_is_no_key_matches_nothing)
{
	struct api_key_settings s = entry(good, "ci");
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	char text[400];
	struct err e = {0};

	ck_assert(build(&s, 1, &r, &e));
	ck_assert_int_eq(find(r, "", 0, 1), -1);
	ck_assert_int_eq(find(r, other, strlen(other), 1), -1);
	ck_assert_int_eq(find(r, good, strlen(good) - 1, 1), -1);
	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(find(r, text, sizeof(text), 1), -1);
	for (size_t i = 0; i < strlen(good); i++) {
		memcpy(text, good, sizeof(good));
		text[i] = (char)(text[i] ^ 1);
		ck_assert_int_eq(find(r, text, strlen(good), 1), -1);
		text[i] = '\n';
		ck_assert_int_eq(find(r, text, strlen(good), 1), -1);
		text[i] = '\0';
		ck_assert_int_eq(find(r, text, strlen(good), 1), -1);
	}
}
END_TEST

START_TEST(ak5_an_empty_registry_finds_nothing)
{
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	ck_assert(build(NULL, 0, &r, &e));
	ck_assert_int_eq(find(r, good, strlen(good), 1), -1);
	ck_assert_int_eq(find(r, "", 0, 1), -1);
}
END_TEST

/* AK2: the search looks at every entry, so the place of the right one makes no difference. */
START_TEST(ak2_first_middle_and_last_are_found_among_many)
{
	enum { MANY = 200 };
	static char keys[MANY][SECRET_TOKEN_SIZE], ids[MANY][16];
	struct api_key_settings settings[MANY];
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	for (int i = 0; i < MANY; i++) {
		secret_token_make(SECRET_TOKEN_API_KEY, keys[i]);
		(void)snprintf(ids[i], sizeof(ids[i]), "k%d", i);
		settings[i] = entry(keys[i], ids[i]);
	}
	ck_assert(build(settings, MANY, &r, &e));
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(find(r, keys[i], SECRET_TOKEN_LEN, 1), i);
}
END_TEST

/* AK7, AK9, and everything else a configuration can get wrong. */
static const char *const star[] = {"*"}, *const unknown[] = {"tasks:delete"};
static const char empty_hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static const struct mistake {
	struct api_key_settings entry;
	enum err_code code;
	const char *says;
} mistakes[] = {
        {{.id = "a"},                                                                              ERR_FORMAT, "key_sha256"    },
        {{.key = good, .key_sha256 = empty_hash, .id = "a"},                                       ERR_FORMAT, "one of them"   },
        {{.key_sha256 = empty_hash, .id = "a"},                                                    ERR_FORMAT, "empty key"     },
        {{.key_sha256 = "12", .id = "a"},                                                          ERR_FORMAT, "64 hexadecimal"},
        {{.key_sha256 = "", .id = "a"},                                                            ERR_FORMAT, "64 hexadecimal"},
        {{.key = good, .id = ""},                                                                  ERR_FORMAT, "id"            },
        {{.key = good, .id = "a b"},                                                               ERR_FORMAT, "id"            },
        {{.key = good, .id = "a:b"},                                                               ERR_FORMAT, "id"            },
        {{.key = good, .id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
         ERR_FORMAT,                                                                                           "id"            },
        {{.key = good, .id = "a", .permissions = star, .permission_count = 1},                     ERR_FORMAT,
         "tasks:*"                                                                                                             },
        {{.key = good, .id = "a", .permissions = unknown, .permission_count = 1},                  ERR_FORMAT,
         "tasks:delete"                                                                                                        },
        {{.key = good, .id = "a", .permissions = reads, .permission_count = 257},                  ERR_LIMIT,  "256"           },
        {{.key = good, .id = "a", .not_after_s = -1},                                              ERR_FORMAT, "not_after"     },
};

START_TEST(ak9_a_wrong_entry_refuses_the_configuration)
{
	const struct mistake *m = &mistakes[_i];
	struct api_key_registry *r = NULL;
	struct err e = {0};

	ck_assert(!build(&m->entry, 1, &r, &e));
	ck_assert_ptr_null(r);
	ck_assert_int_eq(e.code, m->code);
	ck_assert_msg(strstr(e.text, m->says) != NULL, "%s", e.text);
	ck_assert_ptr_null(strstr(e.text, good));
}
END_TEST

START_TEST(ak7_twice_the_same_key_or_id_refuses_the_configuration)
{
	struct api_key_settings same_key[] = {entry(good, "a"), entry(good, "b")};
	struct api_key_settings same_id[] = {entry(good, "a"), entry(other, "a")};
	struct api_key_registry *r = NULL;
	struct err e = {0};

	ck_assert(!build(same_key, 2, &r, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert(!build(same_id, 2, &r, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(e.text, "api_keys[1]"));
}
END_TEST

/* JT18 for keys: lax drops what it does not know, and says so; a bare star is refused even then. */
START_TEST(ak9_lax_drops_unknown_permissions_but_never_takes_a_star)
{
	struct api_key_settings s = entry(good, "ci");
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct api_key_registry *none = NULL;
	struct security_report report = {0};
	struct err e = {0};

	s.permissions = unknown;
	s.permission_count = 1;
	ck_assert(api_key_registry_new(&s, 1, false, &r, &report, &e));
	ck_assert_uint_eq(api_key_registry_at(r, 0)->permissions.bits, 0);
	ck_assert_uint_eq(report.count, 2);
	ck_assert_ptr_nonnull(strstr(report.warnings[1], "tasks:delete"));
	s.permissions = star;
	ck_assert(!api_key_registry_new(&s, 1, false, &none, &report, &e));
}
END_TEST

/* AK6: the name of a key without id comes from its hash, never from its text. */
START_TEST(ak6_a_key_without_id_is_named_by_its_hash)
{
	struct api_key_settings s = entry(good, NULL);
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	char hex[DIGEST_HEX];
	struct err e = {0};

	ck_assert(build(&s, 1, &r, &e));
	digest_hex(api_key_registry_at(r, 0)->digest, hex);
	ck_assert_uint_eq(strlen(api_key_registry_at(r, 0)->id), 8);
	ck_assert_mem_eq(api_key_registry_at(r, 0)->id, hex, 8);
}
END_TEST

/* At the limits, not beyond them: a key of 20 characters, an id of 64, 256 permissions. */
START_TEST(limits_themselves_are_allowed)
{
	static const char key[] = "!Abcdefgh1jklmnopqr~",
	                  id[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const char *permissions[API_KEY_PERMISSIONS_MAX];
	struct api_key_settings s = {.key = key,
	        .id = id,
	        .permissions = permissions,
	        .permission_count = API_KEY_PERMISSIONS_MAX};
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	for (size_t i = 0; i < COUNT(permissions); i++)
		permissions[i] = "dlq:*";
	ck_assert_msg(build(&s, 1, &r, &e), "%s", e.text);
	ck_assert_int_eq(find(r, key, strlen(key), 1), 0);
	ck_assert_uint_eq(strlen(api_key_registry_at(r, 0)->id), API_KEY_ID_MAX);
}
END_TEST

START_TEST(a_thousand_keys_are_allowed)
{
	static char keys[API_KEYS_MAX][SECRET_TOKEN_SIZE];
	static struct api_key_settings settings[API_KEYS_MAX];
	AUTO(api_key_registry) struct api_key_registry *r = NULL;
	struct err e = {0};

	for (size_t i = 0; i < API_KEYS_MAX; i++) {
		secret_token_make(SECRET_TOKEN_API_KEY, keys[i]);
		settings[i].key = keys[i];
	}
	ck_assert_msg(build(settings, API_KEYS_MAX, &r, &e), "%s", e.text);
	ck_assert_int_eq(find(r, keys[999], SECRET_TOKEN_LEN, 1), 999);
}
END_TEST

START_TEST(more_than_a_thousand_keys_are_refused)
{
	struct api_key_settings *many = calloc(API_KEYS_MAX + 1, sizeof(*many));
	struct api_key_registry *r = NULL;
	struct err e = {0};

	ck_assert_ptr_nonnull(many);
	ck_assert(!build(many, API_KEYS_MAX + 1, &r, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	free(many);
}
END_TEST

START_TEST(a_report_keeps_sixteen_lines_and_counts_the_rest)
{
	struct security_report report = {0};

	for (int i = 0; i < 20; i++)
		security_report_add(&report, "line %d", i);
	security_report_add(NULL, "nobody listens");
	ck_assert_uint_eq(report.count, SECURITY_REPORT_MAX);
	ck_assert_uint_eq(report.dropped, 4);
	ck_assert_str_eq(report.warnings[15], "line 15");
}
END_TEST

static bool
build_two(struct err *e)
{
	struct api_key_settings two[] = {entry(good, "ci"), entry(other, NULL)};
	AUTO(api_key_registry) struct api_key_registry *r = NULL;

	return build(two, 2, &r, e);
}

START_TEST(every_allocation_may_fail)
{
	ck_assert_uint_gt(kit_torture(build_two), 8);
}
END_TEST

Suite *
api_key_registry_suite(void)
{
	Suite *s = suite_create("api_key_registry");
	TCase *load = tcase_create("load"), *search = tcase_create("search");

	tcase_add_test(load, a_key_is_found_and_carries_what_was_configured);
	tcase_add_test(load, ak1_a_hash_serves_as_well_as_the_key);
	tcase_add_test(load, ak1_the_clear_text_is_not_kept);
	tcase_add_test(load, ak1_clear_text_is_warned_about_without_showing_it);
	tcase_add_loop_test(load, ak3_a_weak_key_refuses_the_configuration, 0, COUNT(strengths));
	tcase_add_test(load, ak3_256_characters_are_the_end);
	tcase_add_loop_test(load, ak9_a_wrong_entry_refuses_the_configuration, 0, COUNT(mistakes));
	tcase_add_test(load, ak7_twice_the_same_key_or_id_refuses_the_configuration);
	tcase_add_test(load, ak9_lax_drops_unknown_permissions_but_never_takes_a_star);
	tcase_add_test(load, ak6_a_key_without_id_is_named_by_its_hash);
	tcase_add_test(load, limits_themselves_are_allowed);
	tcase_add_test(load, a_thousand_keys_are_allowed);
	tcase_add_test(load, more_than_a_thousand_keys_are_refused);
	tcase_add_test(load, a_report_keeps_sixteen_lines_and_counts_the_rest);
	tcase_add_test(load, every_allocation_may_fail);
	tcase_add_test(search, ak2_first_middle_and_last_are_found_among_many);
	tcase_add_test(search, ak4_a_disabled_or_ended_key_opens_nothing);
	tcase_add_test(search, ak5_what_is_no_key_matches_nothing);
	tcase_add_test(search, ak5_an_empty_registry_finds_nothing);
	suite_add_tcase(s, load);
	suite_add_tcase(s, search);
	return s;
}
