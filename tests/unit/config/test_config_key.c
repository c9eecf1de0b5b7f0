/* The table of keys, and what is guessed from it. */
#include <string.h>

#include "shared/config/config_value.h"
#include "tests/unit/unit.h"

START_TEST(no_two_keys_share_a_name_or_a_variable)
{
	const struct config_key *a, *b;
	char left[CONFIG_ENV_MAX], right[CONFIG_ENV_MAX];

	for (size_t i = 0; (a = config_key_at(i)) != NULL; i++)
		for (size_t j = i + 1; (b = config_key_at(j)) != NULL; j++) {
			ck_assert_str_ne(a->name, b->name);
			for (unsigned role = 0; role <= CONFIG_WORKER; role++) {
				config_key_env(a, role, left);
				config_key_env(b, 0, right);
				ck_assert_str_ne(left, right);
				config_key_env(a, 0, left);
				config_key_env(b, role, right);
				ck_assert_str_ne(left, right);
			}
		}
}
END_TEST

START_TEST(every_row_makes_sense)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		const char *group = config_group_name(key->group);

		ck_assert_uint_lt(strlen(key->name), CONFIG_NAME_MAX);
		ck_assert_msg(strchr(key->name, '.') != NULL, "%s", key->name);
		ck_assert_msg(key->min <= key->max, "%s", key->name);
		ck_assert_msg(strlen(key->help) > 5, "%s", key->name);
		ck_assert_msg(key->type != CONFIG_LIST || key->max > 0, "%s", key->name);
		ck_assert_msg((key->flags & CONFIG_PUBLIC) == 0 ||
		                      (key->flags & (CONFIG_SECRET | CONFIG_HIDDEN)) == 0,
		        "%s", key->name);
		ck_assert_msg(group == NULL || strncmp(key->name, group, strlen(group)) == 0, "%s",
		        key->name);
		ck_assert_ptr_eq(config_key_find(key->roles, key->name), key);
	}
}
END_TEST

/* A default that its own row refuses would be a trap for whoever writes it down. */
START_TEST(every_default_is_one_its_row_accepts)
{
	const struct config_key *key;
	union {
		struct config whole;
		struct config_api_key api_key;
		struct config_handler handler;
	} base;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		for (enum config_role role = CONFIG_ORCHESTRATION; role <= CONFIG_WORKER; role++) {
			const char *preset = config_key_default(key, role);
			struct err e = {0};

			memset(&base, 0, sizeof(base));
			ck_assert_msg(config_value_reset(key, role, &base, &e), "%s", e.text);
			if (preset[0] != '\0')
				ck_assert_msg(
				        config_value_read(key, &base, preset, &e), "%s", e.text);
			config_value_release(key, &base);
		}
}
END_TEST

START_TEST(a_key_of_the_other_role_is_not_found)
{
	ck_assert_ptr_null(config_key_find(CONFIG_ORCHESTRATION, "worker.slots"));
	ck_assert_ptr_null(config_key_find(CONFIG_WORKER, "store.url"));
	ck_assert_ptr_nonnull(config_key_find(CONFIG_WORKER, "web.threads"));
	ck_assert(!config_key_has_section(CONFIG_WORKER, "store"));
	ck_assert(!config_key_has_section(CONFIG_WORKER, "web.thread"));
	ck_assert(config_key_has_section(CONFIG_WORKER, "web"));
}
END_TEST

static const struct {
	const char *name, *meant;
} slips[] = {
        {"web.auth.enabeld",         "web.auth.enabled"},
        {"web.bindaddress",          "web.bind_address"},
        {"web.enabled",              "web.auth.enabled"},
        {"wbe.threads",              "web.threads"     },
        {"limits.bind_address",      "web.bind_address"},
        {"completely.something",     NULL              },
        {"",                         NULL              },
        {"web.auth.jwt_leeway_secs", NULL              },
};

START_TEST(a_slip_of_two_letters_or_of_the_section_is_guessed)
{
	char meant[CONFIG_NAME_MAX];
	bool found = config_key_suggest(CONFIG_ORCHESTRATION, slips[_i].name, meant);

	ck_assert_int_eq(found, slips[_i].meant != NULL);
	if (found)
		ck_assert_str_eq(meant, slips[_i].meant);
}
END_TEST

START_TEST(a_section_is_guessed)
{
	char meant[CONFIG_NAME_MAX];

	ck_assert(config_key_suggest_section(CONFIG_WORKER, "handler", meant));
	ck_assert_str_eq(meant, "handlers");
	ck_assert(config_key_suggest_section(CONFIG_WORKER, "web.aut", meant));
	ck_assert_str_eq(meant, "web.auth");
	ck_assert(!config_key_suggest_section(CONFIG_WORKER, "database", meant));
}
END_TEST

START_TEST(variables_are_the_name_in_capitals)
{
	const struct config_key *key = config_key_find(CONFIG_BOTH, "web.bind_address");
	char name[CONFIG_ENV_MAX];

	config_key_env(key, 0, name);
	ck_assert_str_eq(name, "TASKER_WEB_BIND_ADDRESS");
	config_key_env(key, CONFIG_WORKER, name);
	ck_assert_str_eq(name, "TASKER_WORKER_WEB_BIND_ADDRESS");
	config_key_env(key, CONFIG_ORCHESTRATION, name);
	ck_assert_str_eq(name, "TASKER_ORCHESTRATION_WEB_BIND_ADDRESS");
}
END_TEST

Suite *
config_key_suite(void)
{
	Suite *s = suite_create("config_key");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, no_two_keys_share_a_name_or_a_variable);
	tcase_add_test(tc, every_row_makes_sense);
	tcase_add_test(tc, every_default_is_one_its_row_accepts);
	tcase_add_test(tc, a_key_of_the_other_role_is_not_found);
	tcase_add_loop_test(
	        tc, a_slip_of_two_letters_or_of_the_section_is_guessed, 0, COUNT(slips));
	tcase_add_test(tc, a_section_is_guessed);
	tcase_add_test(tc, variables_are_the_name_in_capitals);
	suite_add_tcase(s, tc);
	return s;
}
