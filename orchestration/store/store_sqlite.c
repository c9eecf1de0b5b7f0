#include "orchestration/store/store_sqlite.h"

#include <limits.h>
#include <string.h>

#include "shared/base/clock.h"

static const struct {
	const char *name, *sql;
	bool writes;
} statements[SQL__COUNT] = {
#define STATEMENT(name, writes, sql) {#name, sql, writes},
#include "orchestration/store/store_sqlite.def"
#undef STATEMENT
};

static enum err_code
code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return ERR_IO;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
		return ERR_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_FORMAT;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	default:
		return ERR_INTERNAL;
	}
}

bool
sqlite_fail(struct backend *b, int rc, const char *doing, struct err *e)
{
	/* ST5: what an fsync did not confirm may be gone, and a later success would not tell. */
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		b->fatal = true;
	if (b->open && sqlite3_get_autocommit(b->db) != 0)
		b->open = false;
	return err_set(e, code_of(rc), "%s: %s", doing, sqlite3_errstr(rc));
}

struct query
query_on(struct backend *b, enum statement which)
{
	struct query q = {.b = b, .which = which};

	if (b->statements[which] == NULL)
		q.rc = sqlite3_prepare_v3(b->db, statements[which].sql, -1,
		        SQLITE_PREPARE_PERSISTENT, &b->statements[which], NULL);
	q.s = b->statements[which];
	if (q.rc == SQLITE_OK && statements[which].writes && b->fault != NULL &&
	        b->fault(b->fault_arg, statements[which].name))
		q.rc = SQLITE_FULL;
	return q;
}

static void
note(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void
query_int(struct query *q, int64_t n)
{
	note(q, sqlite3_bind_int64(q->s, ++q->bound, n));
}

void
query_int_or_null(struct query *q, int64_t n)
{
	if (n != 0)
		query_int(q, n);
	else
		note(q, sqlite3_bind_null(q->s, ++q->bound));
}

void
query_text(struct query *q, const char *text)
{
	query_json(q, (struct store_json){text, text != NULL ? strlen(text) : 0});
}

void
query_json(struct query *q, struct store_json json)
{
	if (json.text == NULL)
		note(q, sqlite3_bind_null(q->s, ++q->bound));
	else
		note(q, sqlite3_bind_text64(
		                q->s, ++q->bound, json.text, json.len, SQLITE_STATIC, SQLITE_UTF8));
}

void
query_blob(struct query *q, const void *bytes, size_t len)
{
	if (bytes == NULL)
		note(q, sqlite3_bind_null(q->s, ++q->bound));
	else
		note(q, sqlite3_bind_blob64(q->s, ++q->bound, bytes, len, SQLITE_STATIC));
}

void
query_end(struct query *q)
{
	if (q->s != NULL)
		(void)sqlite3_reset(q->s); /* repeats the error of the step, which was looked at */
}

/* The transaction must still be there: without it a later statement would commit on its own. */
static bool
still_open(struct query *q, struct err *e)
{
	if (!q->b->open || sqlite3_get_autocommit(q->b->db) == 0)
		return true;
	q->b->open = false;
	return err_set(e, ERR_IO, "%s: the transaction ended by itself", statements[q->which].name);
}

bool
query_run(struct query *q, struct err *e)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_step(q->s);
	query_end(q);
	if (q->rc != SQLITE_DONE)
		return sqlite_fail(q->b, q->rc, statements[q->which].name, e);
	return q->which == SQL_COMMIT || still_open(q, e);
}

bool
query_next(struct query *q, bool *row, struct err *e)
{
	if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW)
		q->rc = sqlite3_step(q->s);
	q->read = 0;
	q->odd = false;
	*row = q->rc == SQLITE_ROW;
	if (*row)
		return true;
	query_end(q);
	if (q->rc != SQLITE_DONE)
		return sqlite_fail(q->b, q->rc, statements[q->which].name, e);
	return still_open(q, e);
}

/* The next column's number; a value of another type makes the row odd. */
static int
next_column(struct query *q, int type)
{
	int at = q->read++;
	int is = sqlite3_column_type(q->s, at);

	q->odd = q->odd || (is != type && is != SQLITE_NULL);
	return at;
}

int64_t
column_int(struct query *q)
{
	return sqlite3_column_int64(q->s, next_column(q, SQLITE_INTEGER));
}

int64_t
column_within(struct query *q, int64_t least, int64_t most)
{
	int64_t n = column_int(q);

	if (n >= least && n <= most)
		return n;
	q->odd = true;
	return least;
}

int
column_count(struct query *q)
{
	return (int)column_within(q, 0, COUNT_MOST);
}

void
column_bytes(struct query *q, unsigned char *out, size_t len)
{
	int at = next_column(q, SQLITE_BLOB);
	const void *bytes = sqlite3_column_blob(q->s, at);

	if (bytes != NULL && (size_t)sqlite3_column_bytes(q->s, at) == len)
		memcpy(out, bytes, len);
	else
		q->odd = true;
}

const char *
column_text(struct query *q)
{
	struct store_json text = column_json(q);

	if (text.text != NULL && strlen(text.text) != text.len)
		q->odd = true;
	return text.text;
}

struct store_json
column_json(struct query *q)
{
	int at = next_column(q, SQLITE_TEXT);
	const char *text = (const char *)sqlite3_column_text(q->s, at);

	return (struct store_json){text, text != NULL ? (size_t)sqlite3_column_bytes(q->s, at) : 0};
}

bool
column_uuid(struct query *q, struct uuid *out)
{
	if (sqlite3_column_type(q->s, q->read) == SQLITE_NULL) {
		q->read++;
		return false;
	}
	column_bytes(q, out->bytes, sizeof(out->bytes));
	return true;
}

bool
query_sound(struct query *q, struct err *e)
{
	if (!q->odd)
		return true;
	query_end(q);
	return err_set(e, ERR_FORMAT, "%s: a row holds what no store writes (see db check)",
	        statements[q->which].name);
}

bool
sqlite_exec(struct backend *b, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(b->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? true : sqlite_fail(b, rc, sql, e);
}

bool
sqlite_number(struct backend *b, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(b->db, sql, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		*out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? true : sqlite_fail(b, rc, sql, e);
}
