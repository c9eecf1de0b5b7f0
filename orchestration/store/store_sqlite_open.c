/*
 * Opening: who may have the file, with which permissions, and how hard SQLite is set.
 *
 * The file, its WAL and its index are 0600 (the last two inherit the first's mode), and one writer
 * holds <file>.lock for its life, so a second daemon is refused instead of queueing on SQLite's
 * locks. A file that is not ours, or that a newer program wrote in a way this one must not touch,
 * is refused before anything in it is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orchestration/store/store_sqlite.h"
#include "shared/base/clock.h"

enum { FILE_MODE = 0600, PROGRESS_STEPS = 4000, VALUE_MAX = 64 * 1024 * 1024 };

static const char scheme[] = "sqlite:";

/* What follows "sqlite:"; NULL and *e where that is no path. */
static const char *
path_of(const char *url, struct err *e)
{
	const char *path = url + strlen(scheme);

	if (strncmp(path, "//", 2) == 0)
		path += 2;
	if (path[0] == '\0' || (path != url + strlen(scheme) && path[0] != '/')) {
		(void)err_set(e, ERR_FORMAT,
		        "%s: expected sqlite:///absolute/path or sqlite:relative/path", url);
		return NULL;
	}
	return path;
}

static bool
take_lock(struct backend *b, const char *path, struct err *e)
{
	static const char suffix[] = ".lock";
	char name[4096];
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs == NULL)
		return err_set(e, ERR_INTERNAL, "SQLite has no file system");
	/* Beside the file itself: whoever comes by a link to it must meet the same lock. */
	if ((vfs->xFullPathname(vfs, path, (int)(sizeof(name) - sizeof(suffix)), name) & 0xff) !=
	        SQLITE_OK)
		return err_set(e, ERR_LIMIT, "%s: the path is too long, or leads nowhere", path);
	memcpy(name + strlen(name), suffix, sizeof(suffix));
	b->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (b->lock < 0)
		return err_set(
		        e, errno == EACCES ? ERR_DENIED : ERR_IO, "%s: %s", name, strerror(errno));
	if (flock(b->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO,
		        "%s: another program is using this store", path);
	return true;
}

/* Makes the file with its mode before SQLite would make it with the umask's. */
static bool
prepare_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	struct stat st;
	bool fine;

	if (fd < 0)
		return err_set(
		        e, errno == EACCES ? ERR_DENIED : ERR_IO, "%s: %s", path, strerror(errno));
	fine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       ((st.st_mode & 077) == 0 || fchmod(fd, FILE_MODE) == 0);
	(void)close(fd);
	return fine ? true
	            : err_set(e, ERR_DENIED, "%s: no plain file whose mode can be 0600", path);
}

static bool
harden(struct backend *b, struct err *e)
{
	static const struct {
		int option, value;
	} options[] = {
	        {SQLITE_DBCONFIG_DEFENSIVE,             1},
	        {SQLITE_DBCONFIG_TRUSTED_SCHEMA,        0},
	        {SQLITE_DBCONFIG_DQS_DML,               0},
	        {SQLITE_DBCONFIG_DQS_DDL,               0},
	        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	        {SQLITE_DBCONFIG_ENABLE_FKEY,           1},
	};

	for (size_t i = 0; i < COUNT(options); i++) {
		int now = -1;
		int rc = sqlite3_db_config(b->db, options[i].option, options[i].value, &now);

		if (rc != SQLITE_OK || now != options[i].value)
			return sqlite_fail(b, rc != SQLITE_OK ? rc : SQLITE_ERROR, "hardening", e);
	}
	(void)sqlite3_limit(b->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(b->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	/* 16 MiB of pages at most: enough that a batch never spills, taken only when needed. */
	return sqlite_exec(b,
	        "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = "
	        "-16384",
	        e);
}

/* Ends a read that outlives its deadline; never set on the writer. */
static int
past_deadline(void *arg)
{
	const struct backend *b = arg;

	return b->until_us != 0 && clock_mono_us() > b->until_us;
}

static int
note_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct backend *b = arg;

	(void)db;
	(void)name;
	b->wal_pages = pages;
	return SQLITE_OK;
}

/*
 * SQLite may leave a file in its old journal mode and call that a success. The store's promises
 * rest on the write-ahead log: a rollback journal, whose removal no sync makes last, would undo
 * answered work after a power cut.
 */
static bool
enter_wal(struct backend *b, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(b->db, "PRAGMA journal_mode = WAL", -1, &s, NULL);
	bool entered = false;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		entered = sqlite3_stricmp((const char *)sqlite3_column_text(s, 0), "wal") == 0;
	if (sqlite3_finalize(s) != SQLITE_OK || rc != SQLITE_ROW)
		return sqlite_fail(b, rc, "entering WAL mode", e);
	return entered ? true : err_set(e, ERR_IO, "the file cannot enter WAL mode");
}

static bool
set_up(struct backend *b, const struct store_settings *s, struct buf *report, struct err *e)
{
	bool fresh = false;

	if (sqlite3_busy_timeout(b->db, (int)s->busy_ms) != SQLITE_OK || !harden(b, e) ||
	        !sqlite_schema_check(b, &fresh, e))
		return false;
	if (b->role == BACKEND_WRITER) {
		if (!enter_wal(b, e) ||
		        !sqlite_exec(
		                b, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", e) ||
		        !sqlite_schema_migrate(b, report, e))
			return false;
		(void)sqlite3_wal_hook(b->db, note_wal, b);
		return true;
	}
	if (b->role == BACKEND_READER) {
		sqlite3_progress_handler(b->db, PROGRESS_STEPS, past_deadline, b);
		return sqlite_exec(b, "PRAGMA query_only = ON", e);
	}
	return sqlite_exec(b, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", e);
}

bool
sqlite_open_reporting(const struct store_settings *s, enum backend_role role, struct buf *report,
        OWNED struct backend **out, struct err *e)
{
	AUTO(backend) struct backend *b = calloc(1, sizeof(*b));
	const char *path = path_of(s->url, e);
	int rc;

	if (path == NULL)
		return false;
	if (b == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	/* Counting SQLite's memory takes one lock for all threads at each allocation, and nobody
	 * asks. Later than the first connection it is refused, and no longer needed. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	b->lock = -1;
	b->role = role;
	if (role == BACKEND_WRITER && (!take_lock(b, path, e) || !prepare_file(path, e) ||
	                                      !sqlite_wal_settle(b, path, e)))
		return false;
	rc = sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return sqlite_fail(b, rc, path, e);
	(void)sqlite3_extended_result_codes(b->db, 1);
	if (!set_up(b, s, report, e))
		return err_while(e, "opening %s", path);
	b->fault = s->fault;
	b->fault_arg = s->fault_arg;
	*out = TAKE(b);
	return true;
}

bool
sqlite_open(const struct store_settings *s, enum backend_role role, OWNED struct backend **out,
        struct err *e)
{
	return sqlite_open_reporting(s, role, NULL, out, e);
}

void
sqlite_close(struct backend *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < COUNT(b->statements); i++)
		(void)sqlite3_finalize(b->statements[i]);
	(void)sqlite3_close(b->db);
	if (b->lock >= 0)
		(void)close(b->lock);
	free(b);
}

static void
rollback(struct backend *b)
{
	struct err e = {0};

	b->open = b->open && sqlite3_get_autocommit(b->db) == 0 && !sqlite_exec(b, "ROLLBACK", &e);
}

static bool
begin(struct backend *b, struct err *e)
{
	struct query q = query_on(b, b->role == BACKEND_WRITER ? SQL_BEGIN_WRITE : SQL_BEGIN_READ);

	rollback(b); /* what a rollback that failed has left open */
	if (!query_run(&q, e))
		return false;
	b->open = true;
	b->changes = sqlite3_total_changes64(b->db);
	return true;
}

static bool
has_changes(const struct backend *b)
{
	return b->open && sqlite3_total_changes64(b->db) != b->changes;
}

static bool
commit(struct backend *b, struct err *e)
{
	struct query q = query_on(b, SQL_COMMIT);

	if (!b->open)
		return err_set(e, ERR_INTERNAL, "a commit without a transaction");
	if (!query_run(&q, e))
		return false;
	b->open = false;
	return true;
}

static bool
is_fatal(const struct backend *b)
{
	return b->fatal;
}

static bool
is_overdue(const struct backend *b, bool *urgent)
{
	*urgent = b->wal_pages >= SQLITE_WAL_HARD;
	return b->wal_pages >= SQLITE_WAL_SOFT;
}

/* PASSIVE: takes what it can without making anybody wait; finding it taken is fine. */
static bool
checkpoint(struct backend *b, struct err *e)
{
	int rc = sqlite3_wal_checkpoint_v2(b->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return true;
	return sqlite_fail(b, rc, "a checkpoint", e);
}

static void
limit_time(struct backend *b, int64_t until_us)
{
	b->until_us = until_us;
}

bool
backend_for(const char *url, struct backend_ops *out)
{
	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return false;
	*out = (struct backend_ops){
	        .scheme = scheme,
	        .open = sqlite_open,
	        .close = sqlite_close,
	        .begin = begin,
	        .commit = commit,
	        .has_changes = has_changes,
	        .rollback = rollback,
	        .is_fatal = is_fatal,
	        .is_overdue = is_overdue,
	        .checkpoint = checkpoint,
	        .limit_time = limit_time,
	};
	sqlite_task_ops(out);
	sqlite_step_ops(out);
	sqlite_event_ops(out);
	sqlite_template_ops(out);
	sqlite_worker_ops(out);
	sqlite_revocation_ops(out);
	sqlite_offline_ops(out);
	return true;
}
