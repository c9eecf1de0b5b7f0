/* sees: orchestration */
/*
 * Z16: a database whose rows say what no store ever wrote. What is read from it is refused, or is
 * what the row says; no number is cut, no text is shortened, no state is made up.
 *
 * A small store is made once, its tables then lose the checks that keep rows sane. An input is a
 * list of changes, each: which column, which row, what kind of value (null, a byte, eight bytes,
 * text, blob), how long, the value. They are made in a transaction that is rolled back afterwards;
 * within it every read is asked, then a store is opened on it and works: cancels, polls, creates,
 * takes results, lets leases end.
 */
#include <string.h>
#include <unistd.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/read_ops.h"
#include "orchestration/store/rounds.h"
#include "orchestration/store/store_sqlite.h"
#include "tests/fuzz/fuzz.h"

enum { CHANGES_MAX = 6, BATCHES_MAX = 64, TASKS = 3 };
#define HOUR_US (INT64_C(60) * 60 * 1000000)

/* Append only: inputs of the corpus name a column by its number here. */
static const char *const columns[] = {"tasks.uuid", "tasks.tenant", "tasks.owner", "tasks.template",
        "tasks.state", "tasks.total", "tasks.remaining", "tasks.live", "tasks.waiting",
        "tasks.failed", "tasks.rank", "tasks.created_at", "tasks.completed_at", "tasks.identity",
        "task_details.initiator", "task_details.source_system", "task_details.reason",
        "task_details.priority", "task_details.correlation_id",
        "task_details.parent_correlation_id", "task_details.tags", "task_details.context",
        "steps.state", "steps.unmet", "steps.attempt", "steps.failures", "steps.lease_losses",
        "steps.settled", "steps.session", "steps.queue", "steps.rank", "steps.retry_at",
        "steps.backoff_ms", "steps.updated_at", "steps.attempted_at", "steps.result", "steps.error",
        "steps.log", "steps.id", "events.task", "events.kind", "events.step", "events.from_state",
        "events.to_state", "events.attempt", "events.session", "events.actor", "events.at",
        "sessions.digest", "sessions.worker", "sessions.boot", "sessions.slots",
        "sessions.namespaces", "sessions.handlers", "sessions.expires_at_s", "sessions.ended_at",
        "templates.namespace", "templates.name", "templates.version", "templates.hash",
        "templates.json", "routes.namespace", "routes.callable", "totals.tasks", "totals.steps",
        "owners.name", "tenants.name"};

enum kind { KIND_NULL, KIND_BYTE, KIND_INT, KIND_TEXT, KIND_BLOB, KINDS };

static const char yaml[] = "name: n\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                           "  - {name: a, handler: {callable: demo.a}, retry: {max_attempts: 3}}\n"
                           "  - {name: b, handler: {callable: demo.b}, dependencies: [a]}\n"
                           "  - {name: c, handler: {callable: demo.c}, dependencies: [a]}\n"
                           "  - {name: d, handler: {callable: demo.d}, dependencies: [b, c]}\n";

static char url[128];
static struct store_settings settings;
static struct backend_ops real, ours;
static struct backend *db; /* the only connection */
static struct pulse pulse;
static int64_t now_us;
static struct uuid tasks[TASKS];
static int64_t session;

/* ---- clocks, and a database that stays open ---- */

static int64_t
clock_now(void *arg)
{
	(void)arg;
	return 1790000000000000 + now_us;
}

static bool
open_again(
        const struct store_settings *s, enum backend_role role, struct backend **out, struct err *e)
{
	(void)s;
	(void)role;
	(void)e;
	*out = db;
	return true;
}

static void
stay_open(struct backend *b)
{
	(void)b;
}

static bool
begin(struct backend *b, struct err *e)
{
	return sqlite_exec(b, "SAVEPOINT batch", e);
}

static bool
commit(struct backend *b, struct err *e)
{
	return sqlite_exec(b, "RELEASE batch", e);
}

static void
rollback(struct backend *b)
{
	struct err e = {0};

	if (sqlite_exec(b, "ROLLBACK TO batch", &e))
		CLAIM(sqlite_exec(b, "RELEASE batch", &e));
}

/* ---- operations ---- */

static bool delivered;

static void
deliver(struct mail *mail)
{
	(void)mail;
	delivered = true;
}

static struct store_op *
new_op(enum store_verb verb)
{
	struct store_op *op = store_op_new(verb);

	CLAIM(op != NULL);
	op->mail.deliver = deliver;
	op->state->deadline_us = INT64_MAX;
	op->caller = (struct principal){.scope = SCOPE_ANY, .owner = "key:fuzz"};
	return op;
}

/* Runs op to its answer: one round, and further ones while it waits. */
static void
run(struct rounds *r, struct store_op *op)
{
	struct op_list round = {0};

	delivered = false;
	op_list_add(&round, op);
	rounds_begin(r, &round);
	for (int i = 0; i < BATCHES_MAX && rounds_batch(r, &round); i++)
		continue;
	if (!delivered) { /* a poll that found nothing: whatever waits is answered */
		rounds_drain(r);
		round = (struct op_list){0};
		rounds_begin(r, &round);
	}
	CLAIM(delivered);
}

static struct store_op *
poll_op(int free_slots, const struct poll_result *results, size_t count)
{
	struct store_op *op = new_op(STORE_POLL);

	op->in.poll.session = session;
	op->in.poll.id = uuid_v4();
	op->in.poll.free = free_slots;
	op->in.poll.results = results;
	op->in.poll.result_count = count;
	return op;
}

static void
put_template(struct rounds *r)
{
	AUTO(store_op) struct store_op *op = new_op(STORE_TEMPLATE_PUT);
	AUTO(template) struct template *t = NULL;
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct err e = {0};

	CLAIM(template_parse(yaml, strlen(yaml), &t, NULL, &e));
	template_to_json(t, &json);
	CLAIM(buf_ok(&json));
	op->in.template.json.text = store_op_text(op, json.data, json.len);
	op->in.template.json.len = json.len;
	run(r, op);
}

static void
create(struct rounds *r, unsigned char number, struct uuid *out)
{
	AUTO(store_op) struct store_op *op = new_op(STORE_TASK_CREATE);
	struct task_create_in *in = &op->in.task_create;

	in->ns = "demo";
	in->name = "n";
	in->version = "1.0.0";
	in->context = (struct store_json){"{\"a\":1}", 7};
	in->context_hash[0] = number;
	in->initiator = in->source_system = in->reason = "fuzz";
	in->correlation_id = in->parent_correlation_id = uuid_v4();
	in->has_parent_correlation = in->has_priority = number % 2 == 0;
	in->priority = 5;
	run(r, op);
	if (op->outcome == STORE_OK && out != NULL)
		*out = op->out.task.id;
}

static void
do_register_worker(struct rounds *r)
{
	static const char *const namespaces[] = {"demo", NULL}, *const handlers[] = {
	                                                                "demo.*", NULL};
	AUTO(store_op) struct store_op *op = new_op(STORE_WORKER_REGISTER);

	op->in.worker = (struct worker_register_in){.worker = "w",
	        .boot = "00000000-0000-4000-8000-000000000001",
	        .slots = 8,
	        .namespaces = namespaces,
	        .handlers = handlers};
	run(r, op);
	if (op->outcome == STORE_OK)
		session = op->out.worker.session;
}

static void
do_cancel_task(struct rounds *r, const struct uuid *task)
{
	AUTO(store_op) struct store_op *op = new_op(STORE_TASK_CANCEL);

	op->in.id.task = *task;
	run(r, op);
}

static void
report(struct rounds *r, struct attempt_ref ref, enum step_outcome outcome)
{
	const struct poll_result result = {
	        .ref = ref,
	        .outcome = outcome,
	        .result = {"{\"r\":2}", 7},
	        .code = "E",
	        .message = "m",
	        .retryable = true,
	        .retry_after_ms = -1,
	        .log = {"log",       3}
        };
	AUTO(store_op) struct store_op *op = poll_op(2, &result, 1);

	run(r, op);
}

/* ---- the store that is changed ---- */

static void
seed(struct rounds *r)
{
	AUTO(store_op) struct store_op *op = NULL;

	put_template(r);
	do_register_worker(r);
	for (unsigned char i = 0; i < TASKS; i++)
		create(r, i, &tasks[i]);
	op = poll_op(TASKS, NULL, 0);
	run(r, op);
	CLAIM(op->outcome == STORE_OK && op->out.poll.step_count == TASKS);
	report(r, op->out.poll.steps[0].ref, OUTCOME_OK);
	report(r, op->out.poll.steps[1].ref, OUTCOME_ERROR);
}

/* Tables without STRICT, CHECK and NOT NULL, and events that can be changed. */
static void
loosen(void)
{
	static const char sql[] = "DROP TRIGGER events_stay;"
	                          "PRAGMA writable_schema = ON;"
	                          "UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT', "
	                          "')'), ' NOT NULL', '')"
	                          " WHERE type = 'table';"
	                          "PRAGMA writable_schema = OFF;";
	sqlite3 *loose = NULL;

	CLAIM(sqlite3_open_v2(url + strlen("sqlite://"), &loose, SQLITE_OPEN_READWRITE, NULL) ==
	        SQLITE_OK);
	CLAIM(sqlite3_exec(loose, sql, NULL, NULL, NULL) == SQLITE_OK);
	CLAIM(sqlite3_close(loose) == SQLITE_OK);
}

static void
prepare(void)
{
	AUTO(rounds) struct rounds *r = NULL;
	char folder[] = "/tmp/tasker-rows-XXXXXX";
	struct err e = {0};

	CLAIM(mkdtemp(folder) != NULL);
	(void)snprintf(url, sizeof(url), "sqlite://%s/store.db", folder);
	settings = store_settings_default();
	settings.url = url;
	settings.jitter = false;
	settings.wall_us = settings.mono_us = clock_now;
	CLAIM(backend_for(url, &real));
	pulse_init(&pulse);
	CLAIM(rounds_new(&settings, &real, &pulse, &r, &e));
	seed(r);
	rounds_free(TAKE(r));
	loosen();
	CLAIM(sqlite_open(&settings, BACKEND_WRITER, &db, &e));
	CLAIM(sqlite_exec(
	        db, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF", &e));
	ours = real;
	ours.open = open_again;
	ours.close = stay_open;
	ours.begin = begin;
	ours.commit = commit;
	ours.rollback = rollback;
	(void)unlink(url + strlen("sqlite://")); /* it lives as long as its descriptor */
}

/* ---- one change ---- */

static int64_t
number(const uint8_t *bytes, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len && i < 8; i++)
		n |= (uint64_t)bytes[i] << (8 * i);
	return len == 1 ? (int8_t)bytes[0] : (int64_t)n;
}

static void
bind(sqlite3_stmt *s, enum kind kind, const uint8_t *value, size_t len)
{
	switch (kind) {
	case KIND_BYTE:
		(void)sqlite3_bind_int64(s, 1, number(value, len > 0));
		break;
	case KIND_INT:
		(void)sqlite3_bind_int64(s, 1, number(value, len));
		break;
	case KIND_TEXT:
		(void)sqlite3_bind_text(s, 1, (const char *)value, (int)len, SQLITE_TRANSIENT);
		break;
	case KIND_BLOB:
		(void)sqlite3_bind_blob(s, 1, value, (int)len, SQLITE_TRANSIENT);
		break;
	case KIND_NULL:
	case KINDS:
		(void)sqlite3_bind_null(s, 1);
		break;
	}
}

/* Uniqueness may refuse it. */
static void
change(const char *column, int row, enum kind kind, const uint8_t *value, size_t len)
{
	const int table = (int)strcspn(column, ".");
	char sql[256];
	sqlite3_stmt *s = NULL;

	(void)snprintf(sql, sizeof(sql),
	        "UPDATE %.*s SET %s = ?1 WHERE rowid = (SELECT rowid FROM %.*s ORDER BY rowid "
	        "LIMIT 1 OFFSET %d)",
	        table, column, column + table + 1, table, column, row);
	CLAIM(sqlite3_prepare_v2(db->db, sql, -1, &s, NULL) == SQLITE_OK);
	bind(s, kind, value, len);
	(void)sqlite3_step(s);
	(void)sqlite3_finalize(s);
}

static void
change_all(const uint8_t *data, size_t size)
{
	for (int i = 0; i < CHANGES_MAX && size >= 4; i++) {
		size_t len = data[3] < size - 4 ? data[3] : size - 4;

		change(columns[data[0] % COUNT(columns)], data[1] % 16, data[2] % KINDS, data + 4,
		        len);
		data += 4 + len;
		size -= 4 + len;
	}
}

/* ---- what was read, beside what is there ---- */

static bool
same_text(sqlite3_stmt *s, int column, const char *text, size_t len)
{
	const void *there = sqlite3_column_text(s, column);

	if (there == NULL || text == NULL)
		return there == NULL && text == NULL;
	return (size_t)sqlite3_column_bytes(s, column) == len && memcmp(there, text, len) == 0;
}

static bool
same_words(sqlite3_stmt *s, int column, const char *text)
{
	return same_text(s, column, text, text != NULL ? strlen(text) : 0);
}

static sqlite3_stmt *
row_of(const char *sql, const struct uuid *task)
{
	sqlite3_stmt *s = NULL;

	CLAIM(sqlite3_prepare_v2(db->db, sql, -1, &s, NULL) == SQLITE_OK);
	(void)sqlite3_bind_blob(s, 1, task->bytes, sizeof(task->bytes), SQLITE_STATIC);
	return s;
}

static void
judge_task(const struct task_view *v)
{
	sqlite3_stmt *s = row_of(
	        "SELECT t.state, t.created_at, t.completed_at, d.initiator, d.source_system, "
	        "d.reason, d.priority, d.tags, d.context FROM tasks t JOIN task_details d ON "
	        "d.task "
	        "= t.id WHERE t.uuid = ?",
	        &v->id);

	CLAIM(sqlite3_step(s) == SQLITE_ROW);
	CLAIM(v->state > TASK_STATE_NONE && v->state < TASK_STATE_END);
	CLAIM(sqlite3_column_int64(s, 0) == (int64_t)v->state);
	CLAIM(sqlite3_column_int64(s, 1) == v->created_at);
	CLAIM(sqlite3_column_int64(s, 2) == v->completed_at);
	CLAIM(v->initiator != NULL && same_words(s, 3, v->initiator));
	CLAIM(v->source_system != NULL && same_words(s, 4, v->source_system));
	CLAIM(v->reason != NULL && same_words(s, 5, v->reason));
	CLAIM(!v->has_priority || sqlite3_column_int64(s, 6) == v->priority);
	CLAIM(same_text(s, 7, v->tags.text, v->tags.len));
	CLAIM(v->context.text != NULL && same_text(s, 8, v->context.text, v->context.len));
	CLAIM(v->plan != NULL);
	(void)sqlite3_finalize(s);
}

static void
judge_step(const struct step_view *v)
{
	struct uuid task;
	unsigned index;
	sqlite3_stmt *s = row_of(
	        "SELECT s.state, s.attempt, s.failures, s.lease_losses, s.result, s.error, s.log, "
	        "s.backoff_ms FROM steps s JOIN tasks t ON s.id >> 10 = t.id WHERE t.uuid = ?1 AND "
	        "s.id & 1023 = ?2",
	        &v->task);

	CLAIM(identity_split(&v->id, &task, &index) && memcmp(&task, &v->task, sizeof(task)) == 0);
	(void)sqlite3_bind_int64(s, 2, index);
	CLAIM(sqlite3_step(s) == SQLITE_ROW);
	CLAIM(v->state > STEP_STATE_NONE && v->state < STEP_STATE_END);
	CLAIM(sqlite3_column_int64(s, 0) == (int64_t)v->state);
	CLAIM(sqlite3_column_int64(s, 1) == v->attempts && v->attempts >= 0);
	CLAIM(sqlite3_column_int64(s, 2) == v->failures && v->failures >= 0);
	CLAIM(sqlite3_column_int64(s, 3) == v->lease_losses && v->lease_losses >= 0);
	CLAIM(v->completed_parents >= 0 && v->completed_parents <= v->total_parents);
	CLAIM(same_text(s, 4, v->result.text, v->result.len));
	CLAIM(same_text(s, 5, v->error.text, v->error.len));
	CLAIM(same_text(s, 6, v->log.text, v->log.len));
	CLAIM(sqlite3_column_int64(s, 7) == v->backoff_ms || v->backoff_ms < 0);
	(void)sqlite3_finalize(s);
}

static void
judge_page(const struct store_op *op)
{
	static const enum store_verb lists[] = {
	        STORE_TASK_LIST, STORE_STEP_LIST, STORE_EVENT_LIST, STORE_SESSION_LIST};
	const struct page_out *p = &op->out.page;
	bool is_list = false;

	for (size_t i = 0; i < COUNT(lists); i++)
		is_list = is_list || op->verb == lists[i];
	for (size_t i = 0; is_list && i < p->count; i++) {
		if (op->verb == STORE_TASK_LIST)
			judge_task(&p->tasks[i]);
		if (op->verb == STORE_STEP_LIST)
			judge_step(&p->steps[i]);
		if (op->verb == STORE_EVENT_LIST)
			CLAIM(p->events[i].kind > EVENT_NONE &&
			        p->events[i].kind < EVENT_KIND_END && p->events[i].attempt >= 0);
		if (op->verb == STORE_SESSION_LIST)
			CLAIM(p->sessions[i].worker != NULL && p->sessions[i].slots >= 0);
	}
}

static void
judge(const struct store_op *op)
{
	if (op->verb == STORE_TASK_GET)
		judge_task(&op->out.task);
	else if (op->verb == STORE_STEP_GET)
		judge_step(&op->out.step.step);
	else
		judge_page(op);
}

static void
read_one(enum store_verb verb, const struct uuid *task)
{
	AUTO(store_op) struct store_op *op = new_op(verb);
	AUTO(plans) struct plans *plans = NULL;
	struct err e = {0};
	struct viewer v = {
	        .ops = &ours, .db = db, .wall_us = clock_now(NULL), .max_lease_losses = 3};

	CLAIM(plans_new(&ours, db, false, &plans, &e));
	v.plans = plans;
	if (verb == STORE_TASK_LIST)
		op->in.task_list = (struct task_list_in){.page = 1, .per_page = STORE_PAGE_MAX};
	else if (verb == STORE_TEMPLATE_GET)
		op->in.template = (struct template_in){"demo", "n", "1.0.0", {0}};
	else if (verb == STORE_EVENT_LIST)
		op->in.events = (struct event_list_in){.limit = STORE_PAGE_MAX};
	else if (verb == STORE_TASK_GET || verb == STORE_STEP_LIST || verb == STORE_STEP_GET)
		op->in.id = (struct step_id_in){*task, identity_step_id(task, 1)};
	if (!read_op(&v, op, &e))
		CLAIM(e.text[0] != '\0');
	else if (op->outcome == STORE_OK)
		judge(op);
}

static void
read_all(void)
{
	static const enum store_verb of_task[] = {STORE_TASK_GET, STORE_STEP_LIST, STORE_STEP_GET};
	static const enum store_verb of_all[] = {STORE_TASK_LIST, STORE_TEMPLATE_LIST,
	        STORE_TEMPLATE_GET, STORE_REVOCATION_LIST, STORE_SESSION_LIST, STORE_STATS,
	        STORE_EVENT_LIST};

	for (size_t i = 0; i < COUNT(of_task); i++)
		for (size_t t = 0; t < TASKS; t++)
			read_one(of_task[i], &tasks[t]);
	for (size_t i = 0; i < COUNT(of_all); i++)
		read_one(of_all[i], NULL);
}

/* A daemon that starts on these rows refuses to, or does its work as far as they allow. */
static void
work(void)
{
	AUTO(rounds) struct rounds *r = NULL;
	struct err e = {0};

	if (!rounds_new(&settings, &ours, &pulse, &r, &e)) {
		CLAIM(e.text[0] != '\0');
		return;
	}
	for (size_t t = 0; t < TASKS; t++)
		report(r, (struct attempt_ref){identity_step_id(&tasks[t], 0), 1}, OUTCOME_OK);
	create(r, 77, NULL);
	do_cancel_task(r, &tasks[2]);
	do_register_worker(r);
	now_us += HOUR_US;
	create(r, 78, NULL); /* and timers: leases end, retries are due */
	do_cancel_task(r, &tasks[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t first_session = session;
	struct err e = {0};

	if (db == NULL)
		prepare();
	now_us = 0;
	session = first_session != 0 ? first_session : session;
	CLAIM(real.begin(db, &e));
	change_all(data, size);
	read_all();
	work();
	if (first_session != 0)
		session = first_session;
	real.rollback(db);
	return 0;
}
