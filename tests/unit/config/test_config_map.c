/* web.auth.permission_map: a table with any names, and the lists of public keys. */
#include <stdlib.h>
#include <string.h>

#include "shared/config/config_show.h"
#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

#define MAP "[web.auth.permission_map]\n"
#define KEYS "[[web.auth.public_keys]]\n"
#define WORKER_KEYS "[[web.internal.public_keys]]\n"

static const struct {
	const char *toml;
	size_t count;
	const char *last; /* NULL: refused, and why is in says */
	const char *says;
} maps[] = {
        {MAP "admin = 'tasks:*'",                                                             1, "admin=tasks:*",                   NULL                                        },
        {MAP "admin = ['tasks:*', 'dlq:read']",                                               1, "admin=tasks:* dlq:read",          NULL                                        },
        {MAP "'role:admin' = 'tasks:*'",                                                      1, "role:admin=tasks:*",              NULL                                        },
        {MAP "\"https://example.com/a.b\" = ['tasks:*']",                                     1, "https://example.com/a.b=tasks:*",
         NULL                                                                                                                                                                   },
        {MAP "'cn=ops,dc=example' = 'tasks:*'",                                               1, "cn=ops,dc=example=tasks:*",       NULL                                        },
        {MAP "'cn=ops' = 'tasks:*'\ncn = 'dlq:read'",                                         2, "cn=dlq:read",                     NULL                                        },
        {"web.auth.permission_map = { 'a b' = 'tasks:*' }",                                   1, "a b=tasks:*",                     NULL                                        },
        {MAP "admin = []",                                                                    1, "admin=",                          NULL                                        },
        {MAP "admin = 7",                                                                     0, NULL,                              "web.auth.permission_map takes texts"       },
        {MAP "admin = ['a', 7]",                                                              0, NULL,                              "web.auth.permission_map takes texts"       },
        {MAP "admin = 'a=b'",                                                                 0, NULL,                              "holds an ="                                },
        {MAP "'' = 'tasks:*'",                                                                0, NULL,                              "takes names of 1..64 bytes"                },
        {MAP "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0 = 'tasks:*'", 0,
         NULL,                                                                                                                      "takes names of 1..64 bytes"                },
        {MAP "realm.admin = 'tasks:*'",                                                       0, NULL,
         "there is no section [web.auth.permission_map.realm]"                                                                                                                  },
        {MAP "\"a\\u0000b\" = 'tasks:*'",                                                     0, NULL,                              "a key here is not made of"                 },
        {"web.auth.permission_map = 'tasks:*'",                                               0, NULL,                              "takes a table of texts"                    },
        {"[web.auth]\n'auth.enabled' = true",                                                 0, NULL,                              "a key here is not made of"                 },
        {KEYS "kid = 'a'",                                                                    0, NULL,                              "public key \"a\" takes one of path and pem"},
        {KEYS "kid = 'a'\npath = 'p'\npem = 'q'",                                             0, NULL,                              "takes one of path and pem"                 },
        {KEYS "kid = 'a'\npath = 'p'\nalgorithm = 'HS256'",                                   0, NULL,                              "takes one of RS256, RS384"                 },
        {KEYS "kid = 'a'\npath = 'p'\n" KEYS "kid = 'a'\npath = 'q'",                         0, NULL,
         "there are two public keys \"a\""                                                                                                                                      },
        {WORKER_KEYS "kid = 'a'\npath = 'p'\n" WORKER_KEYS "kid = 'a'\npath = 'q'",           0, NULL,
         "there are two public keys \"a\""                                                                                                                                      },
};

START_TEST(a_map_takes_any_names_and_nothing_else_does)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, maps[_i].toml, NULL, NULL);
	const struct config_list *map;

	ck_assert_msg(a->ok == (maps[_i].last != NULL), "%s: %s", maps[_i].toml, a->e.text);
	if (maps[_i].last == NULL) {
		ck_assert_msg(strstr(a->e.text, maps[_i].says) != NULL, "%s", a->e.text);
		return;
	}
	map = &a->config->web_auth_permission_map;
	ck_assert_uint_eq(map->count, maps[_i].count);
	ck_assert_str_eq(map->items[map->count - 1], maps[_i].last);
}
END_TEST

static void
look(const char *key, const char *value, void *arg)
{
	if (strcmp(key, "web.auth.permission_map") == 0)
		*(char **)arg = strdup(value);
}

START_TEST(a_map_is_shown_as_the_toml_it_could_come_from)
{
	AUTO(attempt)
	struct attempt *a =
	        attempt(CONFIG_WORKER, MAP "'cn=\"ops\"' = ['a:*', 'b:c']\nx = 'd:e'", NULL, NULL);
	char *shown = NULL;
	struct err e = {0};

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert(config_show(a->config, look, &shown, &e));
	ck_assert_str_eq(shown, "{\"cn=\\\"ops\\\"\" = \"a:* b:c\", \"x\" = \"d:e\"}");
	free(shown);
}
END_TEST

START_TEST(keys_of_users_and_workers_are_lists_of_their_own)
{
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_ORCHESTRATION,
	        "web.auth.enabled = true\n" KEYS "kid = 'a'\npath = 'p'\n" KEYS
	        "pem = 'q'\nalgorithm = 'ES256'\n" WORKER_KEYS "kid = 'a'\npath = 'r'",
	        NULL, NULL);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_uint_eq(a->config->public_key_count, 2);
	ck_assert_uint_eq(a->config->internal_key_count, 1);
	ck_assert_str_eq(a->config->public_keys[0].path, "p");
	ck_assert_str_eq(a->config->public_keys[0].algorithm, "");
	ck_assert_str_eq(a->config->public_keys[1].algorithm, "ES256");
	ck_assert_str_eq(a->config->public_keys[1].kid, "");
	ck_assert_str_eq(a->config->internal_keys[0].path, "r");
}
END_TEST

START_TEST(maps_and_keys_may_change_with_a_reload)
{
	AUTO(attempt) struct attempt *before = attempt(CONFIG_WORKER, "", NULL, NULL);
	AUTO(attempt)
	struct attempt *after = attempt(CONFIG_WORKER,
	        MAP "a = 'tasks:*'\n" KEYS "path = 'p'\n" WORKER_KEYS "path = 'r'", NULL, NULL);
	struct err e = {0};

	ck_assert(before->ok && after->ok);
	ck_assert(config_reload_ok(before->config, after->config, NULL, &e));
}
END_TEST

Suite *
config_map_suite(void)
{
	Suite *s = suite_create("config_map");
	TCase *tc = tcase_create("map");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_add_loop_test(tc, a_map_takes_any_names_and_nothing_else_does, 0, COUNT(maps));
	tcase_add_test(tc, a_map_is_shown_as_the_toml_it_could_come_from);
	tcase_add_test(tc, keys_of_users_and_workers_are_lists_of_their_own);
	tcase_add_test(tc, maps_and_keys_may_change_with_a_reload);
	suite_add_tcase(s, tc);
	return s;
}
