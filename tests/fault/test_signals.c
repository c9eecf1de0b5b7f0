/*
 * F13 and I8 of security.md §5: SIGTERM and SIGHUP again and again while clients create tasks. Each
 * end is an orderly one, with status 0, and nothing that was acknowledged is lost; a broken file
 * does no harm to who runs already; and what came and went leaves neither descriptors nor memory
 * behind. FAULT_STOPS says how often each daemon is stopped.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/checker.h"
#include "tests/fault/load.h"
#include "tests/fault/prefill.h"
#include "tests/fault/rig.h"
#include "tests/lib/patience.h"
#include "tests/unit/unit.h"

enum {
	STOPS = 3,
	HANGUPS = 20, /* in one burst */
	PAUSE_MS = 20,
	STEP_MS = 16,
	QUIET_MS = 100, /* between two stops */
	STOP_MS = 20000,
	READY_MAX_MS = 2000,
	COMPLETE_MS = 60000,
	STORED = 5000, /* so that the caches are full before anything is measured */
	STORE_MS = 60000,
	WARM_MS = 2000,
	SETTLE_MS = 5000,
	GROWTH_PERCENT = 5,
	TIMEOUT_S = 300,
};

static struct rig rig;

static int
stops(void)
{
	const char *text = getenv("FAULT_STOPS");

	return text != NULL && *text != '\0' ? (int)strtol(text, NULL, 10) : STOPS;
}

static struct load *
begin_load(void)
{
	struct load *l = load_start(&(struct load_settings){.port = rig.pair.orchestration.port,
	        .pause_ms = PAUSE_MS,
	        .step_ms = STEP_MS,
	        .seed = rand_u64() % 1000000});

	ck_assert_ptr_nonnull(l);
	return l;
}

static void
end_load(struct load *l)
{
	load_stop(l);
	ck_assert(load_resolve(l));
	ck_assert(load_completes(l, COMPLETE_MS));
	ck_assert_uint_eq(load_numbers(l).wrong, 0);
}

static void
judge(const struct load *l, struct findings *f)
{
	ck_assert(load_judge(l, rig.pair.dir, true, f));
	ck_assert_msg(checker_broken(f) == 0, "folder %s:\n%s", rig.pair.dir, f->text);
}

static void
hang_up(const struct daemon *d)
{
	for (int i = 0; i < HANGUPS; i++)
		ck_assert_int_eq(kill(d->pid, SIGHUP), 0);
}

/* Asked to end in the middle of hangups, and back. How long it took until it was ready. */
static int
stop_and_start(struct daemon *d)
{
	int ready_ms;

	hang_up(d);
	ck_assert_int_eq(daemon_stop(d, STOP_MS), 0);
	ready_ms = rig_revive(&rig, d);
	ck_assert_int_ge(ready_ms, 0);
	ck_assert_int_le(ready_ms, patience_ms(READY_MAX_MS));
	return ready_ms;
}

START_TEST(orderly_ends_under_load_lose_nothing)
{
	struct findings f;
	struct load *load;
	int slowest = 0;

	ck_assert(rig_start(&rig, false));
	load = begin_load();
	for (int i = 0; i < 2 * stops(); i++) {
		int took;

		(void)poll(NULL, 0, QUIET_MS + (int)(rand_u64() % QUIET_MS));
		took = stop_and_start(i % 2 == 0 ? &rig.pair.orchestration : &rig.pair.worker);
		slowest = took > slowest ? took : slowest;
	}
	end_load(load);
	ck_assert(rig_stop(&rig));
	ck_assert_int_eq(rig_check(&rig), 0);
	judge(load, &f);
	(void)printf("signals: %d + %d orderly ends, %d hangups each; %zu tasks, %zu leases lost, "
	             "%zu given back; ready again within %d ms\n",
	        stops(), stops(), HANGUPS, f.tasks, f.lost, f.released, slowest);
	ck_assert_uint_eq(f.lost, 0); /* who leaves in order gives back */
	ck_assert_uint_ge(load_numbers(load).acknowledged, (size_t)stops());
	load_free(load);
	rig_remove(&rig);
}
END_TEST

START_TEST(hangup_with_broken_files_keeps_what_was_good)
{
	static const char *const files[] = {"orchestration.toml", "users.pem", "workers.pem"};
	char *admin, *kept[COUNT(files)];
	struct wire_reply r;
	struct load *load;

	ck_assert(rig_start(&rig, false));
	admin = pair_admin();
	load = begin_load();
	for (size_t i = 0; i < COUNT(files); i++) {
		kept[i] = daemon_read(rig.pair.dir, files[i]);
		ck_assert_ptr_nonnull(kept[i]);
		ck_assert(daemon_file(rig.pair.dir, files[i], "[[broken"));
	}
	hang_up(&rig.pair.orchestration);
	hang_up(&rig.pair.worker);
	for (int i = 0; i < 10; i++) {
		r = wire_call(rig.pair.orchestration.port, "GET", "/v1/whoami", admin, NULL);
		ck_assert_int_eq(r.status, 200);
		wire_reply_free(&r);
		(void)poll(NULL, 0, 20);
	}
	for (size_t i = 0; i < COUNT(files); i++) {
		ck_assert(daemon_file(rig.pair.dir, files[i], kept[i]));
		free(kept[i]);
	}
	end_load(load);
	ck_assert(rig_stop(&rig));
	load_free(load);
	free(admin);
	rig_remove(&rig);
}
END_TEST

/* ---- I8 ---- */

struct usage {
	long rss_kib, fds;
};

static struct usage
usage_of(const struct daemon *d)
{
	struct usage u = {.fds = 0};
	char path[64], *status;
	const char *at;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)d->pid);
	status = daemon_read(path, "status");
	at = status != NULL ? strstr(status, "\nVmRSS:") : NULL;
	ck_assert_ptr_nonnull(at);
	u.rss_kib = strtol(at + 7, NULL, 10);
	free(status);
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)d->pid);
	dir = opendir(path);
	ck_assert_msg(dir != NULL, "%s cannot be read: these tests need root", path);
	while (readdir(dir) != NULL)
		u.fds++;
	(void)closedir(dir);
	return u;
}

/* What it needs in the calm after: connections that were closed are gone in a moment. */
static void
must_not_have_grown(const char *who, const struct daemon *d, struct usage before)
{
	const int64_t until = clock_mono_us() + (int64_t)SETTLE_MS * 1000;
	struct usage now;

	do {
		now = usage_of(d);
		(void)poll(NULL, 0, 20);
	} while (now.fds > before.fds && clock_mono_us() < until);
	(void)printf("growth: %s had %ld descriptors and %ld KiB, has %ld and %ld\n", who,
	        before.fds, before.rss_kib, now.fds, now.rss_kib);
	ck_assert_int_le(now.fds, before.fds);
	ck_assert_int_le(now.rss_kib, before.rss_kib + before.rss_kib * GROWTH_PERCENT / 100);
}

static void
work_for(int ms)
{
	struct load *load = begin_load();

	(void)poll(NULL, 0, ms);
	end_load(load);
	load_free(load);
}

START_TEST(storms_leave_neither_descriptors_nor_memory_behind)
{
	AUTO(prefill) struct prefill stored = {.count = 0};
	struct usage orchestration, worker;
	struct load *load;

	ck_assert(rig_start(&rig, false));
	ck_assert(prefill_run(rig.pair.orchestration.port, STORED, STORE_MS, &stored));
	work_for(WARM_MS);
	(void)poll(NULL, 0, RIG_LEASE_MS);
	orchestration = usage_of(&rig.pair.orchestration);
	load = begin_load();
	for (int i = 0; i < stops(); i++) {
		hang_up(&rig.pair.orchestration);
		(void)poll(NULL, 0, QUIET_MS);
		ck_assert_uint_eq(rig_kill_worker(&rig), 0);
		ck_assert(rig_start_worker(&rig));
	}
	end_load(load);
	load_free(load);
	must_not_have_grown("the orchestration", &rig.pair.orchestration, orchestration);

	work_for(WARM_MS);
	worker = usage_of(&rig.pair.worker);
	load = begin_load();
	for (int i = 0; i < stops(); i++) {
		hang_up(&rig.pair.worker);
		(void)poll(NULL, 0, QUIET_MS);
		ck_assert_int_ge(rig_restart_orchestration(&rig), 0);
	}
	end_load(load);
	load_free(load);
	must_not_have_grown("the worker", &rig.pair.worker, worker);
	ck_assert(rig_stop(&rig));
	rig_remove(&rig);
}
END_TEST

Suite *
signals_suite(void)
{
	Suite *s = suite_create("signals");
	TCase *tc = tcase_create("storms");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, orderly_ends_under_load_lose_nothing);
	tcase_add_test(tc, hangup_with_broken_files_keeps_what_was_good);
	tcase_add_test(tc, storms_leave_neither_descriptors_nor_memory_behind);
	suite_add_tcase(s, tc);
	return s;
}
