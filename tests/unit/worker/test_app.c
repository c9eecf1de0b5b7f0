/* The worker's own configuration, templates and routes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/worker/rig.h"
#include "worker/routes.h"
#include "worker/templates.h"
#include "worker/worker_settings.h"

/* ---- routes (tasker-rest 1.4) ---- */

static const struct {
	enum method method;
	const char *path;
	enum match match;
	enum access_kind access;
	const char *permission;
} routes[] = {
        {METHOD_GET,    "/health",                             MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/health/live",                        MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/health/ready",                       MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/health/detailed",                    MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/metrics",                            MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/metrics/worker",                     MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/metrics/events",                     MATCH_FULL,      ACCESS_OPEN,      NULL                   },
        {METHOD_GET,    "/v1/whoami",                          MATCH_FULL,      ACCESS_SIGNED_IN, NULL                   },
        {METHOD_GET,    "/v1/templates",                       MATCH_FULL,      ACCESS_NEEDS,     "worker:templates_read"},
        {METHOD_GET,    "/v1/templates/demo/a/1.0.0",          MATCH_FULL,      ACCESS_NEEDS,
         "worker:templates_read"                                                                                         },
        {METHOD_POST,   "/v1/templates/demo/a/1.0.0/validate", MATCH_FULL,      ACCESS_NEEDS,
         "templates:validate"                                                                                            },
        {METHOD_GET,    "/config",                             MATCH_FULL,      ACCESS_NEEDS,     "worker:config_read"   },
        {METHOD_DELETE, "/v1/templates",                       MATCH_PATH_ONLY, ACCESS_UNSET,     NULL                   },
        {METHOD_GET,    "/v1/handlers",                        MATCH_NONE,      ACCESS_UNSET,     NULL                   },
        {METHOD_GET,    "/ready",                              MATCH_NONE,      ACCESS_UNSET,     NULL                   },
        {METHOD_DELETE, "/templates/cache",                    MATCH_NONE,      ACCESS_UNSET,     NULL                   },
};

START_TEST(each_route_asks_for_what_upstream_asks)
{
	AUTO(route_table) struct route_table *table = NULL;
	struct route_match m;
	struct err e = {0};
	const struct span path = {routes[_i].path, strlen(routes[_i].path)};

	ck_assert_msg(route_table_new(worker_routes, worker_route_count, &table, &e), "%s", e.text);
	ck_assert_int_eq(route_table_find(table, routes[_i].method, path, &m), routes[_i].match);
	if (routes[_i].match != MATCH_FULL)
		return;
	ck_assert_int_eq(m.route->access.kind, routes[_i].access);
	if (routes[_i].permission != NULL)
		ck_assert_str_eq(
		        permission_spelled(m.route->access.permission), routes[_i].permission);
	ck_assert_int_eq(m.route->body, BODY_KIND_NO_BODY); /* no worker route reads a body */
}
END_TEST

/* ---- templates ---- */

static char folder[64];

static void
make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/tasker-templates-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
write_template(const char *file, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void
remove_folder(void)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(line), 0);
}

#define TEMPLATE(name, space)                                                                      \
	"name: " name "\nnamespace_name: " space "\nversion: \"1.0.0\"\n"                          \
	"steps:\n  - name: one\n    handler: {callable: demo.echo}\n"

START_TEST(templates_are_found_listed_and_sent_as_they_stand)
{
	AUTO(templates) struct templates *t = NULL;
	AUTO(buf) struct buf json = BUF(KIB(64));
	const char *paths[] = {folder}, *spaces[2];
	struct err e = {0};

	write_template("a.yaml", TEMPLATE("a", "demo"));
	write_template("b.yml", TEMPLATE("b", "demo"));
	write_template("c.txt", "no template");
	ck_assert_msg(templates_load(paths, 1, &t, &e), "%s", e.text);
	ck_assert_uint_eq(templates_count(t), 2);
	ck_assert_ptr_eq(templates_find(t, (struct span){"demo", 4}, (struct span){"b", 1},
	                         (struct span){"1.0.0", 5}),
	        templates_at(t, 1));
	ck_assert_ptr_null(templates_find(
	        t, (struct span){"demo", 4}, (struct span){"b", 1}, (struct span){"1.0.1", 5}));
	ck_assert_uint_eq(templates_namespaces(t, spaces), 1);
	ck_assert_str_eq(spaces[0], "demo");
	templates_write(t, &json);
	ck_assert_ptr_nonnull(strstr(rig_text(&json), "[{\"yaml\":\"name: a\\nnamespace_name"));
}
END_TEST

START_TEST(a_template_with_a_mistake_names_its_file_and_line)
{
	AUTO(templates) struct templates *t = NULL;
	const char *paths[] = {folder};
	struct err e = {0};

	write_template("a.yaml", TEMPLATE("a", "demo") "    dependencies: [nobody]\n");
	ck_assert(!templates_load(paths, 1, &t, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "a.yaml"));
	ck_assert_ptr_nonnull(strstr(e.text, "line 7"));
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(more_templates_than_a_registration_takes_are_refused)
{
	AUTO(templates) struct templates *t = NULL;
	const char *paths[] = {folder};
	char file[32], text[256];
	struct err e = {0};

	for (int i = 0; i <= TEMPLATES_MAX; i++) {
		(void)snprintf(file, sizeof(file), "%03d.yaml", i);
		(void)snprintf(text, sizeof(text),
		        "name: t%d\nnamespace_name: demo\nversion: \"1.0.0\"\nsteps:\n"
		        "  - name: one\n    handler: {callable: demo.echo}\n",
		        i);
		write_template(file, text);
	}
	ck_assert(!templates_load(paths, 1, &t, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(every_allocation_of_templates_may_fail)
{
	const char *paths[] = {folder};
	bool built = false;

	write_template("a.yaml", TEMPLATE("a", "demo"));
	for (unsigned nth = 1; !built && nth < 500; nth++) {
		AUTO(templates) struct templates *t = NULL;
		struct err e = {0};

		fault_allocation(nth);
		built = templates_load(paths, 1, &t, &e);
		fault_allocation(0);
		ck_assert(built || t == NULL);
	}
	ck_assert(built);
}
END_TEST

/* ---- settings ---- */

static struct config *
load(const char *shim, const char *text, struct config_notes *notes)
{
	char path[128], whole[8192];
	struct config *config = NULL;
	const struct config_source source = {.role = CONFIG_WORKER, .path = path};
	struct err e = {0};

	(void)snprintf(path, sizeof(path), "%s/worker.toml", folder);
	(void)snprintf(whole, sizeof(whole), "worker.exec_shim_path = \"%s\"\n%s", shim, text);
	write_template("worker.toml", whole);
	ck_assert_msg(config_load(&source, notes, &config, &e), "%s", e.text);
	return config;
}

static const char some_handlers[] =
        "worker.slots = 3\n[link]\nurl = \"http://127.0.0.1:1\"\n"
        "[[handlers]]\nname = \"a\"\ncommand = [\"python3\", \"x.py\"]\ncallables = [\"demo.*\"]\n"
        "processes = 2\nslots = 4\ntimeout_s = 5\ngrace_s = 1\nstart_timeout_s = 7\n"
        "heartbeat_s = 3\ncwd = \"/tmp\"\nenv = { A = \"1\" }\n"
        "[[handlers]]\nname = \"b\"\nkind = \"exec\"\ncommand = [\"sh\"]\ncallables = [\"s.x\"]\n"
        "[limits]\nframe_bytes = 1048576\nstep_result_bytes = 65536\n";

START_TEST(the_configuration_becomes_settings)
{
	struct config_notes notes = {0};
	AUTO(config) struct config *config = load(rig_shim(), some_handlers, &notes);
	AUTO(templates) struct templates *t = NULL;
	struct worker_settings s;
	const struct handler_settings *a, *b;
	struct err e = {0};

	write_template("a.yaml", TEMPLATE("a", "demo"));
	ck_assert(templates_load(&(const char *){folder}, 1, &t, &e));
	ck_assert_msg(worker_settings_make(config, t, &s, &e), "%s", e.text);
	ck_assert_uint_eq(s.runner.handler_count, 2);
	ck_assert_uint_eq(s.runner.frame_bytes, 1048576);
	ck_assert_uint_eq(s.runner.result_bytes, 65536);
	a = &s.runner.handlers[0];
	b = &s.runner.handlers[1];
	ck_assert_int_eq(a->kind, HANDLER_PROCESS);
	ck_assert_str_eq(a->command[1], "x.py");
	ck_assert_ptr_null(a->command[2]);
	ck_assert_str_eq(a->env[0], "A=1");
	ck_assert_ptr_null(a->env[1]);
	ck_assert_uint_eq(a->processes * a->slots, 8);
	ck_assert_int_eq(a->timeout_us, 5000000);
	ck_assert_int_eq(a->grace_us, 1000000);
	ck_assert_int_eq(a->start_timeout_us, 7000000);
	ck_assert_int_eq(a->heartbeat_us, 3000000);
	ck_assert_str_eq(a->cwd, "/tmp");
	ck_assert_int_eq(b->kind, HANDLER_EXEC);
	ck_assert_ptr_null(b->cwd);
	ck_assert_int_eq(b->heartbeat_us, 10000000);
	ck_assert_uint_eq(s.link.slots, 3);
	ck_assert_str_ne(s.link.worker, ""); /* the host's name */
	ck_assert_uint_eq(strlen(s.link.boot), UUID_TEXT - 1);
	/* no namespaces, no credential that names some: those of the templates */
	ck_assert_uint_eq(s.link.namespace_count, 1);
	ck_assert_str_eq(s.link.namespaces[0], "demo");
	worker_settings_clear(&s);
}
END_TEST

START_TEST(a_shim_that_is_not_there_is_said_at_the_start)
{
	struct config_notes notes = {0};
	AUTO(config)
	struct config *config = load("/nonexistent",
	        "[[handlers]]\nname = \"b\"\nkind = \"exec\"\n"
	        "command = [\"sh\"]\ncallables = [\"s.x\"]\n",
	        &notes);
	AUTO(templates) struct templates *t = NULL;
	struct worker_settings s;
	struct err e = {0};

	ck_assert(templates_load(NULL, 0, &t, &e));
	ck_assert(!worker_settings_make(config, t, &s, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "worker.exec_shim_path"));
}
END_TEST

START_TEST(every_allocation_of_the_settings_may_fail)
{
	struct config_notes notes = {0};
	AUTO(config) struct config *config = load(rig_shim(), some_handlers, &notes);
	AUTO(templates) struct templates *t = NULL;
	struct err e = {0};
	bool built = false;

	ck_assert(templates_load(NULL, 0, &t, &e));
	for (unsigned nth = 1; !built && nth < 50; nth++) {
		struct worker_settings s;

		fault_allocation(nth);
		built = worker_settings_make(config, t, &s, &e);
		fault_allocation(0);
		if (built)
			worker_settings_clear(&s);
	}
	ck_assert(built);
}
END_TEST

static void
take_report(OWNED struct step_report *report, void *arg)
{
	(void)arg;
	step_report_free(report);
}

static void
no_news(void *arg)
{
	(void)arg;
}

START_TEST(every_allocation_of_a_runner_may_fail)
{
	static const char *const command[] = {"/bin/true", NULL};
	const struct handler_settings both[] = {
	        rig_chaos_handler(NULL), rig_shell_handler(command)};
	const struct runner_settings s = rig_settings(both, 2);
	const struct runner_ears ears = {.report = take_report, .changed = no_news};
	bool built = false;

	for (unsigned nth = 1; !built && nth < 100; nth++) {
		AUTO(runner) struct runner *r = NULL;
		struct err e = {0};

		fault_allocation(nth);
		built = runner_new(&s, &ears, &r, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert(built);
	ck_assert_int_eq(rmdir(rig_scratch()), 0);
}
END_TEST

Suite *
app_suite(void)
{
	Suite *suite = suite_create("worker_app");
	TCase *tc = tcase_create("app");
	TCase *files = tcase_create("files");

	tcase_add_loop_test(tc, each_route_asks_for_what_upstream_asks, 0, COUNT(routes));
	tcase_add_test(tc, every_allocation_of_a_runner_may_fail);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_test(files, templates_are_found_listed_and_sent_as_they_stand);
	tcase_add_test(files, a_template_with_a_mistake_names_its_file_and_line);
	tcase_add_test(files, more_templates_than_a_registration_takes_are_refused);
	tcase_add_test(files, every_allocation_of_templates_may_fail);
	tcase_add_test(files, the_configuration_becomes_settings);
	tcase_add_test(files, a_shim_that_is_not_there_is_said_at_the_start);
	tcase_add_test(files, every_allocation_of_the_settings_may_fail);
	suite_add_tcase(suite, files);
	return suite;
}
