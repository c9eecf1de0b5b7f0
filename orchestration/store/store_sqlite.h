/*
 * One SQLite connection and its prepared statements; what the store_sqlite_*.c files share.
 *
 * Statements are the rows of store_sqlite.def, prepared on first use and kept. A struct query runs
 * one: bind in order, then query_run() for a change or query_next() row by row, then query_end().
 * After every statement of a transaction autocommit is looked at, since SQLite may have rolled back
 * by itself (disk full); the transaction then counts as ended.
 */
#ifndef ORCHESTRATION_STORE_STORE_SQLITE_H
#define ORCHESTRATION_STORE_STORE_SQLITE_H

#include <sqlite3.h>

#include "orchestration/store/backend.h"

enum {
	SQLITE_FILE_ID = 0x5441534b, /* PRAGMA application_id: "TASK" */
	SQLITE_WAL_SOFT = 1000,      /* pages in the WAL from which the checkpoint thread works */
	SQLITE_WAL_HARD = 8000,      /* from which the writer helps, so that the WAL starts anew */
	COUNT_MOST = 1 << 30,        /* of anything counted in a row; one more still fits an int */
};

enum statement {
#define STATEMENT(name, writes, sql) SQL_##name,
#include "orchestration/store/store_sqlite.def"
#undef STATEMENT
	SQL__COUNT
};

struct backend {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL__COUNT];
	bool (*fault)(void *arg, const char *statement);
	void *fault_arg;
	enum backend_role role;
	int lock; /* the instance lock's descriptor, -1 if this connection has none */
	int wal_pages;
	int64_t changes; /* of the connection when the transaction began */
	bool open;       /* a transaction is */
	bool fatal;
	int64_t until_us;
};

struct query {
	struct backend *b;
	sqlite3_stmt *s;
	enum statement which;
	int bound, read;
	int rc;   /* SQLITE_OK while all went well so far */
	bool odd; /* a column held what no store writes there */
};

struct query query_on(struct backend *b, enum statement which);
void query_int(struct query *q, int64_t n);
void query_int_or_null(struct query *q, int64_t n); /* 0: NULL */
void query_text(struct query *q, const char *text); /* NULL: NULL */
void query_json(struct query *q, struct store_json json);
void query_blob(struct query *q, const void *bytes, size_t len); /* NULL: NULL */

/* Runs a change to its end and resets it. */
MUST_CHECK bool query_run(struct query *q, struct err *e);
/* The next row; *row is false at the end. After a false return or the end, it is reset. */
MUST_CHECK bool query_next(struct query *q, bool *row, struct err *e);
void query_end(struct query *q);

/*
 * The next column of the current row. Texts live until the next step; NULL gives 0, NULL, len 0.
 * Files get damaged and edited: another type, a number out of its bounds, a text with a NUL in it
 * or a blob of another length makes the row odd, and query_sound() refuses it. Look before use.
 */
int64_t column_int(struct query *q);
int64_t column_within(struct query *q, int64_t least, int64_t most);
int column_count(struct query *q); /* of something: from 0 to what an int can grow from */
void column_bytes(struct query *q, unsigned char *out, size_t len); /* a blob of that length */
BORROWED const char *column_text(struct query *q);
struct store_json column_json(struct query *q);
bool column_uuid(struct query *q, struct uuid *out); /* false: NULL or no 16 bytes */
/* False: the row is odd, and the query is over. */
MUST_CHECK bool query_sound(struct query *q, struct err *e);

/* Turns a result code into a fault that names what was done; notes what it means for b. */
MUST_CHECK bool sqlite_fail(struct backend *b, int rc, const char *doing, struct err *e);

/* Text without parameters: PRAGMA, BEGIN. */
MUST_CHECK bool sqlite_exec(struct backend *b, const char *sql, struct err *e);
/* The single number a text without parameters yields; 0 if it yields nothing. */
MUST_CHECK bool sqlite_number(struct backend *b, const char *sql, int64_t *out, struct err *e);

/* Connections (store_sqlite_open.c). */
MUST_CHECK bool sqlite_open(const struct store_settings *s, enum backend_role role,
        OWNED struct backend **out, struct err *e);
/* The same; a writer tells report (may be NULL) which migrations it applied. */
MUST_CHECK bool sqlite_open_reporting(const struct store_settings *s, enum backend_role role,
        struct buf *report, OWNED struct backend **out, struct err *e);
void sqlite_close(struct backend *b);

/* Makes what a program before us wrote to the log last, before it is recovered
 * (store_sqlite_wal.c). */
MUST_CHECK bool sqlite_wal_settle(struct backend *b, const char *path, struct err *e);

/* Brings the schema up to date, or refuses one that is not ours (store_sqlite_migrate.c). */
MUST_CHECK bool sqlite_schema_check(struct backend *b, bool *fresh, struct err *e);
MUST_CHECK bool sqlite_schema_migrate(struct backend *b, struct buf *report, struct err *e);

/* The functions of struct backend_ops, by file: open, migrate, task, step, event, template,
 * worker, revocation, check. Their contracts are in backend.h. */
#define OPS_FILE(name) void sqlite_##name##_ops(struct backend_ops *ops);
OPS_FILE(task)
OPS_FILE(step)
OPS_FILE(event)
OPS_FILE(template)
OPS_FILE(worker)
OPS_FILE(revocation)
OPS_FILE(offline)
#undef OPS_FILE

AUTO_DEFINE(backend, struct backend, sqlite_close)

#endif
