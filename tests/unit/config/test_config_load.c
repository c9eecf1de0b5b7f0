/* Where a configuration comes from, what refuses it, and that a bad one never half-applies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/config/config_layer.h"
#include "shared/config/config_toml.h"
#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

/* CF1: everything a file can get wrong is refused with its line. */
static const struct {
	enum config_role role;
	const char *toml, *text;
} bad[] = {
        {CONFIG_WORKER,        "[web]\nthreads = 65\n",                                                  "2: web.threads = 65 is not within 0..64"          },
        {CONFIG_WORKER,        "[web]\nthreads = 'x'\n",
         "2: web.threads takes a whole number, not a text"                                                                                                  },
        {CONFIG_WORKER,        "[web]\nthreads = [1]\n",
         "2: web.threads takes a whole number, not a list that holds more than texts"                                                                       },
        {CONFIG_WORKER,        "[web]\nthreads = {}\n",                                                  "2: web.threads is a key, not a section"           },
        {CONFIG_WORKER,        "[[web.threads]]\n",                                                      "1: web.threads takes no list of tables"           },
        {CONFIG_WORKER,        "[web.auth]\nenabeld = true\n",
         "2: there is no key web.auth.enabeld; did you mean web.auth.enabled?"                                                                              },
        {CONFIG_WORKER,        "[web]\nenabled = true\n",
         "2: there is no key web.enabled; did you mean web.auth.enabled?"                                                                                   },
        {CONFIG_WORKER,        "nonsense = 1\n",                                                         "1: there is no key nonsense"                      },
        {CONFIG_WORKER,        "web = 1\n",                                                              "1: web is a section: [web]"                       },
        {CONFIG_WORKER,        "[wbe]\nx = 1\n",                                                         "1: there is no section [wbe]; did you mean [web]?"},
        {CONFIG_WORKER,        "\n[nonsense]\n",                                                         "2: there is no section [nonsense]"                },
        {CONFIG_WORKER,        "[[web]]\n",                                                              "1: web is one table: [web]"                       },
        {CONFIG_WORKER,        "[[nonsense]]\n",                                                         "1: there is no section [nonsense]"                },
        {CONFIG_WORKER,        "[store]\n",
         "1: [store] is a section of the orchestration's configuration"                                                                                     },
        {CONFIG_WORKER,        "[[store]]\n",
         "1: [store] is a section of the orchestration's configuration"                                                                                     },
        {CONFIG_ORCHESTRATION, "[[handlers]]\n",
         "1: [handlers] is a section of the worker's configuration"                                                                                         },
        {CONFIG_ORCHESTRATION, "limits.frame_bytes = 1",
         "1: limits.frame_bytes is a key of the worker's configuration"                                                                                     },
        {CONFIG_WORKER,        "[handlers]\nname = 'x'\n",
         "1: handlers is a list of tables: [[handlers]]"                                                                                                    },
        {CONFIG_WORKER,        "handlers = ['x']\n",                                                     "1: handlers is a list of tables: [[handlers]]"    },
        {CONFIG_WORKER,        "handlers = 7\n",                                                         "1: handlers is a list of tables: [[handlers]]"    },
        {CONFIG_WORKER,        "[[handlers]]\nname = 'x'\ncommand = ['a']\n[handlers.more]\n",
         "4: there is no section [handlers.more]"                                                                                                           },
        {CONFIG_WORKER,        "[[handlers]]\nname = 'x'\ncommand = ['a']\nenv = 1\n",
         "4: handlers.env takes a table of texts, not a whole number"                                                                                       },
        {CONFIG_WORKER,        "[[handlers]]\nname = 'x'\ncommand = ['a']\n[handlers.env]\nA = 1\n",
         "5: handlers.env takes texts"                                                                                                                      },
        {CONFIG_WORKER,        "[[handlers]]\nname = 'x'\ncommand = ['a']\n[handlers.env]\nA-B = 'x'\n",
         "5: handlers.env takes names of letters, digits and _"                                                                                             },
        {CONFIG_WORKER,        "[[handlers]]\nname = 'x'\ncommand = ['a']\n[handlers.env.A]\n",
         "4: there is no section [handlers.env.A]"                                                                                                          },
        {CONFIG_WORKER,        "[web]\n[log]\n[web]\n",
         "3: table header: cannot redefine existing table 'web'"                                                                                            },
        {CONFIG_WORKER,        "[",                                                                      "1: table header: encountered end-of-file"         },
        {CONFIG_WORKER,        "[web.auth]\napi_key = 'legacy'\n",
         "2: web.auth.api_key is refused: a single key has no id and no permissions; list "
                "it in "
                "[[web.auth.api_keys]]"                                                                                                                     },
        {CONFIG_WORKER,        "[log]\nlevel = 'loud'\n",
         "2: log.level takes one of debug, info, warn, error"                                                                                               },
        {CONFIG_WORKER,        "[web]\nbind_address = ':8080'\n",
         "2: web.bind_address: not an address and port such as 127.0.0.1:8080 or "
                "[::1]:8080"                                                                                                                                },
};

START_TEST(a_bad_file_is_refused_with_its_line)
{
	AUTO(attempt) struct attempt *a = attempt(bad[_i].role, bad[_i].toml, NULL, NULL);
	char expected[256];

	(void)snprintf(expected, sizeof(expected), "given.toml:%s", bad[_i].text);
	ck_assert(!a->ok);
	ck_assert_int_eq(a->e.code, ERR_FORMAT);
	ck_assert_str_eq(a->e.text, expected);
	ck_assert_uint_eq(a->notes.problems.count, 1);
	ck_assert_str_eq(a->notes.problems.text[0], expected);
}
END_TEST

START_TEST(problems_come_in_file_order_and_only_twenty_are_kept)
{
	AUTO(attempt) struct attempt *a = NULL;
	struct buf toml = BUF(KIB(4));
	char *text;

	for (int i = 0; i < CONFIG_NOTES + 5; i++)
		buf_format(&toml, "z%d = 1\n", CONFIG_NOTES + 5 - i);
	text = buf_take_text(&toml);
	a = attempt(CONFIG_WORKER, text, NULL, NULL);
	ck_assert_uint_eq(a->notes.problems.count, CONFIG_NOTES);
	ck_assert_uint_eq(a->notes.problems.more, 5);
	ck_assert_str_eq(a->e.text, "given.toml:1: there is no key z25");
	ck_assert_str_eq(a->notes.problems.text[1], "given.toml:2: there is no key z24");
	free(text);
}
END_TEST

START_TEST(nothing_at_all_is_the_defaults)
{
	AUTO(attempt) struct attempt *o = attempt_search(CONFIG_ORCHESTRATION, NULL, NULL);
	AUTO(attempt) struct attempt *w = attempt_search(CONFIG_WORKER, NULL, NULL);

	ck_assert_msg(o->ok && w->ok, "%s%s", o->e.text, w->e.text);
	ck_assert_int_eq(o->config->role, CONFIG_ORCHESTRATION);
	ck_assert_ptr_null(o->config->path);
	ck_assert_str_eq(o->config->web_bind_address, "127.0.0.1:8080");
	ck_assert_str_eq(w->config->web_bind_address, "127.0.0.1:8081");
	ck_assert_int_eq(o->config->limits_shutdown_ms, 10000);
	ck_assert_int_eq(w->config->limits_shutdown_ms, 30000);
	ck_assert(!o->config->web_auth_enabled && o->config->log_access);
	ck_assert_str_eq(o->config->web_auth_jwt_audience, "tasker-api");
	ck_assert_str_eq(w->config->web_auth_jwt_issuer, "tasker-core");
	ck_assert_uint_eq(o->config->web_auth_jwt_allowed_algorithms.count, 1);
	ck_assert_str_eq(o->config->web_auth_jwt_allowed_algorithms.items[0], "RS256");
	ck_assert_uint_eq(o->config->templates_paths.count, 0);
	ck_assert_int_eq(o->config->web_auth_jwt_max_lifetime_hours, 24);
	ck_assert_str_eq(w->config->worker_id, "");
	ck_assert_uint_eq(w->config->handler_count, 0);
	ck_assert_uint_eq(o->notes.warnings.count + o->notes.problems.count, 0);
}
END_TEST

START_TEST(tables_become_elements_with_their_own_defaults)
{
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_WORKER,
	        "[[handlers]]\nname = 'py'\ncommand = ['python3', '-c', '${NOT} a reference']\n"
	        "slots = 4\n[handlers.env]\nA = 'b'\nC = '${D:-e}'\n"
	        "[[handlers]]\nname = 'sh'\nkind = 'exec'\ncommand = ['sh']\ncallables = ['x.*']\n"
	        "[[web.auth.api_keys]]\nid = 'k'\nkey = 'secret'\npermissions = ['tasks:read']\n"
	        "not_after = 2027-01-31T00:00:00Z\n",
	        NULL, NULL);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_uint_eq(a->config->handler_count, 2);
	ck_assert_str_eq(a->config->handlers[0].kind, "process");
	ck_assert_uint_eq(a->config->handlers[0].command.count, 3);
	ck_assert_str_eq(a->config->handlers[0].command.items[2], "${NOT} a reference");
	ck_assert_int_eq(a->config->handlers[0].slots, 4);
	ck_assert_int_eq(a->config->handlers[1].slots, 1);
	ck_assert_int_eq(a->config->handlers[1].timeout_s, 30);
	ck_assert_uint_eq(a->config->handlers[0].env.count, 2);
	ck_assert_str_eq(a->config->handlers[0].env.items[1], "C=e");
	ck_assert_uint_eq(a->config->api_key_count, 1);
	ck_assert_int_eq(a->config->api_keys[0].not_after_us, 1801353600000000);
	ck_assert_str_eq(a->config->api_keys[0].permissions.items[0], "tasks:read");
	ck_assert(!a->config->api_keys[0].disabled);
}
END_TEST

START_TEST(no_elements_may_be_said_outright)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, "handlers = []\n", NULL, NULL);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_uint_eq(a->config->handler_count, 0);
}
END_TEST

START_TEST(the_search_prefers_the_working_directory_to_etc)
{
	AUTO(attempt) struct attempt *a = NULL;
	AUTO(attempt) struct attempt *b = NULL;

	place_write("etc/worker.toml", "[worker]\nid = 'etc'\n");
	place_write("etc/orchestration.toml", "nonsense = 1\n");
	a = attempt_search(CONFIG_WORKER, NULL, NULL);
	ck_assert_str_eq(a->config->worker_id, "etc");
	ck_assert_str_eq(a->config->path, "etc/worker.toml");
	place_write("config/worker.toml", "[worker]\nid = 'here'\n");
	b = attempt_search(CONFIG_WORKER, NULL, NULL);
	ck_assert_str_eq(b->config->worker_id, "here");
	ck_assert_str_eq(b->config->path, "./config/worker.toml");
}
END_TEST

START_TEST(a_named_file_wins_and_must_exist)
{
	static const char *const env[] = {"TASKER_CONFIG_PATH=by_env.toml", NULL};
	static const char *const gone[] = {"TASKER_CONFIG_PATH=gone.toml", NULL};
	static const char *const empty[] = {"TASKER_CONFIG_PATH=", NULL};
	AUTO(attempt) struct attempt *named = NULL;
	AUTO(attempt) struct attempt *by_env = NULL;
	AUTO(attempt) struct attempt *missing = NULL;
	AUTO(attempt) struct attempt *unset = NULL;

	place_write("config/worker.toml", "[worker]\nid = 'searched'\n");
	place_write("by_env.toml", "[worker]\nid = 'by_env'\n");
	named = attempt(CONFIG_WORKER, "[worker]\nid = 'named'\n", env, NULL);
	ck_assert_str_eq(named->config->worker_id, "named");
	by_env = attempt_search(CONFIG_WORKER, env, NULL);
	ck_assert_str_eq(by_env->config->worker_id, "by_env");
	missing = attempt_search(CONFIG_WORKER, gone, NULL);
	ck_assert(!missing->ok);
	ck_assert_str_eq(missing->e.text, "gone.toml: No such file or directory");
	unset = attempt_search(CONFIG_WORKER, empty, NULL);
	ck_assert_str_eq(unset->config->worker_id, "searched");
}
END_TEST

START_TEST(fragments_replace_values_and_add_elements_in_name_order)
{
	AUTO(attempt) struct attempt *a = NULL;

	place_write("conf.d/20.toml", "worker.id = 'twenty'\n"
	                              "[[handlers]]\nname = 'c'\ncommand = ['c']\n");
	place_write("conf.d/10.toml", "worker.id = 'ten'\nworker.namespaces = ['x']\n"
	                              "[[handlers]]\nname = 'b'\ncommand = ['b']\n");
	place_write("conf.d/30.toml~", "nonsense = 1\n");
	place_write("conf.d/.40.toml", "nonsense = 1\n");
	a = attempt(CONFIG_WORKER,
	        "worker.id = 'main'\nworker.namespaces = ['a', 'b']\n"
	        "[[handlers]]\nname = 'a'\ncommand = ['a']\n",
	        NULL, NULL);
	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_str_eq(a->config->worker_id, "twenty");
	ck_assert_uint_eq(a->config->worker_namespaces.count, 1);
	ck_assert_uint_eq(a->config->handler_count, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(a->config->handlers[i].name[0], "abc"[i]);
}
END_TEST

/* /etc/tasker/conf.d belongs to both daemons. */
START_TEST(a_fragment_may_hold_keys_of_the_other_role_but_is_checked)
{
	AUTO(attempt) struct attempt *good = NULL;
	AUTO(attempt) struct attempt *wrong = NULL;

	place_write("conf.d/a.toml", "[store]\nurl = 'sqlite:x.db'\n");
	good = attempt(CONFIG_WORKER, "", NULL, NULL);
	ck_assert_msg(good->ok, "%s", good->e.text);
	place_write("conf.d/a.toml", "[store]\nulr = 'sqlite:x.db'\n");
	wrong = attempt(CONFIG_WORKER, "", NULL, NULL);
	ck_assert(!wrong->ok);
	ck_assert_str_eq(wrong->e.text,
	        "conf.d/a.toml:2: there is no key store.ulr; did you mean store.url?");
}
END_TEST

START_TEST(too_many_fragments_are_refused)
{
	AUTO(attempt) struct attempt *fits = NULL;
	AUTO(attempt) struct attempt *beyond = NULL;
	char path[64];

	for (int i = 0; i < CONFIG_FRAGMENTS_MAX; i++) {
		(void)snprintf(path, sizeof(path), "conf.d/%03d.toml", i);
		place_write(path, "");
	}
	fits = attempt(CONFIG_WORKER, "", NULL, NULL);
	ck_assert_msg(fits->ok, "%s", fits->e.text);
	place_write("conf.d/more.toml", "");
	beyond = attempt(CONFIG_WORKER, "", NULL, NULL);
	ck_assert(!beyond->ok);
	ck_assert_str_eq(beyond->e.text, "conf.d/: more than 64 files");
}
END_TEST

START_TEST(file_then_fragment_then_variable_then_set)
{
	static const char *const env[] = {"TASKER_WORKER_SLOTS=3", "TASKER_WORKER_ID=env", NULL};
	static const char *const sets[] = {"worker.slots=4", NULL};
	AUTO(attempt) struct attempt *a = NULL;

	place_write(
	        "conf.d/a.toml", "worker.slots = 2\nworker.id = 'fragment'\nlog.level = 'warn'\n");
	a = attempt(CONFIG_WORKER,
	        "worker.slots = 1\nworker.id = 'file'\nlog.level = 'error'\nlog.format = 'json'\n",
	        env, sets);
	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_int_eq(a->config->worker_slots, 4);
	ck_assert_str_eq(a->config->worker_id, "env");
	ck_assert_str_eq(a->config->log_level, "warn");
	ck_assert_str_eq(a->config->log_format, "json");
}
END_TEST

START_TEST(set_takes_toml_and_bare_texts)
{
	static const char *const sets[] = {"web.bind_address=127.0.0.1:0", "worker.id=\"q\"",
	        "worker.namespaces=[\"a\", \"b\"]", "templates.paths=x,y", "log.access=false",
	        "link.url='http://h'", "handlers=[{name='h', command=['c'], env={A='1'}}]", NULL};
	AUTO(attempt) struct attempt *a = attempt_search(CONFIG_WORKER, NULL, sets);

	ck_assert_msg(a->ok, "%s", a->e.text);
	ck_assert_str_eq(a->config->web_bind_address, "127.0.0.1:0");
	ck_assert_str_eq(a->config->worker_id, "q");
	ck_assert_uint_eq(a->config->worker_namespaces.count, 2);
	ck_assert_uint_eq(a->config->templates_paths.count, 2);
	ck_assert(!a->config->log_access);
	ck_assert_str_eq(a->config->link_url, "http://h");
	ck_assert_str_eq(a->config->handlers[0].env.items[0], "A=1");
}
END_TEST

static const struct {
	const char *set, *text;
} bad_sets[] = {
        {"web.threads=many",       "--set web.threads: web.threads takes a whole number"             },
        {"web.auth.enabled=maybe", "--set web.auth.enabled: web.auth.enabled takes true or false"    },
        {"web.threads=65",         "--set web.threads: web.threads = 65 is not within 0..64"         },
        {"web.thraeds=1",
         "--set web.thraeds: there is no key web.thraeds; did you mean web.threads?"                 },
        {"store.url=sqlite:x",
         "--set store.url: [store] is a section of the orchestration's configuration"                },
        {"web.threads",            "--set takes dotted.key=value, not web.threads"                   },
        {"=1",                     "--set takes dotted.key=value, not "                              },
        {"[web]\nthreads=1",       "--set takes dotted.key=value, not [web]?threads"                 },
        {"log.level=loud",         "--set log.level: log.level takes one of debug, info, warn, error"},
        {"worker.id=\"a\"\nx=1",   "--set worker.id: there is no key x"                              },
};

START_TEST(a_bad_set_is_refused_by_name)
{
	const char *const sets[] = {bad_sets[_i].set, NULL};
	AUTO(attempt) struct attempt *a = attempt_search(CONFIG_WORKER, NULL, sets);

	ck_assert(!a->ok);
	ck_assert_msg(strncmp(a->e.text, bad_sets[_i].text, strlen(bad_sets[_i].text)) == 0, "%s",
	        a->e.text);
}
END_TEST

START_TEST(too_many_sets_are_refused)
{
	const char *sets[CONFIG_SETS_MAX + 2] = {NULL};
	AUTO(attempt) struct attempt *fits = NULL;
	AUTO(attempt) struct attempt *beyond = NULL;

	for (size_t i = 0; i < CONFIG_SETS_MAX; i++)
		sets[i] = "web.threads=1";
	fits = attempt_search(CONFIG_WORKER, NULL, sets);
	ck_assert(fits->ok);
	sets[CONFIG_SETS_MAX] = "web.threads=1";
	beyond = attempt_search(CONFIG_WORKER, NULL, sets);
	ck_assert(!beyond->ok);
}
END_TEST

/* So many times head, a number of six digits, tail. */
static struct attempt *
attempt_many(const char *head, const char *tail, int count)
{
	struct buf toml = BUF(MIB(1));
	struct attempt *a;
	char *text;

	for (int i = 0; i < count; i++)
		buf_format(&toml, "%s%06d%s", head, i, tail);
	text = buf_take_text(&toml);
	ck_assert_ptr_nonnull(text);
	a = attempt(CONFIG_WORKER, text, NULL, NULL);
	free(text);
	return a;
}

START_TEST(elements_beyond_the_limit_are_refused)
{
	AUTO(attempt)
	struct attempt *handlers =
	        attempt_many("[[handlers]]\nname='", "'\ncommand=['c']\n", CONFIG_HANDLERS_MAX);
	AUTO(attempt)
	struct attempt *more =
	        attempt_many("[[handlers]]\nname='", "'\ncommand=['c']\n", CONFIG_HANDLERS_MAX + 1);
	AUTO(attempt)
	struct attempt *keys =
	        attempt_many("[[web.auth.api_keys]]\nid='", "'\nkey='k'\n", CONFIG_API_KEYS_MAX);
	AUTO(attempt)
	struct attempt *more_keys = attempt_many(
	        "[[web.auth.api_keys]]\nid='", "'\nkey='k'\n", CONFIG_API_KEYS_MAX + 1);

	ck_assert_msg(handlers->ok && keys->ok, "%s%s", handlers->e.text, keys->e.text);
	ck_assert_uint_eq(keys->config->api_key_count, CONFIG_API_KEYS_MAX);
	ck_assert_str_eq(more->e.text, "given.toml:193: there may be 64 of [[handlers]]");
	ck_assert_msg(
	        strstr(more_keys->e.text, "there may be 4096 of") != NULL, "%s", more_keys->e.text);
}
END_TEST

START_TEST(a_file_beyond_the_limit_is_refused)
{
	AUTO(attempt) struct attempt *fits = attempt_many("#", "\n", CONFIG_FILE_BYTES_MAX / 8);
	AUTO(attempt)
	struct attempt *beyond = attempt_many("#", "\n", CONFIG_FILE_BYTES_MAX / 8 + 1);

	ck_assert_msg(fits->ok, "%s", fits->e.text);
	ck_assert_str_eq(beyond->e.text, "given.toml: more than 262144 bytes");
}
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_refused)
{
	AUTO(attempt) struct attempt *a = NULL;

	place_write("config/worker.toml/x", "");
	a = attempt_search(CONFIG_WORKER, NULL, NULL);
	ck_assert(!a->ok);
	ck_assert_str_eq(a->e.text, "./config/worker.toml: Is a directory");
}
END_TEST

/* CF5: what a message repeats is neither a secret nor able to draw on a terminal. */
START_TEST(messages_hold_no_secret_and_no_control_character)
{
	AUTO(attempt)
	struct attempt *a = attempt(CONFIG_WORKER,
	        "[web.auth]\napi_key = 'canary-1'\njwt_private_key = ['canary-2']\n"
	        "enabled = 'canary-3'\nthreads = 'canary-4'\n"
	        "[[web.auth.api_keys]]\nid = 'x'\nkey = ['canary-5']\nkey_sha256 = 'canary-6'\n",
	        NULL, NULL);
	AUTO(attempt) struct attempt *b = attempt(CONFIG_WORKER, "\"\x1b[31m\" = 1\n", NULL, NULL);
	static const char *const sets[] = {"\x1b[31m=1", NULL};
	AUTO(attempt) struct attempt *c = attempt_search(CONFIG_WORKER, NULL, sets);

	ck_assert_uint_eq(a->notes.problems.count, 5);
	for (size_t i = 0; i < a->notes.problems.count; i++)
		ck_assert_msg(strstr(a->notes.problems.text[i], "canary") == NULL, "%s",
		        a->notes.problems.text[i]);
	ck_assert_ptr_null(strchr(b->e.text, '\x1b'));
	ck_assert_ptr_null(strchr(c->e.text, '\x1b'));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	static const char *const env[] = {
	        "TASKER_WORKER_NAMESPACES=a,b", "TASKER_TEMPLATES_PATHS=['x']", "N=n", NULL};
	static const char *const sets[] = {"worker.id=me", "worker.slots=2", NULL};
	struct config_source source = {
	        .role = CONFIG_WORKER, .env = env, .sets = sets, .set_count = 2, .etc = "etc"};
	unsigned nth = 0;
	bool built = false;

	place_write("etc/worker.toml", "[worker]\nid = '${N}'\nnamespaces = ['${N}', 'x']\n");
	place_write("etc/conf.d/a.toml",
	        "[[web.auth.api_keys]]\nid = 'x'\nkey = '${N}'\npermissions = ['a']\n"
	        "[[handlers]]\nname = 'h'\ncommand = ['c']\nenv.A = '${N}'\nenv.B = 'b'\n");
	while (!built) {
		AUTO(config) struct config *config = NULL;
		struct config_notes notes;
		struct err e = {0};

		ck_assert_uint_lt(nth, 1000);
		fault_allocation(++nth);
		built = config_load(&source, &notes, &config, &e);
		fault_allocation(0);
		if (built)
			continue;
		ck_assert_ptr_null(config);
		ck_assert_msg(e.code == ERR_NOMEM, "%u: %s", nth, e.text);
		ck_assert_uint_eq(notes.problems.count, 0);
	}
	ck_assert_uint_gt(nth, 50);
}
END_TEST

Suite *
config_load_suite(void)
{
	Suite *s = suite_create("config_load");
	TCase *tc = tcase_create("load");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_set_timeout(tc, 30); /* toml++ under sanitizers */
	tcase_add_loop_test(tc, a_bad_file_is_refused_with_its_line, 0, COUNT(bad));
	tcase_add_test(tc, problems_come_in_file_order_and_only_twenty_are_kept);
	tcase_add_test(tc, nothing_at_all_is_the_defaults);
	tcase_add_test(tc, tables_become_elements_with_their_own_defaults);
	tcase_add_test(tc, no_elements_may_be_said_outright);
	tcase_add_test(tc, the_search_prefers_the_working_directory_to_etc);
	tcase_add_test(tc, a_named_file_wins_and_must_exist);
	tcase_add_test(tc, fragments_replace_values_and_add_elements_in_name_order);
	tcase_add_test(tc, a_fragment_may_hold_keys_of_the_other_role_but_is_checked);
	tcase_add_test(tc, too_many_fragments_are_refused);
	tcase_add_test(tc, file_then_fragment_then_variable_then_set);
	tcase_add_test(tc, set_takes_toml_and_bare_texts);
	tcase_add_loop_test(tc, a_bad_set_is_refused_by_name, 0, COUNT(bad_sets));
	tcase_add_test(tc, too_many_sets_are_refused);
	tcase_add_test(tc, elements_beyond_the_limit_are_refused);
	tcase_add_test(tc, a_file_beyond_the_limit_is_refused);
	tcase_add_test(tc, a_folder_in_place_of_the_file_is_refused);
	tcase_add_test(tc, messages_hold_no_secret_and_no_control_character);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
