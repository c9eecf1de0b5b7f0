/* Variables: references in files (CF3) and TASKER_... overrides. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

static const char *const env[] = {"NAME=value", "EMPTY=", "SLOTS=5", "LIST=a,b", "FLAG=true",
        "NAMES=shadow", "=odd", "NOEQUALS", NULL};

static const struct {
	const char *toml;
	const char *worker_id; /* NULL: refused */
} references[] = {
        {"worker.id = '${NAME}'",                                        "value"  },
        {"worker.id = '${NAME:-other}'",                                 "value"  },
        {"worker.id = '${EMPTY:-other}'",                                "other"  },
        {"worker.id = '${EMPTY}'",                                       ""       },
        {"worker.id = '${GONE:-other}'",                                 "other"  },
        {"worker.id = '${GONE:-}'",                                      ""       },
        {"worker.id = '${GONE:-a:-b $c}'",                               "a:-b $c"},
        {"worker.id = '$NAME'",                                          "$NAME"  },
        {"worker.id = '${GONE}'",                                        NULL     },
        {"worker.id = '${NAME'",                                         NULL     },
        {"worker.id = '${}'",                                            NULL     },
        {"worker.id = '${'",                                             NULL     },
        {"worker.id = '${:-x}'",                                         NULL     },
        {"worker.id = '${NAME-x}'",                                      NULL     },
        {"worker.id = '${NAME:=x}'",                                     NULL     },
        {"worker.id = '${A B}'",                                         NULL     },
        {"worker.id = 'x${NAME}'",                                       NULL     },
        {"worker.id = '${NAME}x'",                                       NULL     },
        {"worker.id = '${NAME}${NAME}'",                                 NULL     },
        {"worker.id = '${GONE:-${NAME}}'",                               NULL     },
        {"worker.namespaces = ['${GONE}']",                              NULL     },
        {"[[handlers]]\nname = 'h'\ncommand = ['c']\nenv.A = '${GONE}'", NULL     },
};

START_TEST(a_reference_is_the_whole_value_and_must_be_set)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, references[_i].toml, env, NULL);

	ck_assert_msg(a->ok == (references[_i].worker_id != NULL), "%s", a->e.text);
	if (a->ok)
		ck_assert_str_eq(a->config->worker_id, references[_i].worker_id);
}
END_TEST

START_TEST(a_missing_variable_is_named_with_its_line)
{
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_WORKER, "\nworker.id = '${GONE}'", env, NULL);

	ck_assert_str_eq(a->e.text, "given.toml:2: worker.id: the environment has no GONE");
}
END_TEST

START_TEST(a_reference_takes_the_type_of_its_key)
{
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_WORKER,
	        "worker.slots = '${SLOTS}'\nworker.namespaces = '${LIST}'\n"
	        "web.auth.require_typ = '${FLAG}'\ntemplates.paths = ['x', '${NAME}']\n",
	        env, NULL);
	AUTO(attempt)
	struct attempt *bad = attempt(CONFIG_WORKER, "worker.slots = '${NAME}'", env, NULL);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_int_eq(a->config->worker_slots, 5);
	ck_assert_uint_eq(a->config->worker_namespaces.count, 2);
	ck_assert(a->config->web_auth_require_typ);
	ck_assert_str_eq(a->config->templates_paths.items[1], "value");
	ck_assert_str_eq(bad->e.text, "given.toml:1: worker.slots takes a whole number");
}
END_TEST

START_TEST(variables_override_keys_and_the_role_in_front_wins)
{
	static const char *const set[] = {"TASKER_WORKER_WEB_THREADS=2", "TASKER_WEB_THREADS=1",
	        "TASKER_ORCHESTRATION_WEB_THREADS=3", "TASKER_LOG_LEVEL=warn",
	        "TASKER_WORKER_ID=me", "TASKER_STORE_URL=sqlite:y",
	        "TASKER_LOG_FORMAT=", "TASKER_WORKER_NAMESPACES=a, b",
	        "TASKER_TEMPLATES_PATHS=[\"x,y\"]", NULL};
	AUTO(attempt) struct attempt *w = attempt_search(CONFIG_WORKER, set, NULL);
	AUTO(attempt) struct attempt *o = attempt_search(CONFIG_ORCHESTRATION, set, NULL);

	ck_assert_msg(w->ok && o->ok, "%s%s", w->e.text, o->e.text);
	ck_assert_int_eq(w->config->web_threads, 2);
	ck_assert_int_eq(o->config->web_threads, 3);
	ck_assert_str_eq(w->config->log_level, "warn");
	ck_assert_str_eq(w->config->log_format, "auto");
	ck_assert_str_eq(w->config->worker_id, "me");
	ck_assert_str_eq(o->config->store_url, "sqlite:y");
	ck_assert_str_eq(w->config->worker_namespaces.items[1], "b");
	ck_assert_str_eq(w->config->templates_paths.items[0], "x,y");
	ck_assert_uint_eq(w->notes.warnings.count, 0);
	ck_assert_uint_eq(o->notes.warnings.count, 0);
}
END_TEST

START_TEST(a_bad_variable_is_refused_by_its_name_without_its_value)
{
	static const char *const set[] = {"TASKER_WEB_AUTH_ENABLED=canary", NULL};
	static const char *const legacy[] = {"TASKER_WEB_AUTH_API_KEY=canary", NULL};
	AUTO(attempt) struct attempt *a = attempt_search(CONFIG_WORKER, set, NULL);
	AUTO(attempt) struct attempt *b = attempt_search(CONFIG_WORKER, legacy, NULL);

	ck_assert(!a->ok && !b->ok);
	ck_assert_str_eq(
	        a->e.text, "TASKER_WEB_AUTH_ENABLED: web.auth.enabled takes true or false");
	ck_assert_ptr_null(strstr(b->e.text, "canary"));
}
END_TEST

START_TEST(an_unknown_variable_is_a_warning)
{
	static const char *const set[] = {
	        "TASKER_WEB_TREADS=1", "TASKER_NONSENSE=canary", "TASKERX=1", "XTASKER_Y=1", NULL};
	AUTO(attempt) struct attempt *a = attempt_search(CONFIG_WORKER, set, NULL);

	ck_assert(a->ok);
	ck_assert_uint_eq(a->notes.warnings.count, 2);
	ck_assert_str_eq(a->notes.warnings.text[0],
	        "TASKER_WEB_TREADS is no variable of Tasker; did you mean TASKER_WEB_THREADS?");
	ck_assert_str_eq(a->notes.warnings.text[1], "TASKER_NONSENSE is no variable of Tasker");
}
END_TEST

START_TEST(variables_of_the_tool_and_referred_ones_are_not_unknown)
{
	static const char *const set[] = {"TASKER_AUTH_TOKEN=1", "TASKER_API_KEY=1",
	        "TASKER_ORCHESTRATION_URL=1", "TASKER_WORKER_URL=1", "TASKER_VECTORS=1",
	        "TASKER_MY_OWN=me", "TASKER_WORKER_AUTH_TOKEN=1", NULL};
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_WORKER, "worker.id = '${TASKER_MY_OWN}'", set, NULL);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_str_eq(a->config->worker_id, "me");
	ck_assert_uint_eq(a->notes.warnings.count, 0);
}
END_TEST

START_TEST(elements_are_not_set_by_variables)
{
	static const char *const set[] = {"TASKER_HANDLERS_NAME=x", NULL};
	AUTO(attempt) struct attempt *a = attempt_search(CONFIG_WORKER, set, NULL);

	ck_assert(a->ok);
	ck_assert_uint_eq(a->notes.warnings.count, 1);
	ck_assert_uint_eq(a->config->handler_count, 0);
}
END_TEST

Suite *
config_env_suite(void)
{
	Suite *s = suite_create("config_env");
	TCase *tc = tcase_create("env");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_add_loop_test(
	        tc, a_reference_is_the_whole_value_and_must_be_set, 0, COUNT(references));
	tcase_add_test(tc, a_missing_variable_is_named_with_its_line);
	tcase_add_test(tc, a_reference_takes_the_type_of_its_key);
	tcase_add_test(tc, variables_override_keys_and_the_role_in_front_wins);
	tcase_add_test(tc, a_bad_variable_is_refused_by_its_name_without_its_value);
	tcase_add_test(tc, an_unknown_variable_is_a_warning);
	tcase_add_test(tc, variables_of_the_tool_and_referred_ones_are_not_unknown);
	tcase_add_test(tc, elements_are_not_set_by_variables);
	suite_add_tcase(s, tc);
	return s;
}
