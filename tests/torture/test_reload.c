/*
 * SIGHUP to a whole daemon: whatever fails while the configuration is read again, all of the new
 * one is in force or all of the old one, and the next, undisturbed signal brings the new one
 * (F5, AK8, CF1).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/patience.h"
#include "tests/lib/wire.h"
#include "tests/torture/requests.h"
#include "tests/torture/sweep.h"

enum { SILENT_MS = 400, KEY_BYTES = 46 };

static struct daemon_thread daemon_;
static char log_path[64];
static long log_at; /* what has been read of it */
static unsigned number;

enum answer { NO_ANSWER, RELOADED, KEPT };

/* The key that the nth configuration knows, and no other: 43 characters behind "tk_". */
static void
key_of(unsigned nth, char key[KEY_BYTES + 1])
{
	(void)snprintf(key, KEY_BYTES + 1, "tk_%08uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk", nth);
	memset(key + strlen(key), 'A', KEY_BYTES - strlen(key));
	key[KEY_BYTES] = '\0';
}

static const char *
configuration(unsigned nth)
{
	static char toml[2048];
	char key[KEY_BYTES + 1];

	key_of(nth, key);
	(void)snprintf(toml, sizeof(toml),
	        "[web.auth]\nenabled = true\njwt_public_key_path = \"%%s/users.pem\"\n"
	        "jwt_allowed_algorithms = [\"ES384\", \"ES256\"]\n"
	        "[[web.auth.api_keys]]\nid = \"n%u\"\nkey = \"%s\"\n"
	        "permissions = [\"templates:read\"]\n"
	        "[web]\nbind_address = \"127.0.0.1:0\"\nthreads = 1\n"
	        "[web.internal]\npublic_key_path = \"%%s/workers.pem\"\n"
	        "[store]\nurl = \"sqlite://%%s/tasker.db\"\n",
	        nth, key);
	return toml;
}

/* What the log has said since. */
static enum answer
look(void)
{
	enum answer found = NO_ANSWER;
	char line[2048];
	FILE *f = fopen(log_path, "re");

	if (f == NULL)
		return NO_ANSWER;
	(void)fseek(f, log_at, SEEK_SET);
	while (found == NO_ANSWER && fgets(line, sizeof(line), f) != NULL) {
		if (strchr(line, '\n') == NULL)
			break; /* the rest of it is on its way */
		log_at = ftell(f);
		found = strstr(line, "config.reloaded") != NULL ? RELOADED
		        : strstr(line, "config.kept") != NULL   ? KEPT
		                                                : NO_ANSWER;
	}
	(void)fclose(f);
	return found;
}

/* A line of the log may be what fails: after a while silence is an answer. */
static enum answer
reload(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	enum answer a = NO_ANSWER;

	if (kill(getpid(), SIGHUP) != 0)
		return NO_ANSWER;
	for (int i = 0; a == NO_ANSWER && i < patience_ms(SILENT_MS); i++) {
		(void)nanosleep(&pause, NULL);
		a = look();
	}
	return a;
}

static bool
knows(unsigned nth)
{
	char fields[128], key[KEY_BYTES + 1];
	struct wire_reply r;
	bool is;

	key_of(nth, key);
	(void)snprintf(fields, sizeof(fields), "X-API-Key: %s\r\n", key);
	r = wire_call(daemon_.port, "GET", "/v1/whoami", fields, NULL);
	is = r.status == 200;
	ck_assert_msg(is || r.status == 401, "whoami: %d", r.status);
	wire_reply_free(&r);
	return is;
}

static enum answer answered;

/* This thread is spared all the time: the daemon's are not. */
static bool
attempt(void *arg, struct err *e)
{
	(void)arg;
	answered = reload();
	return answered == RELOADED || err_set(e, ERR_IO, "the old configuration stays");
}

static void
judge(void *arg, bool done, unsigned nth)
{
	const bool old = knows(number - 1), new = knows(number);

	(void)arg;
	ck_assert_msg(old != new, "%s configuration is in force after failure %u (%s)",
	        old ? "half a" : "no", nth, fault_last());
	ck_assert_msg(!done || new, "reloaded, they say, after failure %u (%s)", nth, fault_last());
	ck_assert_msg(answered != KEPT || old, "kept, they say, after failure %u (%s)", nth,
	        fault_last());
	if (!new) {
		ck_assert_msg(reload() == RELOADED, "no reload any more after failure %u (%s)", nth,
		        fault_last());
		ck_assert(knows(number) && !knows(number - 1));
	}
	daemon_thread_configure(&daemon_, configuration(++number));
}

START_TEST(whatever_fails_a_reload_is_whole_or_nothing_F5_AK8_CF1)
{
	const char *text = getenv("TORTURE_STRIDE");
	static const unsigned strides[FAULT_KINDS] = {11, 7, 301};
	struct sweep s = {.name = "reload",
	        .attempt = attempt,
	        .after = judge,
	        .most = 20000,
	        .may_linger = true};

	(void)snprintf(log_path, sizeof(log_path), "/tmp/tasker-reload-%d.log", (int)getpid());
	ck_assert_int_eq(setenv("TORTURE_LOG", log_path, 1), 0);
	daemon_thread_prepare(&daemon_, request_role, TOKEN_KEY_P384, configuration(number));
	ck_assert(daemon_thread_start(&daemon_));
	ck_assert(knows(number));
	daemon_thread_configure(&daemon_, configuration(++number));
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		s.stride = getenv("TORTURE_ALL") != NULL ? 1 : strides[kind];
		if (text != NULL)
			s.stride = (unsigned)strtoul(text, NULL, 10);
		(void)sweep_run(&s, (enum fault_kind)kind);
	}
	daemon_thread_stop(&daemon_);
	ck_assert_int_eq(daemon_.exit_code, 0);
	daemon_thread_clear(&daemon_);
	(void)unlink(log_path);
}
END_TEST

Suite *
reload_suite(void)
{
	Suite *s = suite_create("reload");
	TCase *tc = tcase_create("reload");

	token_maker_prepare();
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, whatever_fails_a_reload_is_whole_or_nothing_F5_AK8_CF1);
	suite_add_tcase(s, tc);
	return s;
}
