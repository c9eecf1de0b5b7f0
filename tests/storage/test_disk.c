/* The simulated disk itself: what it keeps, what it may lose, and that it fails as planned. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/storage/disk.h"
#include "tests/storage/latch.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 200, BLOCK = 4096 };

static bool
holds(const struct medium *m, char letter)
{
	char got[BLOCK], want[BLOCK];

	memset(want, letter, sizeof(want));
	return medium_read(m, got, sizeof(got), 0) == sizeof(got) &&
	       memcmp(got, want, sizeof(got)) == 0;
}

static void
put(struct medium *m, char letter, size_t at)
{
	char block[BLOCK];

	memset(block, letter, sizeof(block));
	ck_assert(medium_write(m, block, sizeof(block), at));
}

START_TEST(synced_bytes_survive_every_cut)
{
	for (int loss = 0; loss < MEDIUM_LOSSES; loss++) {
		struct medium m = {.first = NULL};
		struct dice d = {1};

		put(&m, 'a', 0);
		medium_sync(&m);
		medium_cut(&m, (enum medium_loss)loss, &d);
		ck_assert(holds(&m, 'a'));
		medium_free(&m);
	}
}
END_TEST

/* Of what waits, some of every kind is lost and some is kept: sectors whole, never mixed. */
START_TEST(unsynced_bytes_are_kept_lost_and_torn)
{
	unsigned kept = 0, lost = 0, torn = 0, mixed = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct medium m = {.first = NULL};
		struct dice d = {seed};
		char got[BLOCK];

		put(&m, 'a', 0);
		medium_sync(&m);
		put(&m, 'b', 0);
		medium_cut(&m, (enum medium_loss)(seed % MEDIUM_LOSSES), &d);
		ck_assert_uint_eq(medium_read(&m, got, sizeof(got), 0), sizeof(got));
		for (size_t i = 0; i < sizeof(got); i++)
			mixed += got[i] != got[i - i % MEDIUM_SECTOR];
		kept += holds(&m, 'b');
		lost += holds(&m, 'a');
		torn += !holds(&m, 'a') && !holds(&m, 'b');
		medium_free(&m);
	}
	ck_assert_uint_eq(mixed, 0);
	ck_assert_uint_gt(kept, 0);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_gt(torn, 0);
}
END_TEST

/* What a failed sync lost is read on, and no later sync brings it back. */
START_TEST(failed_sync_loses_silently)
{
	unsigned lost = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct medium m = {.first = NULL};
		struct dice d = {seed};

		put(&m, 'a', 0);
		medium_sync(&m);
		put(&m, 'b', 0);
		medium_sync_fails(&m, &d);
		ck_assert(holds(&m, 'b'));
		medium_sync(&m);
		medium_cut(&m, MEDIUM_KEEPS, &d);
		lost += holds(&m, 'a');
		medium_free(&m);
	}
	ck_assert_uint_gt(lost, ROUNDS / 4);
}
END_TEST

START_TEST(file_beyond_its_limit_is_a_full_disk)
{
	struct medium m = {.first = NULL};

	ck_assert(medium_write(&m, "x", 1, 0));
	ck_assert(!medium_write(&m, "xx", 2, MEDIUM_MAX - 1));
	ck_assert(!medium_write(&m, "x", 1, SIZE_MAX));
	ck_assert_uint_eq(m.now.len, 1);
	medium_free(&m);
}
END_TEST

/* SQLite's protocol: many readers, one who prepares to write, who then waits for the readers. */
START_TEST(file_locks_exclude_as_sqlite_wants)
{
	struct latch l = {.holders = NULL};
	struct latch_holder a, b;

	latch_join(&l, &a);
	latch_join(&l, &b);
	ck_assert_int_eq(latch_lock(&l, &a, SQLITE_LOCK_SHARED), SQLITE_OK);
	ck_assert_int_eq(latch_lock(&l, &b, SQLITE_LOCK_SHARED), SQLITE_OK);
	ck_assert_int_eq(latch_lock(&l, &a, SQLITE_LOCK_RESERVED), SQLITE_OK);
	ck_assert(latch_is_reserved(&l));
	ck_assert_int_eq(latch_lock(&l, &b, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
	ck_assert_int_eq(latch_lock(&l, &a, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
	latch_unlock(&b, SQLITE_LOCK_NONE);
	ck_assert_int_eq(latch_lock(&l, &b, SQLITE_LOCK_SHARED), SQLITE_BUSY);
	ck_assert_int_eq(latch_lock(&l, &a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
	latch_leave(&l, &a);
	ck_assert_int_eq(latch_lock(&l, &b, SQLITE_LOCK_SHARED), SQLITE_OK);
	latch_leave(&l, &b);
}
END_TEST

START_TEST(index_latches_exclude_and_its_memory_goes_with_the_last_user)
{
	struct latch l = {.holders = NULL};
	struct latch_holder a, b;
	void volatile *first, *second;

	latch_join(&l, &a);
	latch_join(&l, &b);
	ck_assert_int_eq(latch_map(&l, &a, 0, BLOCK, false, &first), SQLITE_OK);
	ck_assert_ptr_null((void *)(uintptr_t)first);
	ck_assert_int_eq(latch_map(&l, &a, 0, BLOCK, true, &first), SQLITE_OK);
	ck_assert_int_eq(latch_map(&l, &b, 0, BLOCK, false, &second), SQLITE_OK);
	ck_assert(first != NULL && first == second);
	ck_assert_int_eq(
	        latch_map(&l, &a, LATCH_REGIONS_MAX, BLOCK, true, &first), SQLITE_IOERR_SHMSIZE);
	ck_assert_int_eq(latch_shm(&l, &a, 3, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED), SQLITE_OK);
	ck_assert_int_eq(latch_shm(&l, &b, 3, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED), SQLITE_OK);
	ck_assert_int_eq(
	        latch_shm(&l, &b, 2, 2, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_BUSY);
	ck_assert_int_eq(latch_shm(&l, &a, 3, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED), SQLITE_OK);
	ck_assert_int_eq(
	        latch_shm(&l, &b, 2, 2, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
	ck_assert_int_eq(latch_shm(&l, &a, 3, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED), SQLITE_BUSY);
	latch_leave(&l, &b);
	ck_assert_ptr_nonnull(l.regions[0]);
	latch_leave(&l, &a);
	ck_assert_ptr_null(l.regions[0]);
}
END_TEST

static sqlite3 *
open_database(void)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(
	        sqlite3_open_v2("/disk.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
	        SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
	                         "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
	                         "CREATE TABLE IF NOT EXISTS t (x)",
	                         NULL, NULL, NULL),
	        SQLITE_OK);
	return db;
}

/* The plan's nth call fails, so often, with its code; and a dead machine does nothing any more. */
START_TEST(planned_calls_fail_and_a_dead_disk_stays_as_it_is)
{
	static const char insert[] = "INSERT INTO t VALUES (1)";
	const struct disk_plan plan = {
	        .fault = {.calls = DISK_BIT(DISK_SYNC), .first = 2, .count = 1}
        };
	sqlite3 *db;
	size_t before, after;

	disk_mount();
	disk_format();
	db = open_database();
	disk_plan(&plan);
	ck_assert_int_eq(sqlite3_exec(db, insert, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, insert, NULL, NULL, NULL), SQLITE_IOERR);
	ck_assert_int_eq(sqlite3_extended_errcode(db), SQLITE_IOERR_FSYNC);
	ck_assert_int_eq(sqlite3_exec(db, insert, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_uint_eq(disk_tally().failed_syncs, 1);
	disk_die();
	free(disk_take("/disk.db-wal", &before));
	ck_assert_int_ne(sqlite3_exec(db, insert, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	free(disk_take("/disk.db-wal", &after));
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_eq(before, after);
	disk_format();
}
END_TEST

/* A new file's name is lost with the power unless its folder was synced; SQLite's log is. */
START_TEST(name_lasts_once_its_folder_was_synced)
{
	sqlite3 *db;
	size_t len;
	void *log;

	disk_mount();
	disk_format();
	db = open_database();
	disk_die();
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	disk_power_cut(MEDIUM_LOSES);
	log = disk_take("/disk.db-wal", &len);
	ck_assert_ptr_nonnull(log);
	ck_assert_uint_gt(len, 0);
	free(log);
	disk_format();
	ck_assert_ptr_null(disk_take("/disk.db-wal", &len));
}
END_TEST

Suite *
storage_disk_suite(void)
{
	Suite *s = suite_create("storage disk");
	TCase *tc = tcase_create("disk");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, synced_bytes_survive_every_cut);
	tcase_add_test(tc, unsynced_bytes_are_kept_lost_and_torn);
	tcase_add_test(tc, failed_sync_loses_silently);
	tcase_add_test(tc, file_beyond_its_limit_is_a_full_disk);
	tcase_add_test(tc, file_locks_exclude_as_sqlite_wants);
	tcase_add_test(tc, index_latches_exclude_and_its_memory_goes_with_the_last_user);
	tcase_add_test(tc, planned_calls_fail_and_a_dead_disk_stays_as_it_is);
	tcase_add_test(tc, name_lasts_once_its_folder_was_synced);
	suite_add_tcase(s, tc);
	return s;
}
