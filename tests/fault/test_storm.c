/*
 * Acceptance 7 of the issue, F1 and F2 of security.md §5: both daemons are killed again and again,
 * at random moments, while clients create tasks; then nothing may be missing, done in vain or done
 * twice. FAULT_KILLS says how often each daemon dies (20), FAULT_STORED how many other tasks are
 * there all the time (none), FAULT_SEED repeats a run's choices.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/checker.h"
#include "tests/fault/load.h"
#include "tests/fault/prefill.h"
#include "tests/fault/rig.h"
#include "tests/lib/patience.h"
#include "tests/unit/unit.h"

enum {
	KILLS = 20,
	READY_MAX_MS = 2000,
	QUIET_MIN_MS = 20, /* between two blows */
	QUIET_MAX_MS = 700,
	PAUSE_MS = 20,
	STEP_MS = 16,
	COMPLETE_MS = 120000,
	STORE_MS = 60000,
	TIMEOUT_S = 900,
};

enum { ORCHESTRATION = 1, WORKER = 2 };

struct storm {
	struct rig rig;
	struct load *load;
	struct prefill stored;
	uint64_t seed, state;
	unsigned wanted, orchestration_kills, worker_kills;
	int ready_max_ms;
};

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t
next(struct storm *s, uint64_t below)
{
	uint64_t x = s->state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (x ^ (x >> 31)) % below;
}

/* No handler outlives its worker, and the orchestration is back in time. */
static void
strike(struct storm *s, unsigned who)
{
	if ((who & WORKER) != 0) {
		ck_assert_uint_eq(rig_kill_worker(&s->rig), 0);
		s->worker_kills++;
	}
	if ((who & ORCHESTRATION) != 0) {
		const int ready_ms = rig_restart_orchestration(&s->rig);

		ck_assert_int_ge(ready_ms, 0);
		if (ready_ms > s->ready_max_ms)
			s->ready_max_ms = ready_ms;
		s->orchestration_kills++;
	}
	if ((who & WORKER) != 0)
		ck_assert(rig_start_worker(&s->rig));
}

/* One of them or both at once, until each has had its blows. */
static void
rage(struct storm *s)
{
	unsigned left;

	while ((left = (s->orchestration_kills < s->wanted ? (unsigned)ORCHESTRATION : 0) |
	               (s->worker_kills < s->wanted ? (unsigned)WORKER : 0)) != 0) {
		const unsigned who = left & (1 + (unsigned)next(s, 3));

		(void)poll(NULL, 0, (int)(QUIET_MIN_MS + next(s, QUIET_MAX_MS - QUIET_MIN_MS)));
		strike(s, who);
	}
}

/* What was said, what was executed and what is stored fit together. */
static void
judge(struct storm *s, struct findings *f)
{
	AUTO(book) struct book book = {.items = NULL};
	size_t count;
	const char **ids = load_ids(s->load, &count);

	ck_assert_ptr_nonnull(ids);
	ck_assert(book_read(s->rig.pair.dir, RIG_BOOK, &book));
	ck_assert(checker_judge(&(struct evidence){.dir = s->rig.pair.dir,
	                                .file = "tasker.db",
	                                .book = &book,
	                                .ids = ids,
	                                .id_count = count,
	                                .open_ids = s->stored.texts,
	                                .open_count = s->stored.count,
	                                .no_others = true},
	        f));
	ck_assert_msg(checker_broken(f) == 0, "seed %llu, folder %s:\n%s",
	        (unsigned long long)s->seed, s->rig.pair.dir, f->text);
	free(ids);
}

/* What is there before the storm, and stays. */
static void
store(struct storm *s)
{
	const size_t wanted = (size_t)number_from("FAULT_STORED", 0);

	if (wanted == 0)
		return;
	ck_assert(prefill_run(s->rig.pair.orchestration.port, wanted, STORE_MS, &s->stored));
	(void)printf("storm: %zu tasks stored in %d ms\n", s->stored.count, s->stored.took_ms);
	(void)fflush(stdout);
	ck_assert_uint_eq(s->stored.count, wanted);
}

static void
tell(const struct storm *s, const struct findings *f, int calm_ms)
{
	const struct load_numbers n = load_numbers(s->load);

	(void)printf(
	        "storm: seed %llu, %u + %u kills; %zu tasks acknowledged, %zu open and settled "
	        "later; %zu steps by %zu executions; %zu lost, %zu given back, %zu late; ready "
	        "again within %d ms; all complete %d ms after the last kill\n",
	        (unsigned long long)s->seed, s->orchestration_kills, s->worker_kills,
	        n.acknowledged, n.open, f->steps, f->executions, f->lost, f->released, f->late,
	        s->ready_max_ms, calm_ms);
	(void)fflush(stdout);
}

START_TEST(nothing_acknowledged_is_lost_or_done_twice)
{
	struct storm s = {.wanted = (unsigned)number_from("FAULT_KILLS", KILLS),
	        .seed = number_from("FAULT_SEED", rand_u64() % 1000000)};
	struct load_settings load = {.pause_ms = PAUSE_MS, .step_ms = STEP_MS, .seed = s.seed};
	struct findings f;
	int64_t calm_us;

	s.state = s.seed;
	(void)printf("storm: FAULT_SEED=%llu repeats its choices\n", (unsigned long long)s.seed);
	(void)fflush(stdout);
	ck_assert(rig_start(&s.rig, false));
	store(&s);
	load.port = s.rig.pair.orchestration.port;
	s.load = load_start(&load);
	ck_assert_ptr_nonnull(s.load);
	rage(&s);
	load_stop(s.load);
	calm_us = clock_mono_us();
	ck_assert(load_resolve(s.load));
	ck_assert(load_completes(s.load, COMPLETE_MS));
	calm_us = clock_mono_us() - calm_us;
	ck_assert(rig_stop(&s.rig));
	judge(&s, &f);
	tell(&s, &f, (int)(calm_us / 1000));
	ck_assert_int_eq(rig_check(&s.rig), 0);

	ck_assert_uint_eq(load_numbers(s.load).wrong, 0);
	ck_assert_uint_ge(load_numbers(s.load).acknowledged, s.wanted);
	ck_assert_int_le(s.ready_max_ms, patience_ms(READY_MAX_MS));
	/* The blows hit something: with so many, some step was at work. */
	ck_assert_uint_gt(f.lost + f.released, 0);
	ck_assert_uint_gt(f.executions, f.steps - BOOK_STEPS * s.stored.count);
	prefill_free(&s.stored);
	load_free(s.load);
	rig_remove(&s.rig);
}
END_TEST

Suite *
storm_suite(void)
{
	Suite *s = suite_create("storm");
	TCase *tc = tcase_create("kill -9");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, nothing_acknowledged_is_lost_or_done_twice);
	suite_add_tcase(s, tc);
	return s;
}
