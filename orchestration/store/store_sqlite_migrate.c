/*
 * Schema versions. migrations/NNNN_name.sql are embedded by the Makefile, applied in order in one
 * transaction, and remembered with their SHA-256: a database whose past differs from this
 * program's is refused.
 *
 * A migration says in its first line which program may still use the database afterwards:
 * min_reader and min_writer are migration numbers. A program whose newest migration is below that
 * refuses to start (ST8), one that is not may go on although it does not know the newest tables.
 */
#include <stdio.h>
#include <string.h>

#include "orchestration/store/store_sqlite.h"
#include "shared/base/clock.h"
#include "shared/security/digest.h"

struct migration {
	int number, min_reader, min_writer;
	const char *name, *sql;
};

/* A migration is longer than the 4,095 bytes every compiler must take; ours take more. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const struct migration migrations[] = {
#define MIGRATION(number, name, min_reader, min_writer, sql)                                       \
	{number, min_reader, min_writer, name, sql},
#include "orchestration/store/migrations.def"
#undef MIGRATION
};
#pragma GCC diagnostic pop

static const char own_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                "number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                "checksum BLOB NOT NULL, min_reader INTEGER NOT NULL, "
                                "min_writer INTEGER NOT NULL, applied_at INTEGER NOT NULL) STRICT";

static int
newest(void)
{
	return migrations[COUNT(migrations) - 1].number;
}

static const struct migration *
find(int64_t number)
{
	for (size_t i = 0; i < COUNT(migrations); i++)
		if (migrations[i].number == number)
			return &migrations[i];
	return NULL;
}

/* One row of schema_migrations against what this program knows. */
static bool
compare(const struct backend *b, sqlite3_stmt *s, struct err *e)
{
	int64_t number = sqlite3_column_int64(s, 0);
	int64_t least = sqlite3_column_int64(s, b->role == BACKEND_WRITER ? 3 : 2);
	const struct migration *m = find(number);
	unsigned char sum[DIGEST_BYTES];

	if (m == NULL)
		return least <= newest() ? true
		                         : err_set(e, ERR_CONFLICT,
		                                   "the database has schema %lld, which needs a "
		                                   "newer program",
		                                   (long long)number);
	if (!digest_of(m->sql, strlen(m->sql), sum))
		return err_set(e, ERR_CRYPTO, "SHA-256 failed");
	if (sqlite3_column_bytes(s, 1) != DIGEST_BYTES ||
	        memcmp(sqlite3_column_blob(s, 1), sum, DIGEST_BYTES) != 0)
		return err_set(e, ERR_CONFLICT,
		        "migration %s was applied with another content than this program has",
		        m->name);
	return true;
}

static bool
compare_all(struct backend *b, struct err *e)
{
	sqlite3_stmt *s = NULL;
	bool fine = true;
	int rc = sqlite3_prepare_v2(b->db,
	        "SELECT number, checksum, min_reader, min_writer FROM schema_migrations", -1, &s,
	        NULL);

	while (rc == SQLITE_OK && fine && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		fine = compare(b, s, e);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(s);
	if (fine && rc != SQLITE_DONE)
		return sqlite_fail(b, rc, "reading the schema's history", e);
	return fine;
}

bool
sqlite_schema_check(struct backend *b, bool *fresh, struct err *e)
{
	int64_t id = 0, tables = 0;

	if (!sqlite_number(b, "PRAGMA application_id", &id, e) ||
	        !sqlite_number(b, "SELECT count(*) FROM sqlite_schema", &tables, e))
		return false;
	*fresh = id == 0 && tables == 0;
	if (*fresh && b->role == BACKEND_WRITER)
		return true;
	if (id != SQLITE_FILE_ID)
		return err_set(
		        e, ERR_CONFLICT, "the file holds something else than Tasker's store");
	return compare_all(b, e);
}

static bool
record(struct backend *b, const struct migration *m, struct err *e)
{
	unsigned char sum[DIGEST_BYTES];
	sqlite3_stmt *s = NULL;
	int rc;

	if (!digest_of(m->sql, strlen(m->sql), sum))
		return err_set(e, ERR_CRYPTO, "SHA-256 failed");
	rc = sqlite3_prepare_v2(
	        b->db, "INSERT INTO schema_migrations VALUES (?, ?, ?, ?, ?, ?)", -1, &s, NULL);
	if (rc == SQLITE_OK) {
		(void)sqlite3_bind_int(s, 1, m->number);
		(void)sqlite3_bind_text(s, 2, m->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_blob(s, 3, sum, DIGEST_BYTES, SQLITE_STATIC);
		(void)sqlite3_bind_int(s, 4, m->min_reader);
		(void)sqlite3_bind_int(s, 5, m->min_writer);
		(void)sqlite3_bind_int64(s, 6, clock_wall_us());
		rc = sqlite3_step(s);
	}
	(void)sqlite3_finalize(s);
	return rc == SQLITE_DONE ? true : sqlite_fail(b, rc, m->name, e);
}

static bool
apply(struct backend *b, const struct migration *m, struct buf *report, struct err *e)
{
	if (!sqlite_exec(b, m->sql, e) || !record(b, m, e))
		return err_while(e, "migration %s", m->name);
	if (report != NULL)
		buf_format(report, "applied %s\n", m->name);
	return true;
}

static bool
apply_missing(struct backend *b, struct buf *report, struct err *e)
{
	char mark[64];

	(void)snprintf(mark, sizeof(mark), "PRAGMA application_id = %d", SQLITE_FILE_ID);
	if (!sqlite_exec(b, mark, e) || !sqlite_exec(b, own_table, e))
		return false;
	for (size_t i = 0; i < COUNT(migrations); i++) {
		char asked[96];
		int64_t there = 0;

		(void)snprintf(asked, sizeof(asked),
		        "SELECT count(*) FROM schema_migrations WHERE number = %d",
		        migrations[i].number);
		if (!sqlite_number(b, asked, &there, e) ||
		        (there == 0 && !apply(b, &migrations[i], report, e)))
			return false;
	}
	return true;
}

bool
sqlite_schema_migrate(struct backend *b, struct buf *report, struct err *e)
{
	struct err ignored = {0};

	if (!sqlite_exec(b, "BEGIN IMMEDIATE", e))
		return false;
	if (apply_missing(b, report, e) && sqlite_exec(b, "COMMIT", e))
		return true;
	if (sqlite3_get_autocommit(b->db) == 0 && !sqlite_exec(b, "ROLLBACK", &ignored))
		return err_while(e, "and it could not be rolled back");
	return false;
}
