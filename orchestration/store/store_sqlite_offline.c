/*
 * Migrating, checking and copying a database from the command line.
 *
 * The check looks at the file (SQLite's own integrity check) and at what the engine promises: I3,
 * every task's transitions are numbered without gaps, each begins where the one before ended, along
 * legal edges, with one final state at most; the sums in a task's row are the sums of its steps; a
 * step waits for as many parents as are unfinished; nothing runs without a session.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "orchestration/store/plan.h"
#include "orchestration/store/store_sqlite.h"

enum { FINDINGS_MAX = 20 };

static const struct {
	const char *name, *sql;
} promises[] = {
#define PROMISE(name, sql) {name, sql},
#include "orchestration/store/promise.def"
#undef PROMISE
};

static struct store_settings
settings_for(const char *url)
{
	struct store_settings s = store_settings_default();

	s.url = url;
	return s;
}

static bool
migrate(const char *url, struct buf *report, struct err *e)
{
	AUTO(backend) struct backend *b = NULL;
	struct store_settings s = settings_for(url);

	return sqlite_open_reporting(&s, BACKEND_WRITER, report, &b, e);
}

/* Up to FINDINGS_MAX rows of a query, told as "promise: task 7". */
static bool
look_for(struct backend *b, const char *promise, const char *sql, struct buf *report, bool *sound,
        struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(b->db, sql, -1, &s, NULL);
	int found = 0;

	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		*sound = false;
		if (found++ < FINDINGS_MAX)
			buf_format(report, "broken: %s: %s\n", promise,
			        (const char *)sqlite3_column_text(s, 0));
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(s);
	return rc == SQLITE_DONE ? true : sqlite_fail(b, rc, promise, e);
}

static bool
check_file(struct backend *b, struct buf *report, bool *sound, struct err *e)
{
	return look_for(b, "the file",
	               "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check "
	               "<> 'ok'",
	               report, sound, e) &&
	       look_for(b, "references", "SELECT \"table\" FROM pragma_foreign_key_check", report,
	               sound, e);
}

static bool
check_edges(struct backend *b, struct buf *report, bool *sound, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(b->db,
	        "SELECT DISTINCT step IS NOT NULL, from_state, to_state FROM events", -1, &s, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		int from = sqlite3_column_int(s, 1), to = sqlite3_column_int(s, 2);
		bool of_step = sqlite3_column_int(s, 0) != 0;

		rc = SQLITE_OK;
		if (of_step ? step_edge_is_legal((enum step_state)from, (enum step_state)to)
		            : task_edge_is_legal((enum task_state)from, (enum task_state)to))
			continue;
		*sound = false;
		buf_format(report, "broken: a %s went from state %d to %d\n",
		        of_step ? "step" : "task", from, to);
	}
	(void)sqlite3_finalize(s);
	return rc == SQLITE_DONE ? true : sqlite_fail(b, rc, "transitions", e);
}

struct graph_check {
	struct backend *b;
	const struct backend_ops *ops;
	struct plans *plans;
	struct buf *report;
	enum step_state states[TEMPLATE_STEPS_MAX + 24];
	int unmet[TEMPLATE_STEPS_MAX + 24];
	bool *sound;
};

static bool
note_step(const struct step_row *row, const struct step_output *out, void *arg, struct err *e)
{
	struct graph_check *g = arg;
	size_t i = (size_t)(row->id & STEP_INDEX_MASK);

	(void)out;
	(void)e;
	g->states[i] = row->facts.state;
	g->unmet[i] = row->facts.unmet;
	return true;
}

/* A pending step waits for exactly its unfinished parents. */
static bool
check_task(struct graph_check *g, int64_t task, int64_t template_id, struct err *e)
{
	int64_t first = task << STEP_INDEX_BITS;
	struct plan *plan;

	if (!plans_by_id(g->plans, template_id, &plan, e) ||
	        !g->ops->steps_each(g->b, first, first | STEP_INDEX_MASK, false, note_step, g, e))
		return false;
	if (plan == NULL) {
		*g->sound = false;
		buf_format(g->report, "broken: task %lld has no template\n", (long long)task);
		return true;
	}
	for (size_t i = 0; i < plan->t->step_count; i++) {
		const struct template_step *s = &plan->t->steps[i];
		int unmet = 0;

		for (size_t k = 0; k < s->parent_count; k++)
			unmet += !step_state_satisfies(g->states[s->parents[k]]);
		if (unmet == g->unmet[i])
			continue;
		*g->sound = false;
		buf_format(g->report, "broken: task %lld, step %s waits for %d parents, not %d\n",
		        (long long)task, s->name, g->unmet[i], unmet);
	}
	return true;
}

static bool
check_graphs(struct backend *b, const struct backend_ops *ops, struct buf *report, bool *sound,
        struct err *e)
{
	AUTO(plans) struct plans *plans = NULL;
	struct graph_check g = {.b = b, .ops = ops, .report = report, .sound = sound};
	sqlite3_stmt *s = NULL;
	bool fine;
	int rc;

	if (!plans_new(ops, b, false, &plans, e))
		return false;
	g.plans = plans;
	rc = sqlite3_prepare_v2(b->db, "SELECT id, template FROM tasks", -1, &s, NULL);
	fine = rc == SQLITE_OK;
	while (fine && (rc = sqlite3_step(s)) == SQLITE_ROW)
		fine = check_task(&g, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), e);
	(void)sqlite3_finalize(s);
	return rc == SQLITE_DONE || (rc == SQLITE_ROW && !fine) ? fine
	                                                        : sqlite_fail(b, rc, "graphs", e);
}

/* The stored totals against a count. */
static bool
check_totals(struct backend *b, const struct backend_ops *ops, struct buf *report, bool *sound,
        struct err *e)
{
	struct totals t;
	char sql[128];
	int64_t n;

	if (!ops->totals_load(b, &t, e))
		return false;
	for (int kind = 0; kind < 2; kind++) {
		const int64_t *counts = kind == 0 ? t.tasks : t.steps;
		int end = kind == 0 ? (int)TASK_STATE_END : (int)STEP_STATE_END;

		for (int state = 1; state < end; state++) {
			(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE state = %d",
			        kind == 0 ? "tasks" : "steps", state);
			if (!sqlite_number(b, sql, &n, e))
				return false;
			if (n == counts[state])
				continue;
			*sound = false;
			buf_format(report, "broken: %lld %s are in state %d, the totals say %lld\n",
			        (long long)n, kind == 0 ? "tasks" : "steps", state,
			        (long long)counts[state]);
		}
	}
	return true;
}

static bool
check_all(struct backend *b, const struct backend_ops *ops, struct buf *report, bool *sound,
        struct err *e)
{
	if (!check_file(b, report, sound, e))
		return false;
	for (size_t i = 0; i < COUNT(promises); i++)
		if (!look_for(b, promises[i].name, promises[i].sql, report, sound, e))
			return false;
	return check_edges(b, report, sound, e) && check_graphs(b, ops, report, sound, e) &&
	       check_totals(b, ops, report, sound, e);
}

static bool
check(const char *url, struct buf *report, bool *sound, struct err *e)
{
	AUTO(backend) struct backend *b = NULL;
	struct backend_ops ops;
	struct store_settings s = settings_for(url);
	bool fine;

	if (!backend_for(url, &ops))
		return err_set(e, ERR_FORMAT, "%s: no SQLite store", url);
	if (!sqlite_open(&s, BACKEND_READER, &b, e))
		return false;
	*sound = true;
	if (!ops.begin(b, e))
		return false;
	fine = check_all(b, &ops, report, sound, e);
	ops.rollback(b);
	return fine;
}

/* The copy is ours alone from its first byte, and never replaces a file. */
static bool
make_copy_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "%s: %s", path,
		        strerror(errno));
	(void)close(fd);
	return true;
}

static bool
copy_into(struct backend *b, sqlite3 *to, const char *path, struct err *e)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", b->db, "main");
	int rc = SQLITE_NOMEM;

	if (copy != NULL) {
		rc = sqlite3_backup_step(copy, -1);
		if (rc == SQLITE_DONE)
			rc = sqlite3_backup_finish(copy);
		else
			(void)sqlite3_backup_finish(copy);
	}
	return rc == SQLITE_OK ? true : sqlite_fail(b, rc, path, e);
}

static bool
backup(const char *url, const char *to_path, struct err *e)
{
	AUTO(backend) struct backend *b = NULL;
	struct store_settings s = settings_for(url);
	sqlite3 *to = NULL;
	bool fine;
	int rc;

	if (!sqlite_open(&s, BACKEND_READER, &b, e) || !make_copy_file(to_path, e))
		return false;
	rc = sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	fine = rc == SQLITE_OK ? copy_into(b, to, to_path, e) : sqlite_fail(b, rc, to_path, e);
	(void)sqlite3_close(to);
	return fine;
}

void
sqlite_offline_ops(struct backend_ops *ops)
{
	ops->migrate = migrate;
	ops->check = check;
	ops->backup = backup;
}
