/*
 * Every call to the disk fails once, and for good, in a small script that touches everything: no
 * crash, no acknowledgement that does not hold, and the next start finds all of it (F5, ST4, ST5).
 * The short form takes each fifth call, and every sync.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/storage/audit.h"
#include "tests/storage/disk.h"
#include "tests/storage/seeded_rand.h"

enum { SCRIPT_SEED = 7, CALLS_MAX = 4000 };

static struct lab lab;
static struct client client;

static const enum client_deed script[] = {CLIENT_PREPARE, CLIENT_PREPARE, CLIENT_PREPARE,
        CLIENT_PREPARE, CLIENT_CREATE, CLIENT_CREATE, CLIENT_POLL, CLIENT_FINISH, CLIENT_CANCEL,
        CLIENT_LOOK, CLIENT_FINISH};

static void
set_up(void)
{
	disk_mount();
	disk_format();
	lab_open(&lab);
	store_close(lab.store);
	lab.store = NULL;
	lab.settings.busy_ms = 50; /* nobody else is there: a lock that is busy stays so */
}

static void
tear_down(void)
{
	store_close(lab.store);
	lab.store = NULL;
	disk_format();
	lab_close(&lab);
}

static void
begin(void)
{
	disk_format();
	seeded_rand_set(SCRIPT_SEED);
	client_init(&client, &lab, SCRIPT_SEED, false);
}

/* One life: open, the script, close. A failed sync must show as the end of all trust. */
static void
play(void)
{
	struct err e = {0};

	client_begin_life(&client);
	lab.store = NULL;
	if (!store_open(&lab.settings, &lab.store, &e)) {
		if (disk_tally().faults == 0)
			client_complain(&client, "the store does not open: %s", e.text);
		return;
	}
	for (size_t i = 0; i < COUNT(script); i++) {
		client_do(&client, script[i]);
		if (disk_tally().failed_syncs > client.failed_syncs && !client_is_fatal(&client))
			client_complain(&client, "a failed fsync is no reason to stop");
	}
	store_close(lab.store);
	lab.store = NULL;
}

/* On a disk that works again. */
static void
recover(enum medium_loss loss)
{
	struct err e = {0};

	disk_power_cut(loss);
	client_begin_life(&client);
	lab.store = NULL;
	if (!store_open(&lab.settings, &lab.store, &e)) {
		client_complain(&client, "it does not open again: %s", e.text);
		return;
	}
	if (audit_client(&client)) {
		client_settle(&client);
		(void)audit_all(&client);
	}
	store_close(lab.store);
	lab.store = NULL;
}

static const struct {
	const char *name;
	unsigned calls;
	unsigned long count;
	int code;
	bool long_form_only;
} trials[] = {
        {"each call fails once",         DISK_ANY,             1,         0,           false},
        {"each write finds a full disk", DISK_BIT(DISK_WRITE), 3,         SQLITE_FULL, false},
        {"each sync fails for good",     DISK_BIT(DISK_SYNC),  ULONG_MAX, 0,           false},
        {"no more call succeeds",        DISK_ANY,             ULONG_MAX, 0,           true },
        {"no more write, disk full",     DISK_BIT(DISK_WRITE), ULONG_MAX, SQLITE_FULL, true },
        {"three calls fail",             DISK_ANY,             3,         0,           true },
};

/* Two lives under the fault, the second on what the first has closed, then the audit. */
START_TEST(every_call_may_fail)
{
	const bool all = getenv("STORAGE_LONG") != NULL;
	const unsigned long stride = all || trials[_i].calls == DISK_BIT(DISK_SYNC) ? 1 : 5;
	unsigned long first = 1, lost = 0, starts = 0;
	bool reached = true;

	if (trials[_i].long_form_only && !all)
		return;
	for (; reached && first < CALLS_MAX; first += stride) {
		const struct disk_plan plan = {
		        .seed = first,
		        .fault = {.calls = trials[_i].calls,
		                  .first = first,
		                  .count = trials[_i].count,
		                  .code = trials[_i].code}
                };

		begin();
		disk_plan(&plan);
		play();
		play();
		reached = disk_tally().faults > 0;
		lost += client.asked - client.acked;
		starts++;
		recover((enum medium_loss)(first % MEDIUM_LOSSES));
		ck_assert_msg(client.broken[0] == '\0', "%s, number %lu: %s", trials[_i].name,
		        first, client.broken);
	}
	(void)printf("storage: %s: %lu starts, %lu operations not acknowledged, 0 violations\n",
	        trials[_i].name, starts, lost);
	ck_assert_uint_lt(first, CALLS_MAX);
	ck_assert_uint_gt(first, 5);
}
END_TEST

/* ST5: after one failed fsync nothing is acknowledged any more, though later ones would succeed;
 * what was acknowledged before is there, and the next start works. */
START_TEST(failed_fsync_ends_all_acknowledgement)
{
	AUTO(store_op) struct store_op *first = lab_create_op("single", "{\"x\":1}");
	AUTO(store_op) struct store_op *second = lab_create_op("single", "{\"x\":2}");
	const struct disk_plan plan = {
	        .seed = 1, .fault = {.calls = DISK_BIT(DISK_SYNC), .first = 1, .count = 1}
        };
	struct store_health health;
	struct uuid before;

	begin();
	lab_reopen(&lab);
	lab_template(&lab, lab_yaml("single"));
	before = lab_create(&lab, "single");
	disk_plan(&plan);
	ck_assert_int_eq(lab_run(&lab, first), STORE_FAULT);
	store_probe(lab.store, &health);
	ck_assert(health.fatal);
	ck_assert_int_eq(lab_run(&lab, second), STORE_FAULT);
	ck_assert_uint_eq(disk_tally().failed_syncs, 1);
	ck_assert_int_eq(lab_task_state(&lab, before), TASK_STEPS_IN_PROCESS);
	lab_reopen(&lab); /* what leaving with 74 and starting again does */
	(void)lab_create(&lab, "single");
	ck_assert_int_eq(lab_task_state(&lab, before), TASK_STEPS_IN_PROCESS);
}
END_TEST

/*
 * ST5: the start after a failed fsync finds a log that it can read, since the kernel's cache has
 * it, and that is not on the disk. What is acknowledged on top of it survives a power cut all the
 * same.
 */
START_TEST(work_after_a_failed_fsync_survives_a_power_cut)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		AUTO(store_op) struct store_op *op = lab_create_op("single", "{\"x\":1}");
		const struct disk_plan plan = {
		        .seed = seed,
		        .fault = {.calls = DISK_BIT(DISK_SYNC), .first = 1, .count = 1}
                };
		struct uuid before, after;

		begin();
		lab_reopen(&lab);
		lab_template(&lab, lab_yaml("single"));
		before = lab_create(&lab, "single");
		disk_plan(&plan);
		ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
		disk_die();
		store_close(lab.store);
		lab.store = NULL;
		disk_restart();
		lab_reopen(&lab);
		after = lab_create(&lab, "single");
		disk_die();
		store_close(lab.store);
		lab.store = NULL;
		disk_power_cut(MEDIUM_LOSES);
		lab_reopen(&lab);
		ck_assert_int_eq(lab_task_state(&lab, before), TASK_STEPS_IN_PROCESS);
		ck_assert_int_eq(lab_task_state(&lab, after), TASK_STEPS_IN_PROCESS);
		lab_check(&lab);
		store_close(lab.store);
		lab.store = NULL;
	}
}
END_TEST

/* SQLite calls it a success when a file stays with a rollback journal; the store does not. */
START_TEST(store_that_opens_has_a_write_ahead_log)
{
	size_t opened = 0;

	for (unsigned long first = 1; first < 200; first++) {
		const struct disk_plan plan = {
		        .seed = first,
		        .fault = {.calls = DISK_BIT(DISK_WRITE), .first = first, .count = 1}
                };
		struct err e = {0};
		char log[128];
		size_t len;
		void *bytes;

		begin();
		disk_plan(&plan);
		lab.store = NULL;
		if (!store_open(&lab.settings, &lab.store, &e))
			continue;
		(void)snprintf(log, sizeof(log), "%s-wal", lab.path);
		bytes = disk_take(log, &len);
		ck_assert_msg(bytes != NULL, "write %lu failed: open, and without a log", first);
		free(bytes);
		opened++;
		store_close(lab.store);
		lab.store = NULL;
	}
	ck_assert_uint_gt(opened, 0);
	ck_assert_uint_lt(opened, 199);
}
END_TEST

Suite *
storage_calls_suite(void)
{
	Suite *s = suite_create("storage calls");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, every_call_may_fail, 0, COUNT(trials));
	tcase_add_test(tc, failed_fsync_ends_all_acknowledgement);
	tcase_add_test(tc, work_after_a_failed_fsync_survives_a_power_cut);
	tcase_add_test(tc, store_that_opens_has_a_write_ahead_log);
	suite_add_tcase(s, tc);
	return s;
}
