/* The file: whose it is, who may open it, what a check finds in it (ST8 to ST12). */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orchestration/store/store_sqlite.h"
#include "tests/unit/orchestration/lab.h"

static struct lab lab;

static void
set_up(void)
{
	lab_open(&lab);
	lab_template(&lab, lab_yaml("diamond"));
	(void)lab_create(&lab, "diamond");
}

static void
tear_down(void)
{
	lab_close(&lab);
}

static void
close_store(void)
{
	store_close(lab.store);
	lab.store = NULL;
}

static void
run_sql(const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(lab.path, &db), SQLITE_OK);
	ck_assert_msg(
	        sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

static const char *const bad_urls[] = {"", "tasker.db", "mysql://x", "sqlite:", "sqlite://",
        "sqlite://relative", "sqlite:/nowhere/at/all/x.db", "postgresql://"};

START_TEST(a_bad_url_is_refused)
{
	struct store_settings s = store_settings_default();
	struct store *store = NULL;
	struct err e = {0};

	s.url = bad_urls[_i];
	ck_assert(!store_open(&s, &store, &e));
	ck_assert_ptr_null(store);
	ck_assert_str_ne(e.text, "");
}
END_TEST

/* ST8: each makes the file one that this program must not touch. */
static const struct {
	const char *what, *sql;
	enum err_code code;
} foreign[] = {
        {"a newer schema",
         "INSERT INTO schema_migrations VALUES (9999, '9999_x', zeroblob(32), 9999, 9999, "
                "0)",                                                                                           ERR_CONFLICT},
        {"another past",               "UPDATE schema_migrations SET checksum = zeroblob(32) WHERE number = 1",
         ERR_CONFLICT                                                                                                       },
        {"another application",        "PRAGMA application_id = 77",                                            ERR_CONFLICT},
        {"no application, but tables", "PRAGMA application_id = 0",                                             ERR_CONFLICT},
};

START_TEST(a_file_that_is_not_ours_is_refused_untouched)
{
	struct store *store = NULL;
	struct err e = {0};
	int64_t before;

	close_store();
	run_sql(foreign[_i].sql);
	before = lab_number(&lab, "SELECT count(*) FROM sqlite_schema");
	ck_assert_msg(!store_open(&lab.settings, &store, &e), "%s", foreign[_i].what);
	ck_assert_int_eq(e.code, foreign[_i].code);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM sqlite_schema"), before);
}
END_TEST

START_TEST(a_newer_schema_that_lets_older_writers_in_is_opened)
{
	close_store();
	run_sql("INSERT INTO schema_migrations VALUES (9999, '9999_x', zeroblob(32), 1, 1, 0)");
	lab_reopen(&lab);
	(void)lab_create(&lab, "diamond");
}
END_TEST

START_TEST(garbage_is_no_database)
{
	struct store *store = NULL;
	struct err e = {0};
	FILE *f;

	close_store();
	f = fopen(lab.path, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 1000; i++)
		(void)fputs("this is not a database ", f);
	(void)fclose(f);
	ck_assert(!store_open(&lab.settings, &store, &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

/* ST9 */
START_TEST(a_second_instance_is_refused)
{
	struct store *second = NULL;
	struct err e = {0};
	pid_t child;
	int status;

	ck_assert(!store_open(&lab.settings, &second, &e));
	ck_assert_int_eq(e.code, ERR_BUSY);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct err mine = {0};

		_exit(store_open(&lab.settings, &second, &mine) ? 1
		        : mine.code == ERR_BUSY                 ? 0
		                                                : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)lab_create(&lab, "diamond"); /* the first works on */
}
END_TEST

/* ST10: also when the umask and an earlier mode were generous. */
/* ST9: by whatever name it comes. */
START_TEST(a_second_instance_by_a_link_is_refused)
{
	struct store_settings settings = lab.settings;
	struct store *store = NULL;
	struct err e = {0};
	char link[128], url[160];

	(void)snprintf(link, sizeof(link), "%s/link", lab.folder);
	ck_assert_int_eq(symlink(lab.path, link), 0);
	(void)snprintf(url, sizeof(url), "sqlite://%s", link);
	settings.url = url;
	ck_assert(!store_open(&settings, &store, &e));
	ck_assert_int_eq(e.code, ERR_BUSY);
	(void)unlink(link);
}
END_TEST

START_TEST(every_file_is_the_owners_alone)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	mode_t old = umask(0);

	close_store();
	ck_assert_int_eq(chmod(lab.path, 0666), 0);
	lab_reopen(&lab);
	(void)lab_create(&lab, "diamond");
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		char name[128];
		struct stat st;

		(void)snprintf(name, sizeof(name), "%s%s", lab.path, suffixes[i]);
		ck_assert_msg(stat(name, &st) == 0, "%s", name);
		ck_assert_msg((st.st_mode & 0777) == 0600, "%s is %o", name, st.st_mode & 0777);
	}
	(void)umask(old);
}
END_TEST

START_TEST(a_link_in_the_locks_place_is_refused)
{
	struct store *store = NULL;
	struct err e = {0};
	char name[128];

	close_store();
	(void)snprintf(name, sizeof(name), "%s.lock", lab.path);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(symlink("/tmp/tasker-elsewhere", name), 0);
	ck_assert(!store_open(&lab.settings, &store, &e));
	ck_assert_int_ne(access("/tmp/tasker-elsewhere", F_OK), 0);
}
END_TEST

START_TEST(the_file_survives_a_power_cut_by_its_settings)
{
	ck_assert_int_eq(
	        lab_number(&lab,
	                "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"),
	        1);
	ck_assert_int_eq(lab_number(&lab, "PRAGMA application_id"), 0x5441534b);
}
END_TEST

START_TEST(migrating_twice_applies_nothing_the_second_time)
{
	struct buf first = BUF(KIB(4)), second = BUF(KIB(4));
	char url[160];
	struct err e = {0};

	(void)snprintf(url, sizeof(url), "sqlite://%s/fresh.db", lab.folder);
	ck_assert_msg(store_migrate(url, &first, &e), "%s", e.text);
	ck_assert_uint_gt(first.len, 0);
	ck_assert_msg(store_migrate(url, &second, &e), "%s", e.text);
	ck_assert_uint_eq(second.len, 0);
	ck_assert(!store_migrate(lab.url, &second, &e)); /* the daemon has it */
	ck_assert_int_eq(e.code, ERR_BUSY);
	buf_free(&first);
	buf_free(&second);
}
END_TEST

/* Each breaks one promise; the check must say so. */
static const char *const damages[] = {
        "DELETE FROM events WHERE seq = 1",
        "INSERT INTO events SELECT pos + 1000, task, seq + 5, kind, step, from_state, to_state, "
        "attempt, session, actor, at FROM events LIMIT 1",
        "UPDATE tasks SET state = 9",
        "UPDATE tasks SET remaining = remaining - 1",
        "UPDATE tasks SET live = live + 1",
        "UPDATE steps SET unmet = unmet + 1",
        "UPDATE steps SET state = 3 WHERE id & 1023 = 0",
        "UPDATE steps SET state = 8, queue = NULL WHERE id & 1023 = 0",
        "UPDATE steps SET retry_at = 5",
        "UPDATE steps SET queue = 1",
        "DELETE FROM steps WHERE id & 1023 = 3",
        "UPDATE tasks SET completed_at = 5",
        "UPDATE totals SET tasks = zeroblob(8)",
        "UPDATE tasks SET template = 99",
        "INSERT INTO events (task, seq, kind, from_state, to_state, attempt, at) "
        "SELECT task, 2, 5, to_state, 1, 0, 0 FROM events",
};

START_TEST(a_check_finds_the_damage)
{
	struct buf report = BUF(KIB(64));
	struct err e = {0};
	bool sound = true;

	ck_assert(store_check(lab.url, &report, &sound, &e));
	ck_assert(sound);
	close_store();
	run_sql(damages[_i]);
	ck_assert_msg(store_check(lab.url, &report, &sound, &e), "%s", e.text);
	ck_assert_msg(!sound, "%s", damages[_i]);
	ck_assert_uint_gt(report.len, 0);
	buf_free(&report);
}
END_TEST

/* ST12: a flipped byte anywhere is found or harmless, never a crash and never other data. */
START_TEST(a_flipped_byte_is_found_or_harmless)
{
	struct stat st;
	int fd;

	close_store();
	run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
	ck_assert_int_eq(stat(lab.path, &st), 0);
	for (off_t at = 100; at < st.st_size; at += 997) {
		struct buf report = BUF(KIB(256));
		struct err e = {0};
		bool sound;
		char byte, flipped;

		fd = open(lab.path, O_RDWR);
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		flipped = (char)(byte ^ 0x41);
		ck_assert_int_eq(pwrite(fd, &flipped, 1, at), 1);
		(void)close(fd);
		if (!store_check(lab.url, &report, &sound, &e))
			ck_assert_str_ne(e.text, "");
		fd = open(lab.path, O_RDWR);
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		(void)close(fd);
		buf_free(&report);
	}
	lab_check(&lab);
}
END_TEST

START_TEST(a_backup_is_a_sound_store_of_its_own)
{
	char path[160], url[176];
	struct buf report = BUF(KIB(16));
	struct err e = {0};
	struct stat st;
	bool sound = false;
	struct uuid task = lab_create(&lab, "diamond");
	struct store_settings s = lab.settings;

	(void)snprintf(path, sizeof(path), "%s/copy.db", lab.folder);
	(void)snprintf(url, sizeof(url), "sqlite://%s", path);
	ck_assert_msg(store_backup(lab.url, path, &e), "%s", e.text); /* while the daemon runs */
	ck_assert(!store_backup(lab.url, path, &e));                  /* never over a file */
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert(store_check(url, &report, &sound, &e) && sound);
	close_store();
	s.url = url;
	ck_assert_msg(store_open(&s, &lab.store, &e), "%s", e.text);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_STEPS_IN_PROCESS);
	buf_free(&report);
}
END_TEST

/* The WAL is carried over by its own thread and begins anew: it does not grow with the work. */
START_TEST(the_wal_stays_bounded_under_load)
{
	char name[128];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s-wal", lab.path);
	for (int round = 0; round < 40; round++) {
		struct waiting w[100];

		for (size_t i = 0; i < COUNT(w); i++) {
			char context[64];

			(void)snprintf(context, sizeof(context), "{\"r\":%d,\"i\":%zu}", round, i);
			w[i] = lab_begin(&lab, lab_create_op("diamond", context));
		}
		for (size_t i = 0; i < COUNT(w); i++) {
			lab_await(&w[i]);
			ck_assert_int_eq(w[i].op->outcome, STORE_OK);
			store_op_free(w[i].op);
		}
	}
	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_int_lt(st.st_size, 48LL * 1024 * 1024);
}
END_TEST

/* A log that was left behind is written once more, by whatever name the file is opened. */
START_TEST(a_log_behind_a_link_is_settled_too)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char wal[128], link[128];
	struct backend none = {.db = NULL};
	struct err e = {0};
	struct stat st;
	int fd;

	close_store();
	(void)snprintf(wal, sizeof(wal), "%s-wal", lab.path);
	(void)snprintf(link, sizeof(link), "%s/link", lab.folder);
	fd = open(wal, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, "what was left", 13), 13);
	ck_assert_int_eq(futimens(fd, long_ago), 0);
	ck_assert_int_eq(symlink(lab.path, link), 0);
	ck_assert_msg(sqlite_wal_settle(&none, _i == 0 ? lab.path : link, &e), "%s", e.text);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_gt(st.st_mtim.tv_sec, 1);
	ck_assert_int_eq(st.st_size, 13);
	(void)close(fd);
	(void)unlink(wal);
	(void)unlink(link);
}
END_TEST

Suite *
store_file_suite(void)
{
	Suite *s = suite_create("store file");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_bad_url_is_refused, 0, COUNT(bad_urls));
	tcase_add_loop_test(tc, a_file_that_is_not_ours_is_refused_untouched, 0, COUNT(foreign));
	tcase_add_test(tc, a_newer_schema_that_lets_older_writers_in_is_opened);
	tcase_add_test(tc, garbage_is_no_database);
	tcase_add_test(tc, a_second_instance_is_refused);
	tcase_add_test(tc, a_second_instance_by_a_link_is_refused);
	tcase_add_test(tc, every_file_is_the_owners_alone);
	tcase_add_test(tc, a_link_in_the_locks_place_is_refused);
	tcase_add_test(tc, the_file_survives_a_power_cut_by_its_settings);
	tcase_add_test(tc, migrating_twice_applies_nothing_the_second_time);
	tcase_add_loop_test(tc, a_check_finds_the_damage, 0, COUNT(damages));
	tcase_add_test(tc, a_flipped_byte_is_found_or_harmless);
	tcase_add_test(tc, a_backup_is_a_sound_store_of_its_own);
	tcase_add_test(tc, the_wal_stays_bounded_under_load);
	tcase_add_loop_test(tc, a_log_behind_a_link_is_settled_too, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
