/*
 * Proof that the simulation can fail, that it repeats itself, and that its memory means what SQLite
 * means. F15 of the fault table; I1 to I4.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/sim.h"
#include "tests/unit/unit.h"

enum { SEEDS_TO_FIND = 60, SEEDS_SAME = 20, SEEDS_SQLITE = 60 };

static const struct {
	enum memory_flaw flaw;
	const char *what;
} flaws[] = {
        {MEMORY_FORGETS_COMMITS,  "a crash takes the last transaction along"       },
        {MEMORY_KEEPS_ROLLBACKS,  "what was rolled back stays"                     },
        {MEMORY_DROPS_WRITES,     "updates of steps that do nothing"               },
        {MEMORY_SKIPS_NUMBERS,    "numbers of events left out"                     },
        {MEMORY_HURRIES_CHILDREN, "a child that is ready before its parent is done"},
        {MEMORY_OFFERS_TWICE,     "a held step offered to others"                  },
        {MEMORY_MISTAKES_HOLDERS, "a step read as held by another session"         },
        {MEMORY_FORGETS_TIMERS,   "retries that are never due"                     },
        {MEMORY_FORGETS_IDENTITY, "the same request twice"                         },
        {MEMORY_MIXES_RESULTS,    "a result kept as another one's"                 },
        {MEMORY_MISCOUNTS,        "totals that are not saved"                      },
};

_Static_assert(COUNT(flaws) == MEMORY_FLAWS - 1, "each flaw is judged");

/* How many of the first seeds find something wrong; one of the findings is shown. */
static int
findings(const struct sim_setup *like, char shown[480])
{
	int found = 0;

	for (uint64_t seed = 1; seed <= SEEDS_TO_FIND; seed++) {
		struct sim_setup setup = *like;
		struct sim_report report;

		setup.seed = seed;
		sim_run(&setup, &report);
		if (report.broken[0] == '\0')
			continue;
		found++;
		memcpy(shown, report.broken, sizeof(report.broken));
	}
	return found;
}

START_TEST(each_flaw_of_a_backend_is_seen_by_the_judge)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();
	struct sim_setup setup = {.shapes = shapes, .flaw = flaws[_i].flaw};
	char shown[480] = "";
	int found = findings(&setup, shown);

	ck_assert_msg(found > 0, "nobody saw: %s", flaws[_i].what);
	(void)printf(
	        "%s: seen by %d of %d seeds (%s)\n", flaws[_i].what, found, SEEDS_TO_FIND, shown);
}
END_TEST

START_TEST(a_lease_by_the_wall_clock_is_seen_by_the_judge)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();
	struct sim_setup setup = {.shapes = shapes, .lease_by_wall = true};
	char shown[480] = "";

	ck_assert_int_gt(findings(&setup, shown), 0);
	ck_assert_msg(strstr(shown, "session") != NULL, "%s", shown);
}
END_TEST

START_TEST(a_sound_backend_has_no_findings)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();
	struct sim_setup setup = {.shapes = shapes};
	char shown[480] = "";

	ck_assert_msg(findings(&setup, shown) == 0, "%s", shown);
}
END_TEST

/* Nothing causes these yet: a task fails, or a step is resolved, by hand. */
static bool
event_comes_later(size_t kind)
{
	return kind == EVENT_TASK_FAILED || kind == EVENT_TASK_RESOLVED ||
	       kind == EVENT_STEP_RESOLVED || kind == EVENT_STEP_RESET;
}

static void
add(struct sim_seen *all, const struct sim_seen *one)
{
	for (size_t i = 0; i < COUNT(all->verdicts); i++)
		all->verdicts[i] += one->verdicts[i];
	for (size_t i = 0; i < COUNT(all->outcomes); i++)
		all->outcomes[i] += one->outcomes[i];
	for (size_t i = 0; i < COUNT(all->events); i++)
		all->events[i] += one->events[i];
	all->crashes += one->crashes;
	all->lost_answers += one->lost_answers;
	all->repeats += one->repeats;
}

/* What never happens is not proven. */
START_TEST(everything_that_can_happen_happens)
{
	static const enum store_outcome outcomes[] = {STORE_OK, STORE_NOT_FOUND, STORE_CONFLICT,
	        STORE_INVALID, STORE_STALE, STORE_TIMEOUT, STORE_FAULT};
	AUTO(shapes) struct shapes *shapes = shapes_new();
	struct sim_seen all = {.crashes = 0};

	for (uint64_t seed = 1; seed <= SEEDS_TO_FIND; seed++) {
		struct sim_setup setup = {.seed = seed, .shapes = shapes};
		struct sim_report report;

		sim_run(&setup, &report);
		add(&all, &report.seen);
	}
	for (size_t i = 0; i < COUNT(all.verdicts); i++)
		ck_assert_msg(all.verdicts[i] > 0, "verdict %zu", i);
	for (size_t i = 0; i < COUNT(outcomes); i++)
		ck_assert_msg(all.outcomes[outcomes[i]] > 0, "%s", store_outcome_name(outcomes[i]));
	for (size_t i = 1; i < COUNT(all.events); i++)
		ck_assert_msg(all.events[i] > 0 || event_comes_later(i), "%s",
		        event_kind_name((enum event_kind)i));
	ck_assert_uint_gt(all.crashes, SEEDS_TO_FIND);
	ck_assert_uint_gt(all.lost_answers, SEEDS_TO_FIND);
	ck_assert_uint_gt(all.repeats, 0);
}
END_TEST

/* Lives in which the simulation found a defect of the store, mended since. */
START_TEST(what_was_found_once_stays_mended)
{
	static const uint64_t seeds[] = {32609, 37998}; /* a session ended over a step just given */
	AUTO(shapes) struct shapes *shapes = shapes_new();

	for (size_t i = 0; i < COUNT(seeds); i++) {
		struct sim_setup setup = {.seed = seeds[i], .shapes = shapes};
		struct sim_report report;

		sim_run(&setup, &report);
		ck_assert_msg(report.broken[0] == '\0', "seed %llu: %s",
		        (unsigned long long)seeds[i], report.broken);
	}
}
END_TEST

static char *
story(const struct shapes *shapes, uint64_t seed, const char *sqlite)
{
	struct buf log = BUF(MIB(64));
	struct sim_setup setup = {
	        .seed = seed, .shapes = shapes, .sqlite = sqlite, .log = &log, .plain = true};
	struct sim_report report;
	char *text;

	sim_run(&setup, &report);
	ck_assert_msg(
	        report.broken[0] == '\0', "seed %llu: %s", (unsigned long long)seed, report.broken);
	text = buf_take_text(&log);
	ck_assert_ptr_nonnull(text);
	return text;
}

/* Where two stories part, for people. */
static void
compare(const char *a, const char *b, uint64_t seed)
{
	size_t line = 0, i;

	for (i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	ck_assert_msg(a[i] == b[i], "seed %llu:\n%.160s\n---\n%.160s", (unsigned long long)seed,
	        a + line, b + line);
}

START_TEST(a_seed_tells_the_same_story_twice)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();

	for (uint64_t seed = 1; seed <= SEEDS_SAME; seed++) {
		char *a = story(shapes, seed, NULL), *b = story(shapes, seed, NULL);

		compare(a, b, seed);
		free(a);
		free(b);
	}
}
END_TEST

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

/* Outcomes, events, states and counts, line by line; faults hit both at the same statements. */
START_TEST(over_sqlite_a_seed_tells_the_same_story_as_over_memory)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	for (uint64_t seed = 1; seed <= SEEDS_SQLITE; seed++) {
		char folder[64], url[96], *a, *b;

		(void)snprintf(folder, sizeof(folder), "%s/tasker-sim-XXXXXX", memory);
		ck_assert_ptr_nonnull(mkdtemp(folder));
		(void)snprintf(url, sizeof(url), "sqlite://%s/store.db", folder);
		a = story(shapes, seed, NULL);
		b = story(shapes, seed, url);
		(void)nftw(folder, discard, 8, FTW_DEPTH | FTW_PHYS);
		compare(a, b, seed);
		free(a);
		free(b);
	}
}
END_TEST

Suite *
sim_proof_suite(void)
{
	Suite *s = suite_create("simulation");
	TCase *c = tcase_create("simulation");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, a_sound_backend_has_no_findings);
	tcase_add_loop_test(c, each_flaw_of_a_backend_is_seen_by_the_judge, 0, (int)COUNT(flaws));
	tcase_add_test(c, a_lease_by_the_wall_clock_is_seen_by_the_judge);
	tcase_add_test(c, everything_that_can_happen_happens);
	tcase_add_test(c, what_was_found_once_stays_mended);
	tcase_add_test(c, a_seed_tells_the_same_story_twice);
	tcase_add_test(c, over_sqlite_a_seed_tells_the_same_story_as_over_memory);
	suite_add_tcase(s, c);
	return s;
}
