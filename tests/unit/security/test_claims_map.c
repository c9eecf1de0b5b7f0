/* JT17, JT18, PM3: where a token's permissions are, and what the issuer's names for them count as.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static struct claims claims; /* freed with the case's process */

static const struct claim_rules users = {.caller = CALLER_USER,
        .issuer = "i",
        .audience = "a",
        .permissions_claim = "permissions",
        .max_lifetime_s = 86400,
        .strict_permissions = true};

/* The verdict on a good payload with these members in front. */
static enum verdict
check(const struct claim_rules *rules, const char *members)
{
	static char payload[8192];

	(void)snprintf(payload, sizeof(payload),
	        "{%s%s\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1800003600}", members,
	        members[0] != '\0' ? "," : "");
	return kit_claims(rules, payload, NOW_S, &claims);
}

static uint64_t
bits_of(const char *words)
{
	struct permission_set set = {0};
	struct err e = {0};

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		ck_assert(permission_set_add(&set, words, len, &e));
		words += len + (words[len] == ' ');
	}
	return set.bits;
}

/* JT17: the exact name, else the path; granted: what it gives, NULL for a refusal as a bad claim.
 */
static const struct {
	const char *name, *members, *granted;
} paths[] = {
        {"realm_access.roles",           "\"realm_access\":{\"roles\":[\"tasks:read\",\"dlq:*\"]}",
         "tasks:read dlq:*"                                                                                     },
        {"realm_access.roles",           "\"realm_access\":{\"roles\":\"tasks:read tasks:list\"}",
         "tasks:read tasks:list"                                                                                },
        {"resource_access.tasker.roles",
         "\"resource_access\":{\"other\":{\"roles\":[\"dlq:*\"]},\"tasker\":{\"roles\":["
                "\"tasks:read\"]}}",                                                                "tasks:read"},
        {"https://example.com/roles",    "\"https://example.com/roles\":[\"tasks:read\"]",
         "tasks:read"                                                                                           },
        {"https://example.com/roles",    "\"https://example\":{\"com/roles\":[\"tasks:read\"]}",
         "tasks:read"                                                                                           },
 /* the exact name wins, even where it grants less */
        {"a.b",                          "\"a.b\":\"tasks:read\",\"a\":{\"b\":\"dlq:*\"}",          "tasks:read"},
        {"a.b",                          "\"a\":{\"b\":\"dlq:*\"},\"a.b\":\"\"",                    ""          },
 /* absent */
        {"a.b",                          "",                                                        ""          },
        {"a.b",                          "\"a\":{}",                                                ""          },
        {"a.b",                          "\"a\":{\"B\":\"tasks:read\"}",                            ""          },
        {"a.b",                          "\"b\":\"tasks:read\"",                                    ""          },
        {"a.b.c",                        "\"a\":{\"b.c\":\"tasks:read\"}",                          ""          },
 /* an empty step leads nowhere */
        {"a..b",                         "\"a\":{\"\":{\"b\":\"tasks:read\"}}",                     ""          },
        {".a",                           "\"\":{\"a\":\"tasks:read\"}",                             ""          },
        {"a.",                           "\"a\":{\"\":\"tasks:read\"}",                             ""          },
 /* through something else than an object */
        {"a.b",                          "\"a\":\"tasks:read\"",                                    NULL        },
        {"a.b",                          "\"a\":[{\"b\":\"tasks:read\"}]",                          NULL        },
        {"a.b",                          "\"a\":null",                                              NULL        },
        {"a.b",                          "\"a\":7",                                                 NULL        },
        {"a.b.c",                        "\"a\":{\"b\":true}",                                      NULL        },
 /* to something else than strings */
        {"a.b",                          "\"a\":{\"b\":{}}",                                        NULL        },
        {"a.b",                          "\"a\":{\"b\":null}",                                      NULL        },
        {"a.b",                          "\"a\":{\"b\":7}",                                         NULL        },
        {"a.b",                          "\"a\":{\"b\":true}",                                      NULL        },
        {"a.b",                          "\"a\":{\"b\":[7]}",                                       NULL        },
        {"a.b",                          "\"a\":{\"b\":[[\"tasks:read\"]]}",                        NULL        },
};

START_TEST(jt17_the_exact_name_counts_else_the_path_through_objects)
{
	struct claim_rules rules = users;
	enum verdict v;

	rules.permissions_claim = paths[_i].name;
	v = check(&rules, paths[_i].members);
	if (paths[_i].granted == NULL) {
		ck_assert_msg(v == VERDICT_DENY_CLAIMS, "%s", verdict_reason(v));
	} else {
		ck_assert_msg(v == VERDICT_GRANT, "%s", verdict_reason(v));
		ck_assert_uint_eq(claims.fields.permissions.bits, bits_of(paths[_i].granted));
	}
	claims_clear(&claims);
}
END_TEST

static struct permission_map *
map_of(const char *name, const char *permissions)
{
	const struct permission_mapping row = {name, strlen(name), permissions};
	struct permission_map *map = NULL;
	struct err e = {0};

	ck_assert_msg(permission_map_new(&row, 1, &map, &e), "%s", e.text);
	return map;
}

/* JT18 with a map of "ops" to "tasks:* dlq:read". */
static const struct {
	const char *claim;
	bool strict;
	enum verdict verdict;
	const char *granted;
	size_t ignored;
} mapped[] = {
        {"[\"ops\"]",                            true,  VERDICT_GRANT,            "tasks:* dlq:read",            0},
        {"\"ops\"",                              true,  VERDICT_GRANT,            "tasks:* dlq:read",            0},
        {"[\"ops\",\"dlq:update\"]",             true,  VERDICT_GRANT,            "tasks:* dlq:read dlq:update", 0},
        {"[\"dlq:update\"]",                     true,  VERDICT_GRANT,            "dlq:update",                  0},
        {"[\"offline_access\",\"uma\",\"ops\"]", true,  VERDICT_GRANT,            "tasks:* dlq:read",            2},
        {"[\"offline_access\",\"uma\",\"ops\"]", false, VERDICT_GRANT,            "tasks:* dlq:read",            2},
        {"\"openid profile ops\"",               true,  VERDICT_GRANT,            "tasks:* dlq:read",            2},
        {"[\"OPS\",\"ops \",\"op\"]",            true,  VERDICT_GRANT,            "",                            3},
 /* a bare star is refused as ever, and grants nothing where it is not */
        {"[\"*\",\"ops\"]",                      true,  VERDICT_DENY_PERMISSIONS, "",                            0},
        {"\"ops *\"",                            true,  VERDICT_DENY_PERMISSIONS, "",                            0},
        {"[\"*\",\"ops\"]",                      false, VERDICT_GRANT,            "tasks:* dlq:read",            1},
        {"[\"ops\",7]",                          true,  VERDICT_DENY_CLAIMS,      "",                            0},
};

START_TEST(jt18_with_a_map_foreign_names_are_counted_and_a_star_is_refused)
{
	AUTO(permission_map) struct permission_map *map = map_of("ops", "tasks:* dlq:read");
	struct claim_rules rules = users;
	char member[256];

	rules.permission_map = map;
	rules.strict_permissions = mapped[_i].strict;
	(void)snprintf(member, sizeof(member), "\"permissions\":%s", mapped[_i].claim);
	ck_assert_int_eq(check(&rules, member), mapped[_i].verdict);
	if (mapped[_i].verdict == VERDICT_GRANT) {
		ck_assert_uint_eq(claims.fields.permissions.bits, bits_of(mapped[_i].granted));
		ck_assert_uint_eq(claims.permissions_ignored, mapped[_i].ignored);
	}
	if (mapped[_i].verdict == VERDICT_DENY_PERMISSIONS)
		ck_assert_str_eq(claims.unknown_permission, "*");
	claims_clear(&claims);
}
END_TEST

/* PM3: each permission through the map is itself and nothing else, however it is nearly spelled. */
START_TEST(pm3_every_permission_comes_through_the_map_exactly)
{
	static const char *const tricks[] = {"x", "x:", "role:", "role:x ", " role:x", "ROLE:x",
	        "role:x:y", "role:*", "*:*", "role"};

	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		AUTO(permission_map)
		struct permission_map *map =
		        map_of("role:x", permission_spelled((enum permission)p));
		struct claim_rules rules = users;

		rules.permission_map = map;
		ck_assert_int_eq(check(&rules, "\"permissions\":[\"role:x\"]"), VERDICT_GRANT);
		for (unsigned q = 0; q < PERMISSION__COUNT; q++)
			ck_assert_int_eq(
			        permission_set_has(&claims.fields.permissions, (enum permission)q),
			        p == q);
		for (size_t i = 0; i < COUNT(tricks); i++) {
			char member[64];

			(void)snprintf(
			        member, sizeof(member), "\"permissions\":[\"%s\"]", tricks[i]);
			ck_assert_int_eq(check(&rules, member), VERDICT_GRANT);
			ck_assert_uint_eq(claims.fields.permissions.bits, 0);
		}
	}
	claims_clear(&claims);
}
END_TEST

/* PM3: the same for `resource:*` as a target: the rows of that resource, none of another's. */
START_TEST(pm3_a_wildcard_comes_through_the_map_for_its_resource_only)
{
	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		char wildcard[64];
		size_t len = 0, other = 0;
		const char *resource = permission_resource((enum permission)p, &len);
		struct claim_rules rules = users;

		(void)snprintf(wildcard, sizeof(wildcard), "%.*s:*", (int)len, resource);
		AUTO(permission_map) struct permission_map *map = map_of("all", wildcard);
		rules.permission_map = map;
		ck_assert_int_eq(check(&rules, "\"permissions\":\"all\""), VERDICT_GRANT);
		for (unsigned q = 0; q < PERMISSION__COUNT; q++) {
			const char *of = permission_resource((enum permission)q, &other);

			ck_assert_int_eq(
			        permission_set_has(&claims.fields.permissions, (enum permission)q),
			        len == other && memcmp(of, resource, len) == 0);
		}
	}
	claims_clear(&claims);
}
END_TEST

/* JT17: the limits count what the token says, before and beside the map. */
START_TEST(jt17_limits_hold_before_the_map)
{
	AUTO(permission_map) struct permission_map *map = map_of("ops", "tasks:read");
	struct claim_rules rules = users;
	static char text[4096];

	rules.permission_map = map;
	for (int n = CLAIM_PERMISSIONS_MAX; n <= CLAIM_PERMISSIONS_MAX + 1; n++) {
		size_t at = (size_t)snprintf(text, sizeof(text), "\"permissions\":[\"ops\"");

		for (int i = 1; i < n; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, ",\"ops\"");
		(void)snprintf(text + at, sizeof(text) - at, "]");
		ck_assert_int_eq(check(&rules, text),
		        n == CLAIM_PERMISSIONS_MAX ? VERDICT_GRANT : VERDICT_DENY_CLAIMS);
	}
	for (int len = CLAIM_PERMISSION_LEN; len <= CLAIM_PERMISSION_LEN + 1; len++) {
		char fill[CLAIM_PERMISSION_LEN + 2] = {0};

		memset(fill, 'r', (size_t)len);
		(void)snprintf(text, sizeof(text), "\"permissions\":[\"%s\"]", fill);
		ck_assert_int_eq(check(&rules, text),
		        len == CLAIM_PERMISSION_LEN ? VERDICT_GRANT : VERDICT_DENY_CLAIMS);
	}
	claims_clear(&claims);
}
END_TEST

/* The map is the trust's own, also after the keys were replaced (JK10), and users' alone. */
START_TEST(a_map_outlives_a_rotation_of_keys)
{
	const struct permission_mapping row = {"ops", 3, "tasks:read"};
	struct token_settings settings = kit_settings().users;
	AUTO(trust) struct trust *first = NULL;
	AUTO(trust) struct trust *second = NULL;
	struct err e = {0};

	settings.permission_map = &row;
	settings.permission_map_count = 1;
	settings.issuer = "i";
	settings.audience = "a";
	ck_assert_msg(trust_new(&settings, CALLER_USER, &first, &e), "%s", e.text);
	ck_assert(trust_with_keys(first, NULL, &second, &e));
	trust_free(TAKE(first));
	ck_assert_int_eq(
	        check(trust_rules(second), "\"permissions\":[\"ops\",\"other\"]"), VERDICT_GRANT);
	ck_assert_uint_eq(claims.fields.permissions.bits, bits_of("tasks:read"));
	claims_clear(&claims);
}
END_TEST

START_TEST(a_star_in_the_map_refuses_the_service)
{
	const struct permission_mapping row = {"admins", 6, "*"};
	struct security_settings settings = kit_settings();
	struct security_service *service = NULL;
	struct err e = {0};

	settings.users.permission_map = &row;
	settings.users.permission_map_count = 1;
	ck_assert(!security_service_new(&settings, &service, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "permission_map \"admins\""));
	ck_assert_ptr_nonnull(strstr(e.text, "a bare * grants nothing"));
}
END_TEST

START_TEST(a_claims_name_has_at_most_128_bytes)
{
	struct security_settings settings = kit_settings();
	char name[CLAIM_NAME_MAX + 2] = {0};

	for (size_t len = CLAIM_NAME_MAX; len <= CLAIM_NAME_MAX + 1; len++) {
		AUTO(security_service) struct security_service *service = NULL;
		struct err e = {0};

		memset(name, 'c', len);
		settings.users.permissions_claim = name;
		ck_assert_int_eq(
		        security_service_new(&settings, &service, NULL, &e), len == CLAIM_NAME_MAX);
	}
}
END_TEST

Suite *
claims_map_suite(void)
{
	Suite *s = suite_create("claims_map");
	TCase *tc = tcase_create("names");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_loop_test(
	        tc, jt17_the_exact_name_counts_else_the_path_through_objects, 0, COUNT(paths));
	tcase_add_loop_test(tc, jt18_with_a_map_foreign_names_are_counted_and_a_star_is_refused, 0,
	        COUNT(mapped));
	tcase_add_test(tc, pm3_every_permission_comes_through_the_map_exactly);
	tcase_add_test(tc, pm3_a_wildcard_comes_through_the_map_for_its_resource_only);
	tcase_add_test(tc, jt17_limits_hold_before_the_map);
	tcase_add_test(tc, a_map_outlives_a_rotation_of_keys);
	tcase_add_test(tc, a_star_in_the_map_refuses_the_service);
	tcase_add_test(tc, a_claims_name_has_at_most_128_bytes);
	suite_add_tcase(s, tc);
	return s;
}
