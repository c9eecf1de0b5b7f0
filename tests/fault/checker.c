#include "tests/fault/checker.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/state.h"
#include "shared/base/uuid.h"

/* An attempt beyond this is a finding: nothing here crashes so often. */
enum { ATTEMPTS_MAX = 64 };

static const char tasks_sql[] = "SELECT t.id, t.uuid, t.state, p.name FROM tasks t "
                                "JOIN templates p ON p.id = t.template ORDER BY t.id";
static const char events_sql[] = "SELECT seq, kind, step, from_state, to_state, attempt, session "
                                 "FROM events WHERE task = ? ORDER BY seq, pos";
static const char steps_sql[] = "SELECT id & 1023, state, attempt, failures, lease_losses, result "
                                "FROM steps WHERE id BETWEEN ? AND ? ORDER BY id";
static const char sums_sql[] = "SELECT (SELECT count(*) FROM steps), (SELECT count(*) FROM events)";
static const char known_sql[] = "SELECT state FROM tasks WHERE uuid = ?";

/* What the events say about one step so far. */
struct track {
	enum step_state state;
	int attempt, completions, losses, failures;
	int64_t session;
	int accepted; /* the attempt whose result counts */
	bool given_back[ATTEMPTS_MAX + 1], failed[ATTEMPTS_MAX + 1];
};

struct event {
	int64_t seq, session;
	int kind, step, from, to, attempt;
};

struct judge {
	const struct evidence *evidence;
	struct findings *f;
	sqlite3 *db;
	sqlite3_stmt *tasks, *events, *steps, *known, *sums;
	size_t owned; /* executions that belong to a step */

	/* The task at hand. */
	int64_t id, seq;
	char uuid[UUID_TEXT], template[16];
	enum task_state state;
	struct track track[BOOK_STEPS];
};

PRINTF(3, 4)
static void
found(struct judge *j, enum invariant which, const char *fmt, ...)
{
	size_t len = strlen(j->f->text);
	va_list args;

	j->f->broken[which]++;
	if (len + 256 > FINDINGS_TEXT)
		return;
	len += (size_t)snprintf(
	        j->f->text + len, FINDINGS_TEXT - len, "I%d task %s: ", (int)which, j->uuid);
	va_start(args, fmt);
	len += (size_t)vsnprintf(j->f->text + len, FINDINGS_TEXT - len - 1, fmt, args);
	va_end(args);
	if (len < FINDINGS_TEXT - 1)
		memcpy(j->f->text + len, "\n", 2);
}

unsigned
checker_broken(const struct findings *f)
{
	unsigned all = 0;

	for (int i = 0; i < INVARIANT_END; i++)
		all += f->broken[i];
	return all;
}

/* ---- events: I3, I4 ---- */

static void
of_task(struct judge *j, const struct event *e)
{
	enum task_state from = (enum task_state)e->from, to = (enum task_state)e->to;

	if (from != j->state)
		found(j, I3, "event %lld leaves %s, but the task is %s", (long long)e->seq,
		        task_state_name(from), task_state_name(j->state));
	if (!task_edge_is_legal(from, to))
		found(j, I3, "event %lld goes from %s to %s", (long long)e->seq,
		        task_state_name(from), task_state_name(to));
	j->state = to;
}

/* A claim is the next attempt; the same one again is a late report of who had it. */
static void
started(struct judge *j, struct track *t, const struct event *e)
{
	if (e->attempt == t->attempt && e->session == t->session && e->attempt > 0)
		j->f->late++;
	else if (e->attempt != t->attempt + 1)
		found(j, I4, "event %lld starts attempt %d of session %lld after %d of %lld",
		        (long long)e->seq, e->attempt, (long long)e->session, t->attempt,
		        (long long)t->session);
	t->attempt = e->attempt;
	t->session = e->session;
}

static void
ended(struct judge *j, struct track *t, const struct event *e)
{
	if (e->attempt != t->attempt || e->session != t->session)
		found(j, I4, "event %lld: session %lld ended attempt %d; %lld held %d",
		        (long long)e->seq, (long long)e->session, e->attempt, (long long)t->session,
		        t->attempt);
	if (e->kind == EVENT_STEP_COMPLETED) {
		t->completions++;
		t->accepted = e->attempt;
		return;
	}
	if (e->attempt > 0 && e->attempt <= ATTEMPTS_MAX) {
		t->given_back[e->attempt] = true;
		t->failed[e->attempt] = e->kind == EVENT_STEP_RETRY_SCHEDULED;
	}
	t->failures += e->kind == EVENT_STEP_RETRY_SCHEDULED;
	j->f->failed += e->kind == EVENT_STEP_RETRY_SCHEDULED;
	t->losses += e->kind == EVENT_STEP_LOST;
	j->f->lost += e->kind == EVENT_STEP_LOST;
	j->f->released += e->kind == EVENT_STEP_RELEASED;
}

static void
of_step(struct judge *j, const struct event *e)
{
	enum step_state from = (enum step_state)e->from, to = (enum step_state)e->to;
	struct track *t;

	if (e->step < 0 || e->step >= BOOK_STEPS) {
		found(j, I3, "event %lld is of step %d", (long long)e->seq, e->step);
		return;
	}
	t = &j->track[e->step];
	if (from != t->state)
		found(j, I3, "event %lld leaves %s, but step %d is %s", (long long)e->seq,
		        step_state_name(from), e->step, step_state_name(t->state));
	if (!step_edge_is_legal(from, to))
		found(j, I3, "event %lld takes step %d from %s to %s", (long long)e->seq, e->step,
		        step_state_name(from), step_state_name(to));
	t->state = to;
	if (e->kind == EVENT_STEP_STARTED)
		started(j, t, e);
	else if (from == STEP_IN_PROGRESS && e->kind != EVENT_STEP_CANCELLED)
		ended(j, t, e);
}

static void
each_event(struct judge *j)
{
	(void)sqlite3_bind_int64(j->events, 1, j->id);
	while (sqlite3_step(j->events) == SQLITE_ROW) {
		const bool has_step = sqlite3_column_type(j->events, 2) != SQLITE_NULL;
		const struct event e = {.seq = sqlite3_column_int64(j->events, 0),
		        .kind = sqlite3_column_int(j->events, 1),
		        .step = has_step ? sqlite3_column_int(j->events, 2) : -1,
		        .from = sqlite3_column_int(j->events, 3),
		        .to = sqlite3_column_int(j->events, 4),
		        .attempt = sqlite3_column_int(j->events, 5),
		        .session = sqlite3_column_int64(j->events, 6)};

		j->f->events++;
		if (e.seq != ++j->seq)
			found(j, I3, "event %lld stands where %lld belongs", (long long)e.seq,
			        (long long)j->seq);
		j->seq = e.seq;
		if (event_kind_is_of_step((enum event_kind)e.kind))
			of_step(j, &e);
		else
			of_task(j, &e);
	}
	(void)sqlite3_reset(j->events);
}

/* ---- executions: I2 ---- */

/* The parents of step i of a template, as bits. */
static unsigned
parents_of(const struct judge *j, int i)
{
	static const unsigned diamond[BOOK_STEPS] = {0, 1U << 0, 1U << 0, 1U << 1 | 1U << 2};
	static const unsigned line[BOOK_STEPS] = {0, 1U << 0, 1U << 1, 1U << 2};

	return strcmp(j->template, "diamond") == 0 ? diamond[i] : line[i];
}

static const struct execution *
execution_of(const struct judge *j, int step, int attempt)
{
	size_t count;
	const struct execution *x = book_find(j->evidence->book, j->uuid, step, &count);

	for (size_t i = 0; i < count; i++)
		if (x[i].attempt == attempt)
			return &x[i];
	return NULL;
}

static void
check_order(struct judge *j, int step, const struct execution *first)
{
	for (int p = 0; p < BOOK_STEPS; p++) {
		const struct execution *parent;

		if ((parents_of(j, step) >> p & 1U) == 0)
			continue;
		parent = execution_of(j, p, j->track[p].accepted);
		if (parent == NULL || parent->ends == 0 || parent->end_us > first->begin_us)
			found(j, I2, "step %d began before its parent %d had ended", step, p);
	}
}

static void
check_attempt(struct judge *j, int step, const struct execution *x)
{
	const struct track *t = &j->track[step];
	const bool counts = x->attempt == t->accepted;

	j->f->executions++;
	if (x->begins != 1)
		found(j, I2, "attempt %d of step %d began %u times", x->attempt, step, x->begins);
	if (x->attempt < 1 || x->attempt > t->attempt || x->attempt > ATTEMPTS_MAX)
		found(j, I2, "attempt %d of step %d was executed and never claimed", x->attempt,
		        step);
	else if (!counts && !t->given_back[x->attempt])
		found(j, I2, "attempt %d of step %d came to nothing, and nobody wrote why",
		        x->attempt, step);
	else if (t->failed[x->attempt] && x->fails != 1)
		found(j, I2, "attempt %d of step %d failed, and its handler %u times", x->attempt,
		        step, x->fails);
	if (counts && x->ends != 1)
		found(j, I2, "attempt %d of step %d counts and ended %u times", x->attempt, step,
		        x->ends);
}

static void
check_executions(struct judge *j, int step, const char *result)
{
	size_t count;
	const struct execution *x = book_find(j->evidence->book, j->uuid, step, &count);
	const struct execution *counts = execution_of(j, step, j->track[step].accepted);
	char expected[64];

	j->owned += count;
	if (counts == NULL) {
		found(j, I2, "step %d is complete by attempt %d, which nobody executed", step,
		        j->track[step].accepted);
		return;
	}
	for (size_t i = 0; i < count; i++)
		check_attempt(j, step, &x[i]);
	(void)snprintf(expected, sizeof(expected), "{\"proof\":\"%s\"}", counts->proof);
	if (result == NULL || strcmp(result, expected) != 0)
		found(j, I2, "step %d has the result %.40s, not that of attempt %d", step,
		        result != NULL ? result : "null", counts->attempt);
	check_order(j, step, x);
}

/* Of a step that is not complete: what began had been claimed, and began once. */
static void
check_beginnings(struct judge *j, int step)
{
	size_t count;
	const struct execution *x = book_find(j->evidence->book, j->uuid, step, &count);

	j->owned += count;
	for (size_t i = 0; i < count; i++) {
		if (x[i].begins > 1)
			found(j, I2, "attempt %d of step %d began %u times", x[i].attempt, step,
			        x[i].begins);
		if (x[i].attempt < 1 || x[i].attempt > j->track[step].attempt)
			found(j, I2, "attempt %d of step %d was executed and never claimed",
			        x[i].attempt, step);
	}
}

/* ---- rows ---- */

static void
check_step(struct judge *j, int step, sqlite3_stmt *row)
{
	struct track *t = &j->track[step];
	enum step_state state = (enum step_state)sqlite3_column_int(row, 1);

	j->f->steps++;
	if (state != t->state)
		found(j, I3, "step %d is %s and its events lead to %s", step,
		        step_state_name(state), step_state_name(t->state));
	if (sqlite3_column_int(row, 2) != t->attempt)
		found(j, I3, "step %d has attempt %d, its events %d", step,
		        sqlite3_column_int(row, 2), t->attempt);
	if (sqlite3_column_int(row, 3) != t->failures)
		found(j, I3, "step %d counts %d failures, its events %d", step,
		        sqlite3_column_int(row, 3), t->failures);
	if (sqlite3_column_int(row, 4) != t->losses)
		found(j, I3, "step %d counts %d losses, its events %d", step,
		        sqlite3_column_int(row, 4), t->losses);
	if (t->completions != (state == STEP_COMPLETE))
		found(j, I3, "step %d completed %d times", step, t->completions);
	if (state == STEP_COMPLETE && j->evidence->book != NULL)
		check_executions(j, step, (const char *)sqlite3_column_text(row, 5));
	else if (j->evidence->book != NULL)
		check_beginnings(j, step);
}

static void
each_step(struct judge *j)
{
	int count = 0;

	(void)sqlite3_bind_int64(j->steps, 1, j->id << 10);
	(void)sqlite3_bind_int64(j->steps, 2, j->id << 10 | 1023);
	while (sqlite3_step(j->steps) == SQLITE_ROW) {
		if (count == BOOK_STEPS || sqlite3_column_int(j->steps, 0) != count)
			found(j, I3, "step %d stands where %d belongs",
			        sqlite3_column_int(j->steps, 0), count);
		else
			check_step(j, count++, j->steps);
	}
	if (count != BOOK_STEPS)
		found(j, I1, "only %d of its steps are there", count);
	(void)sqlite3_reset(j->steps);
}

static void
each_task(struct judge *j)
{
	while (sqlite3_step(j->tasks) == SQLITE_ROW) {
		const enum task_state state = (enum task_state)sqlite3_column_int(j->tasks, 2);
		struct uuid id = {.bytes = {0}};

		if (sqlite3_column_bytes(j->tasks, 1) == (int)sizeof(id.bytes))
			memcpy(id.bytes, sqlite3_column_blob(j->tasks, 1), sizeof(id.bytes));
		uuid_text(&id, j->uuid);
		j->id = sqlite3_column_int64(j->tasks, 0);
		(void)snprintf(j->template, sizeof(j->template), "%s",
		        (const char *)sqlite3_column_text(j->tasks, 3));
		j->seq = 0;
		j->state = TASK_STATE_NONE;
		for (int i = 0; i < BOOK_STEPS; i++)
			j->track[i] = (struct track){.state = STEP_PENDING};
		j->f->tasks++;
		each_event(j);
		if (state != j->state)
			found(j, I3, "it is %s and its events lead to %s", task_state_name(state),
			        task_state_name(j->state));
		each_step(j);
	}
}

/* Rows that belong to no task would have been seen by nobody, nor work for a task that is gone. */
static void
check_strays(struct judge *j)
{
	long long steps = -1, events = -1;

	if (sqlite3_step(j->sums) == SQLITE_ROW) {
		steps = sqlite3_column_int64(j->sums, 0);
		events = sqlite3_column_int64(j->sums, 1);
	}
	(void)sqlite3_reset(j->sums);
	j->uuid[0] = '\0';
	if (steps != (long long)j->f->steps || events != (long long)j->f->events)
		found(j, I3, "of %lld steps and %lld events, %zu and %zu belong to tasks", steps,
		        events, j->f->steps, j->f->events);
	if (j->evidence->book != NULL && j->owned != j->evidence->book->count)
		found(j, I2, "of %zu executions, %zu belong to steps that are there",
		        j->evidence->book->count, j->owned);
}

/* ---- what clients know: I1 ---- */

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void
check_distinct(struct judge *j)
{
	const size_t count = j->evidence->id_count;
	const char **sorted = calloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; sorted != NULL && i < count; i++)
		sorted[i] = j->evidence->ids[i];
	if (sorted == NULL)
		found(j, I1, "out of memory");
	else
		qsort(sorted, count, sizeof(*sorted), by_text);
	for (size_t i = 1; sorted != NULL && i < count; i++)
		if (strcmp(sorted[i], sorted[i - 1]) == 0)
			found(j, I1, "%s is the answer to two requests", sorted[i]);
	free(sorted);
}

static enum task_state
state_of(struct judge *j, const char *text)
{
	enum task_state state = TASK_STATE_NONE;
	struct uuid id;

	(void)snprintf(j->uuid, sizeof(j->uuid), "%s", text);
	if (!uuid_parse(text, strlen(text), &id))
		return TASK_STATE_NONE;
	(void)sqlite3_bind_blob(j->known, 1, id.bytes, sizeof(id.bytes), SQLITE_TRANSIENT);
	if (sqlite3_step(j->known) == SQLITE_ROW)
		state = (enum task_state)sqlite3_column_int(j->known, 0);
	(void)sqlite3_reset(j->known);
	return state;
}

static void
check_known(struct judge *j)
{
	const struct evidence *e = j->evidence;

	for (size_t i = 0; i < e->id_count; i++) {
		const enum task_state state = state_of(j, e->ids[i]);

		if (state == TASK_STATE_NONE)
			found(j, I1, "acknowledged, and gone");
		else if (state != TASK_COMPLETE)
			found(j, I1, "acknowledged, and %s", task_state_name(state));
	}
	for (size_t i = 0; i < e->open_count; i++) {
		const enum task_state state = state_of(j, e->open_ids[i]);

		if (state != TASK_STEPS_IN_PROCESS)
			found(j, I1, "nobody touched it, and it is %s",
			        state == TASK_STATE_NONE ? "gone" : task_state_name(state));
	}
	check_distinct(j);
	if (e->no_others && j->f->tasks != e->id_count + e->open_count)
		found(j, I1, "%zu tasks are there for %zu requests", j->f->tasks,
		        e->id_count + e->open_count);
}

/* ---- the database ---- */

static bool
open_all(struct judge *j)
{
	const struct {
		const char *sql;
		sqlite3_stmt **out;
	} all[] = {
	        {tasks_sql,  &j->tasks },
	        {events_sql, &j->events},
	        {steps_sql,  &j->steps },
	        {known_sql,  &j->known },
	        {sums_sql,   &j->sums  },
	};
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", j->evidence->dir, j->evidence->file);
	if (sqlite3_open_v2(path, &j->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return false;
	(void)sqlite3_busy_timeout(j->db, 5000);
	for (size_t i = 0; i < COUNT(all); i++)
		if (sqlite3_prepare_v2(j->db, all[i].sql, -1, all[i].out, NULL) != SQLITE_OK)
			return false;
	return true;
}

bool
checker_judge(const struct evidence *evidence, struct findings *out)
{
	struct judge j = {.evidence = evidence, .f = out};
	bool read = false;

	*out = (struct findings){.tasks = 0};
	if (open_all(&j)) {
		each_task(&j);
		check_strays(&j);
		check_known(&j);
		read = sqlite3_errcode(j.db) == SQLITE_OK || sqlite3_errcode(j.db) == SQLITE_DONE;
	}
	if (!read)
		(void)fprintf(stderr, "%s/%s: %s\n", evidence->dir, evidence->file,
		        j.db != NULL ? sqlite3_errmsg(j.db) : "no memory");
	(void)sqlite3_finalize(j.tasks);
	(void)sqlite3_finalize(j.events);
	(void)sqlite3_finalize(j.steps);
	(void)sqlite3_finalize(j.known);
	(void)sqlite3_finalize(j.sums);
	(void)sqlite3_close(j.db);
	return read;
}
