/*
 * F9 of security.md §5: the wall clock of both daemons jumps and stands still while work goes on.
 * Tokens are judged by it; leases, beats and the order of events are not. A failed step waits by it
 * until it is tried again, which must happen once, however the clock goes: one that failed while
 * it was an hour fast is due when an hour has passed. FAULT_CLOCK_MS says how long each jump lasts.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/checker.h"
#include "tests/fault/control.h"
#include "tests/fault/load.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum {
	PHASE_MS = RIG_LEASE_MS + RIG_LEASE_MS / 2,
	STEP_MS = 400,   /* more than a beat */
	PAUSE_MS = 1000, /* so that the worker keeps up */
	ATTEMPTS = 2,    /* of each step: the first fails */
	COMPLETE_MS = 60000,
	REGISTER_MS = 10000,
	TIMEOUT_S = 180,
};

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, FROZEN = INT32_MAX };

static struct rig rig;

/* A user's token that was issued 20 minutes ago and ends in 40. */
static int
asked_with(const char *bearer)
{
	struct wire_reply r =
	        wire_call(rig.pair.orchestration.port, "GET", "/v1/whoami", bearer, NULL);
	const int status = r.status;

	wire_reply_free(&r);
	return status;
}

static size_t
count_in(const char *file, const char *what)
{
	char *text = daemon_read(rig.pair.dir, file);
	size_t count = 0;

	for (const char *at = text; at != NULL && (at = strstr(at, what)) != NULL; at++)
		count++;
	free(text);
	return count;
}

static void
await_registrations(size_t count)
{
	const int64_t until = clock_mono_us() + (int64_t)REGISTER_MS * 1000;

	while (count_in("worker.log", "link.registered") < count && clock_mono_us() < until)
		(void)poll(NULL, 0, 10);
	ck_assert_uint_ge(count_in("worker.log", "link.registered"), count);
}

/* The worker's credential must outlive the largest jump: that it may end is not what is tried. */
static void
give_long_credential(void)
{
	const long long now = (long long)time(NULL);
	char claims[512], from[128], to[128], *token;

	(void)snprintf(claims, sizeof(claims),
	        "{\"iss\":\"tasker-core\",\"aud\":\"tasker-internal\",\"sub\":\"wrk:e2e-worker\","
	        "\"iat\":%lld,\"exp\":%lld,\"worker_namespaces\":[\"demo\"]}",
	        now, now + 4 * HOUR_S);
	await_registrations(1);
	token = token_make(TOKEN_KEY_P256, "ES256", claims);
	/* In one piece: the worker may look at any moment. */
	(void)snprintf(from, sizeof(from), "%s/long.token", rig.pair.dir);
	(void)snprintf(to, sizeof(to), "%s/worker.token", rig.pair.dir);
	ck_assert(daemon_file(rig.pair.dir, "long.token", token) && rename(from, to) == 0);
	await_registrations(2);
	free(token);
}

static void
live_through(struct preload_control *control, int64_t offset_s, int expected, const char *bearer,
        int phase_ms)
{
	const size_t ended = count_in(RIG_BOOK, "end "), down = count_in("worker.log", "link.down");

	if (offset_s == FROZEN)
		control_freeze(control);
	else
		control_move(control, offset_s);
	ck_assert_msg(asked_with(bearer) == expected, "at %lld s a token is answered %d",
	        (long long)offset_s, asked_with(bearer));
	(void)poll(NULL, 0, phase_ms);
	ck_assert_int_eq(asked_with(bearer), expected);
	ck_assert_uint_eq(count_in("worker.log", "link.down"), down);
	ck_assert_msg(count_in(RIG_BOOK, "end ") > ended, "at %lld s no step came to its end",
	        (long long)offset_s);
}

static void
judge(struct load *load, struct findings *f)
{
	ck_assert(load_judge(load, rig.pair.dir, true, f));
	ck_assert_msg(checker_broken(f) == 0, "folder %s:\n%s", rig.pair.dir, f->text);
}

START_TEST(jumps_of_the_wall_clock_move_tokens_and_nothing_else)
{
	static const struct {
		const char *name;
		int64_t offset_s;
		int status; /* of a request with a token that is good by the real time */
	} phases[] = {
	        {"as it is",    0,                  200},
	        {"+1 h",        HOUR_S,             401},
	        {"as it is",    0,                  200},
	        {"-1 h",        -HOUR_S,            401},
	        {"-6 years",    -6LL * 365 * DAY_S, 401},
	        {"frozen",      FROZEN,             401},
	        {"right again", 0,                  200},
	};
	const char *set = getenv("FAULT_CLOCK_MS");
	const int phase_ms = set != NULL && *set != '\0' ? (int)strtol(set, NULL, 10) : PHASE_MS;
	struct preload_control *control = control_open();
	struct load_settings settings = {.pause_ms = PAUSE_MS,
	        .step_ms = STEP_MS,
	        .failures = ATTEMPTS - 1,
	        .seed = rand_u64() % 1000000};
	char *bearer = pair_bearer(&(struct pair_claims){
	        .tenant = "acme", .permissions = "tasks:read", .age_s = HOUR_S / 3});
	struct findings f;
	struct load *load;

	ck_assert_ptr_nonnull(control);
	ck_assert(rig_start(&rig, false));
	give_long_credential();
	settings.port = rig.pair.orchestration.port;
	load = load_start(&settings);
	ck_assert_ptr_nonnull(load);
	(void)poll(NULL, 0, 3 * STEP_MS); /* first attempts fail, second ones are at work */
	for (size_t i = 0; i < COUNT(phases); i++)
		live_through(control, phases[i].offset_s, phases[i].status, bearer, phase_ms);
	load_stop(load);
	control_move(control, 2 * HOUR_S); /* whatever waits is due */
	ck_assert(load_resolve(load));
	ck_assert(load_completes(load, COMPLETE_MS));
	ck_assert(rig_stop(&rig));
	ck_assert_int_eq(rig_check(&rig), 0);
	judge(load, &f);
	(void)printf("clock: %zu tasks through %zu jumps; %zu leases lost, %zu given back\n",
	        f.tasks, COUNT(phases), f.lost, f.released);
	ck_assert_uint_eq(load_numbers(load).wrong, 0);
	ck_assert_uint_eq(f.lost + f.released + f.late, 0);
	ck_assert_uint_eq(f.executions, ATTEMPTS * f.steps); /* no retry came twice */
	load_free(load);
	rig_remove(&rig);
	free(bearer);
}
END_TEST

Suite *
clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("jumps");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, jumps_of_the_wall_clock_move_tokens_and_nothing_else);
	suite_add_tcase(s, tc);
	return s;
}
