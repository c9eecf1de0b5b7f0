/*
 * The start of a whole daemon, and its end: configuration, keys, log, loops, metrics, health, store
 * or runner, routes, listening. Whatever fails in it, the daemon either serves or ends with the
 * exit code of its fault; the next start serves (F5).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/config/exit_codes.h"
#include "tests/lib/wire.h"
#include "tests/torture/requests.h"
#include "tests/torture/sweep.h"

static struct daemon_thread daemon_;

/* Of a failed start; 0 is none of them. */
static const int codes[] = {EXIT_CODE_UNAVAILABLE, EXIT_CODE_INTERNAL, EXIT_CODE_TEMPORARY,
        EXIT_CODE_PERMISSION, EXIT_CODE_CONFIG, EXIT_CODE_IOERR};

static bool
known(int code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static bool
load(struct err *e)
{
	static struct config_notes notes;

	memset(&notes, 0, sizeof(notes));
	config_free(TAKE(daemon_.config));
	return config_load(&daemon_.source, &notes, &daemon_.config, e);
}

/* Configuration is read on this thread, which then steps aside. */
static bool
attempt(void *arg, struct err *e)
{
	struct wire_reply r;
	bool served;

	(void)arg;
	daemon_.exit_code = 0;
	if (!load(e))
		return false;
	if (!daemon_thread_start(&daemon_)) {
		fault_spare_this_thread(false);
		return err_set(e, ERR_INTERNAL, "it ended with %d", daemon_.exit_code);
	}
	r = wire_call(daemon_.port, "GET", "/health", "", NULL);
	served = r.status == 200;
	wire_reply_free(&r);
	daemon_thread_stop(&daemon_);
	fault_spare_this_thread(false);
	return served || err_set(e, ERR_INTERNAL, "it starts and does not answer");
}

static void
judge(void *arg, bool done, unsigned nth)
{
	(void)arg;
	(void)done;
	if (daemon_.exit_code != 0)
		ck_assert_msg(known(daemon_.exit_code), "exit code %d after failure %u (%s)",
		        daemon_.exit_code, nth, fault_last());
}

START_TEST(whatever_fails_a_daemon_starts_or_says_why_not_F5)
{
	/* Libraries allocate some seven thousand times; a start takes 20 ms. */
	static const unsigned strides[FAULT_KINDS] = {7, 17, 151};
	const char *text = getenv("TORTURE_STRIDE");
	char toml[4096];
	struct sweep s = {.name = "start",
	        .attempt = attempt,
	        .after = judge,
	        .most = 20000,
	        .may_linger = true};

	(void)snprintf(toml, sizeof(toml),
	        "[web.auth]\njwt_allowed_algorithms = [\"ES384\", "
	        "\"ES256\"]\n%s",
	        request_settings);
	daemon_thread_prepare(&daemon_, request_role, TOKEN_KEY_P384, toml);
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		s.stride = getenv("TORTURE_ALL") != NULL ? 1 : strides[kind];
		if (text != NULL)
			s.stride = (unsigned)strtoul(text, NULL, 10);
		(void)sweep_run(&s, (enum fault_kind)kind);
	}
	daemon_thread_clear(&daemon_);
}
END_TEST

Suite *
start_suite(void)
{
	Suite *s = suite_create("start");
	TCase *tc = tcase_create("start");

	token_maker_prepare();
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, whatever_fails_a_daemon_starts_or_says_why_not_F5);
	suite_add_tcase(s, tc);
	return s;
}
