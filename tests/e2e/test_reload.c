/*
 * SIGHUP on a running daemon: the new configuration whole, or the old one (AK8, CF1, F13).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>

#include "shared/base/clock.h"
#include "tests/lib/daemon.h"
#include "tests/lib/wire.h"
#include "tests/unit/unit.h"

enum { WITHIN_MS = 1000, TOML = 4096 };

#define KEY_A "tk_reload-A-0123456789abcdefghijklmnopqrstuvwx"
#define KEY_B "tk_reload-B-0123456789abcdefghijklmnopqrstuvwx"
#define BY_A "X-API-Key: " KEY_A "\r\n"
#define BY_B "X-API-Key: " KEY_B "\r\n"

static const char *const roles[] = {"orchestration", "worker"};

struct rig {
	struct daemon d;
	char dir[64];
};

/* What a configuration says beside the same port and store. */
struct variant {
	const char *key, *web, *log_level; /* web: lines of [web], or up to another [web.auth] */
};

static const char *
toml_of(const struct variant *v)
{
	static char text[TOML];

	(void)snprintf(text, sizeof(text),
	        "[web]\nbind_address = \"127.0.0.1:0\"\nconfig_endpoint_enabled = true\n%s"
	        "[web.auth]\nenabled = true\n"
	        "[[web.auth.api_keys]]\nid = \"only\"\nkey = \"%s\"\n"
	        "permissions = [\"system:*\", \"worker:*\"]\n"
	        "[log]\nlevel = \"%s\"\n",
	        v->web, v->key, v->log_level);
	return text;
}

static void
open_rig(struct rig *r, const char *role)
{
	ck_assert(daemon_dir(r->dir));
	ck_assert(daemon_start(&r->d, r->dir, role, toml_of(&(struct variant){KEY_A, "", "info"})));
}

static void
close_rig(struct rig *r)
{
	ck_assert_int_eq(daemon_stop(&r->d, 15000), 0);
	daemon_dir_remove(r->dir);
}

static int
status(const struct rig *r, const char *headers)
{
	AUTO(wire_reply)
	struct wire_reply reply = wire_call(r->d.port, "GET", "/v1/whoami", headers, NULL);

	return reply.status;
}

static bool
log_says(const struct rig *r, const char *text)
{
	char name[64], *log;
	bool said;

	(void)snprintf(name, sizeof(name), "%s.log", r->d.role);
	log = daemon_read(r->dir, name);
	said = log != NULL && strstr(log, text) != NULL;
	free(log);
	return said;
}

/* Waits for a line of the log, WITHIN_MS. */
static bool
comes_to_say(const struct rig *r, const char *text)
{
	const int64_t until = clock_mono_us() + WITHIN_MS * INT64_C(1000);

	while (!log_says(r, text)) {
		if (clock_mono_us() > until)
			return false;
		(void)poll(NULL, 0, 5);
	}
	return true;
}

static void
reload(struct rig *r, const char *toml)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.toml", r->d.role);
	ck_assert(daemon_file(r->dir, name, toml));
	ck_assert_int_eq(kill(r->d.pid, SIGHUP), 0);
}

START_TEST(ak8_a_removed_key_is_refused_within_a_second)
{
	struct rig r;

	open_rig(&r, roles[_i]);
	ck_assert_int_eq(status(&r, BY_A), 200);
	ck_assert_int_eq(status(&r, BY_B), 401);
	reload(&r, toml_of(&(struct variant){KEY_B, "", "info"}));
	ck_assert(comes_to_say(&r, "config.reloaded"));
	ck_assert_int_eq(status(&r, BY_A), 401);
	ck_assert_int_eq(status(&r, BY_B), 200);
	close_rig(&r);
}
END_TEST

/* What is refused, and what the log says of it. */
static const struct {
	struct variant v;
	const char *said;
} refusals[] = {
        {{KEY_B, "nonsense = 1\n", "info"},                           "web.nonsense"                         },
        {{KEY_B, "threads = \"many\"\n", "info"},                     "web.threads"                          },
        {{KEY_B, "threads = 2\n", "info"},                            "web.threads needs a restart to change"},
        {{KEY_B, "cors_origins = [\"https://a.example\"]\n", "info"},
         "web.cors_origins needs a restart to change"                                                        },
        {{"short", "", "info"},                                       "api_keys"                             },
        {{KEY_B, "", "loud"},                                         "log.level"                            },
};

START_TEST(ak8_a_bad_configuration_changes_nothing)
{
	struct rig r;

	open_rig(&r, roles[_i % 2]);
	reload(&r, toml_of(&refusals[_i / 2].v));
	ck_assert(comes_to_say(&r, "config.kept"));
	ck_assert_msg(log_says(&r, refusals[_i / 2].said), "%s", refusals[_i / 2].said);
	ck_assert(!log_says(&r, "config.reloaded"));
	ck_assert_int_eq(status(&r, BY_A), 200);
	ck_assert_int_eq(status(&r, BY_B), 401);
	close_rig(&r);
}
END_TEST

/* The level is in force, and /config shows what is. */
START_TEST(a_reload_changes_the_log_level_and_what_config_shows)
{
	struct rig r;
	AUTO(wire_reply) struct wire_reply shown = {0};

	open_rig(&r, roles[_i]);
	reload(&r, toml_of(&(struct variant){KEY_B,
	                   "[web.auth]\njwt_issuer = \"https://other.example\"\n#", "warn"}));
	for (int i = 0; i < 200 && status(&r, BY_B) != 200; i++)
		(void)poll(NULL, 0, 5);
	ck_assert_int_eq(status(&r, BY_B), 200);
	ck_assert(!log_says(&r, "config.reloaded")); /* it is said at level info */
	shown = wire_call(r.d.port, "GET", "/config", BY_B, NULL);
	ck_assert_int_eq(shown.status, 200);
	ck_assert_ptr_nonnull(strstr(shown.body, "\"jwt_issuer\":\"https://other.example\""));
	close_rig(&r);
}
END_TEST

/* F13, PH9: a storm of them while requests go on. */
START_TEST(a_storm_of_reloads_refuses_nobody)
{
	struct rig r;

	open_rig(&r, roles[_i]);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(kill(r.d.pid, SIGHUP), 0);
		ck_assert_int_eq(status(&r, BY_A), 200);
	}
	close_rig(&r);
}
END_TEST

Suite *
reload_suite(void)
{
	Suite *s = suite_create("reload");
	TCase *tc = tcase_create("SIGHUP");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, ak8_a_removed_key_is_refused_within_a_second, 0, (int)COUNT(roles));
	tcase_add_loop_test(
	        tc, ak8_a_bad_configuration_changes_nothing, 0, 2 * (int)COUNT(refusals));
	tcase_add_loop_test(
	        tc, a_reload_changes_the_log_level_and_what_config_shows, 0, (int)COUNT(roles));
	tcase_add_loop_test(tc, a_storm_of_reloads_refuses_nobody, 0, (int)COUNT(roles));
	suite_add_tcase(s, tc);
	return s;
}
