/*
 * The checker finds what it is for: a sound run, with one worker lost on the way, is spoiled in one
 * place at a time, in the database or in the handlers' book.
 */
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/checker.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum { BEGIN_MS = 15000, COMPLETE_MS = 30000, TIMEOUT_S = 60 };

static struct rig rig;
static char *tasks[2]; /* the first lost a worker in its first step: attempt 2 counts */

static void
make_sound_run(void)
{
	token_maker_prepare();
	ck_assert(rig_start(&rig, false));
	tasks[0] = rig_linear(&rig, 150);
	ck_assert(rig_begins(&rig, tasks[0], "one", 1, BEGIN_MS));
	ck_assert_uint_eq(rig_kill_worker(&rig), 0);
	ck_assert(rig_start_worker(&rig));
	tasks[1] = pair_task(&rig.pair, RIG_KEY, "demo", "diamond");
	ck_assert(pair_task_is(&rig.pair, tasks[0], "complete", COMPLETE_MS));
	ck_assert(pair_task_is(&rig.pair, tasks[1], "complete", COMPLETE_MS));
	ck_assert(rig_stop(&rig));
}

static void
remove_run(void)
{
	rig_remove(&rig);
	free(tasks[0]);
	free(tasks[1]);
}

static void
run_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	int rc = sqlite3_exec(db, sql, NULL, NULL, &why);

	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, why);
}

/* A copy of the database with that change. */
static void
spoil_copy(const char *sql)
{
	char path[PATH_MAX], to[PATH_MAX], copy[PATH_MAX + 32];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/tasker.db", rig.pair.dir);
	(void)snprintf(to, sizeof(to), "%s/spoiled.db", rig.pair.dir);
	(void)unlink(to);
	(void)snprintf(copy, sizeof(copy), "VACUUM INTO '%s'", to);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	run_sql(db, copy);
	(void)sqlite3_close(db);
	ck_assert_int_eq(sqlite3_open(to, &db), SQLITE_OK);
	run_sql(db, "DROP TRIGGER events_stay; DROP INDEX events_task");
	run_sql(db, sql);
	(void)sqlite3_close(db);
}

static struct findings
judge(const char *file, const struct book *book, const char *const *ids, size_t count)
{
	struct findings f;

	ck_assert(checker_judge(&(struct evidence){.dir = rig.pair.dir,
	                                .file = file,
	                                .book = book,
	                                .ids = ids,
	                                .id_count = count,
	                                .no_others = true},
	        &f));
	return f;
}

static void
read_book(struct book *out)
{
	ck_assert(book_read(rig.pair.dir, RIG_BOOK, out));
}

START_TEST(sound_run_has_no_findings)
{
	AUTO(book) struct book book = {.items = NULL};
	struct findings f;

	read_book(&book);
	f = judge("tasker.db", &book, (const char *const *)tasks, 2);
	ck_assert_msg(checker_broken(&f) == 0, "%s", f.text);
	ck_assert_uint_eq(f.tasks, 2);
	ck_assert_uint_eq(f.steps, 8);
	ck_assert_uint_eq(f.executions, 9);
	ck_assert_uint_eq(f.lost, 1);
}
END_TEST

static const char same_event_twice[] =
        "INSERT INTO events SELECT NULL, task, seq, kind, step, from_state, to_state, attempt, "
        "session, actor, at FROM events WHERE task = 2 AND seq = 2";
static const char start_it_again[] =
        "INSERT INTO events SELECT NULL, task, 99, kind, step, from_state, to_state, attempt, "
        "session, actor, at FROM events WHERE task = 1 AND seq = 2";

/* Kinds and states by number: 4 in process, 9 complete (task); 1 pending, 3 in progress, 8 complete
 * (step); events 9 started, 10 completed, 15 lost. */
static const struct {
	enum invariant finds;
	const char *sql;
} spoilt[] = {
        {I1, "UPDATE tasks SET state = 4 WHERE id = 1"                                          },
        {I1, "DELETE FROM tasks WHERE id = 2"                                                   },
        {I1, "DELETE FROM steps WHERE id = 1027"                                                },
        {I2, "UPDATE steps SET result = '{}' WHERE id = 1024"                                   },
        {I2, "UPDATE events SET kind = 11 WHERE kind = 15"                                      },
        {I2, "UPDATE steps SET result = NULL WHERE id = 1025"                                   },
        {I2, "UPDATE steps SET result = (SELECT result FROM steps WHERE id = 1026) WHERE id = "
             "1025"                                                                 },
        {I3, "DELETE FROM events WHERE task = 1 AND seq = 1"                                    },
        {I3, "DELETE FROM events WHERE task = 1 AND seq = 3"                                    },
        {I3, "DELETE FROM events WHERE task = 2 AND kind = 5"                                   },
        {I3, "UPDATE events SET seq = seq + 1 WHERE task = 2 AND kind = 5"                      },
        {I3, same_event_twice                                                                   },
        {I3, start_it_again                                                                     },
        {I3, "INSERT INTO events VALUES (NULL, 77, 1, 1, NULL, 0, 4, 0, NULL, NULL, 0)"         },
        {I3, "UPDATE events SET to_state = 8 WHERE task = 1 AND kind = 9 AND step = 1"          },
        {I3, "UPDATE events SET from_state = 1 WHERE task = 1 AND kind = 10 AND step = 1"       },
        {I3, "UPDATE events SET step = 9 WHERE task = 1 AND kind = 10 AND step = 1"             },
        {I3, "UPDATE steps SET state = 3 WHERE id = 1027"                                       },
        {I3, "UPDATE steps SET attempt = 7 WHERE id = 1024"                                     },
        {I3, "UPDATE steps SET failures = 1 WHERE id = 1024"                                    },
        {I3, "UPDATE steps SET lease_losses = 0 WHERE id = 1024"                                },
        {I4, "UPDATE events SET session = session + 1 WHERE task = 1 AND kind = 10 AND step = 2"},
        {I4, "UPDATE events SET session = 1 WHERE task = 1 AND kind = 10 AND step = 0"          },
        {I4, "UPDATE events SET attempt = 1 WHERE task = 1 AND kind = 10 AND step = 0"          },
        {I4, "UPDATE events SET attempt = 3 WHERE task = 1 AND kind = 9 AND step = 1"           },
};

START_TEST(spoilt_database_is_found)
{
	AUTO(book) struct book book = {.items = NULL};
	struct findings f;

	read_book(&book);
	spoil_copy(spoilt[_i].sql);
	f = judge("spoiled.db", &book, (const char *const *)tasks, 2);
	ck_assert_msg(f.broken[spoilt[_i].finds] > 0, "I%d is not found by: %s\nbut: %s",
	        (int)spoilt[_i].finds, spoilt[_i].sql, f.text);
}
END_TEST

static void
forget(struct book *b)
{
	b->count--;
}

static void
begin_twice(struct book *b)
{
	b->items[3].begins = 2;
}

static void
never_end(struct book *b)
{
	b->items[3].ends = 0;
}

static void
begin_early(struct book *b)
{
	b->items[3].begin_us = b->items[0].begin_us;
}

/* The lost attempt becomes one that nobody claimed. */
static void
run_unclaimed(struct book *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].ends == 0)
			b->items[i].attempt = 0;
}

/* The lost attempt becomes one of a task that is not there. */
static void
work_for_nobody(struct book *b)
{
	memset(b->items[0].task, '0', 8);
}

static void
swap_proofs(struct book *b)
{
	memcpy(b->items[3].proof, b->items[4].proof, sizeof(b->items[3].proof));
}

static void (*const spoilers[])(struct book *) = {
        forget, begin_twice, never_end, begin_early, run_unclaimed, work_for_nobody, swap_proofs};

START_TEST(spoilt_book_is_found)
{
	AUTO(book) struct book book = {.items = NULL};
	struct findings f;

	read_book(&book);
	spoilers[_i](&book);
	f = judge("tasker.db", &book, (const char *const *)tasks, 2);
	ck_assert_msg(f.broken[I2] > 0, "spoiler %d is not found\nbut: %s", _i, f.text);
	ck_assert_uint_eq(f.broken[I2], checker_broken(&f));
}
END_TEST

START_TEST(second_execution_without_a_recorded_loss_is_found)
{
	AUTO(book) struct book book = {.items = NULL};
	struct findings f;

	read_book(&book);
	spoil_copy("UPDATE events SET kind = 12 WHERE kind = 15");
	f = judge("spoiled.db", &book, (const char *const *)tasks, 2);
	ck_assert_uint_gt(checker_broken(&f), 0);
}
END_TEST

START_TEST(wrong_list_of_tasks_is_found)
{
	const char *const twice[] = {tasks[0], tasks[0]};
	const char *const other[] = {tasks[0], tasks[1], "0197d6a0-0000-7000-8000-000000000000"};
	const char *const none[] = {tasks[0], tasks[1], ""};
	AUTO(book) struct book book = {.items = NULL};

	read_book(&book);
	ck_assert_uint_gt(judge("tasker.db", &book, twice, 2).broken[I1], 0);
	ck_assert_uint_gt(judge("tasker.db", &book, other, 3).broken[I1], 0);
	ck_assert_uint_gt(judge("tasker.db", &book, none, 3).broken[I1], 0);
	ck_assert_uint_gt(judge("tasker.db", &book, other, 1).broken[I1], 0);
}
END_TEST

START_TEST(task_that_was_to_stay_open_is_found)
{
	const char *const gone[] = {"0197d6a0-0000-7000-8000-000000000000"};
	const char *const all[] = {tasks[1]};
	struct evidence e = {.dir = rig.pair.dir,
	        .file = "tasker.db",
	        .ids = (const char *const *)tasks,
	        .id_count = 1,
	        .open_ids = all,
	        .open_count = 1,
	        .no_others = true};
	struct findings f;

	ck_assert(checker_judge(&e, &f));
	ck_assert_uint_eq(f.broken[I1], 1); /* it is complete */
	e.open_ids = gone;
	ck_assert(checker_judge(&e, &f));
	ck_assert_uint_eq(f.broken[I1], 1);
	e.open_count = 0;
	ck_assert(checker_judge(&e, &f));
	ck_assert_uint_eq(f.broken[I1], 1); /* one more than anybody asked for */
}
END_TEST

static const char *const torn[] = {
        "begin 0197d6a0-0000-7000-8000-000000000000 one 1 5\n",
        "begin 0197d6a0-0000-7000-8000-000000000000 one 1 5 0123456789abcdef",
        "began 0197d6a0-0000-7000-8000-000000000000 one 1 5 0123456789abcdef\n",
        "begin 0197d6a0-0000-7000-8000-000000000000 nine 1 5 0123456789abcdef\n",
        "\n",
};

START_TEST(torn_book_is_refused)
{
	struct book book;

	ck_assert(daemon_file(rig.pair.dir, "torn", torn[_i]));
	ck_assert(!book_read(rig.pair.dir, "torn", &book));
	ck_assert(!book_read(rig.pair.dir, "nowhere", &book));
	ck_assert_ptr_null(book.items);
}
END_TEST

START_TEST(missing_database_is_no_verdict)
{
	struct findings f;

	ck_assert(!checker_judge(&(struct evidence){.dir = rig.pair.dir, .file = "none.db"}, &f));
}
END_TEST

Suite *
checker_suite(void)
{
	Suite *s = suite_create("checker");
	TCase *tc = tcase_create("spoilt");

	tcase_add_unchecked_fixture(tc, make_sound_run, remove_run);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, sound_run_has_no_findings);
	tcase_add_loop_test(tc, spoilt_database_is_found, 0, COUNT(spoilt));
	tcase_add_loop_test(tc, spoilt_book_is_found, 0, COUNT(spoilers));
	tcase_add_test(tc, second_execution_without_a_recorded_loss_is_found);
	tcase_add_test(tc, wrong_list_of_tasks_is_found);
	tcase_add_test(tc, task_that_was_to_stay_open_is_found);
	tcase_add_loop_test(tc, torn_book_is_refused, 0, COUNT(torn));
	tcase_add_test(tc, missing_database_is_no_verdict);
	suite_add_tcase(s, tc);
	return s;
}
