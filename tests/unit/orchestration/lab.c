#include "tests/unit/orchestration/lab.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchestration/engine/identity.h"
#include "shared/base/clock.h"

struct lab_gate {
	struct mail link; /* first: the operation's mail points to it */
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
};

static const struct {
	const char *name, *yaml;
} templates[] = {
        {"linear",  "name: linear\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                   "  - {name: a, handler: {callable: demo.a, initialization: {k: 1}}}\n"
                   "  - {name: b, handler: {callable: demo.b}, dependencies: [a]}\n"     },
        {"diamond", "name: diamond\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                    "  - {name: a, handler: {callable: demo.a}}\n"
                    "  - {name: b, handler: {callable: demo.b}, dependencies: [a]}\n"
                    "  - {name: c, handler: {callable: demo.c}, dependencies: [a]}\n"
                    "  - {name: d, handler: {callable: demo.d}, dependencies: [b, c]}\n"},
        {"single",  "name: single\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                   "  - {name: a, handler: {callable: demo.a}, timeout_seconds: 7, retry: "
                   "{max_attempts: 3, "
                   "backoff_base_ms: 1000, max_backoff_ms: 30000}}\n"                    },
        {"fragile", "name: fragile\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                    "  - {name: a, handler: {callable: demo.a}, retry: {max_attempts: 1}}\n"
                    "  - {name: b, handler: {callable: demo.b}, retry: {max_attempts: 1}}\n"
                    "  - {name: c, handler: {callable: demo.c}, dependencies: [a]}\n"   },
        {"keyed",   "name: keyed\nnamespace_name: demo\nversion: 1.0.0\nidentity_strategy: "
                  "caller_provided\n"
                  "steps:\n  - {name: a, handler: {callable: demo.a}}\n"                  },
        {"unique",  "name: unique\nnamespace_name: demo\nversion: 1.0.0\nidentity_strategy: "
                   "always_unique\n"
                   "steps:\n  - {name: a, handler: {callable: demo.a}}\n"                },
        {"pair",    "name: pair\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
                 "  - {name: a, handler: {callable: demo.a}}\n"
                 "  - {name: b, handler: {callable: demo.b}}\n"                            },
};

const char *
lab_yaml(const char *name)
{
	for (size_t i = 0; i < COUNT(templates); i++)
		if (strcmp(templates[i].name, name) == 0)
			return templates[i].yaml;
	ck_abort_msg("no template %s", name);
	return NULL;
}

static int64_t
wall(void *arg)
{
	struct lab *lab = arg;

	return atomic_load(&lab->wall);
}

static int64_t
mono(void *arg)
{
	struct lab *lab = arg;

	return atomic_load(&lab->mono);
}

static bool
fault(void *arg, const char *statement)
{
	struct lab *lab = arg;
	int left = atomic_load(&lab->fault_after);

	if (lab->fault_in != NULL && strcmp(lab->fault_in, statement) == 0)
		return true;
	if (left == 0)
		return false;
	atomic_store(&lab->fault_after, left - 1);
	return left == 1;
}

static void
start(struct lab *lab)
{
	struct err e = {0};

	ck_assert_msg(store_open(&lab->settings, &lab->store, &e), "%s", e.text);
}

void
lab_open(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	(void)snprintf(lab->folder, sizeof(lab->folder), "/tmp/tasker-lab-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(lab->folder));
	(void)snprintf(lab->path, sizeof(lab->path), "%s/store.db", lab->folder);
	(void)snprintf(lab->url, sizeof(lab->url), "sqlite://%s", lab->path);
	atomic_store(&lab->wall, 1790000000000000);
	atomic_store(&lab->mono, 1000 * LAB_SECOND);
	lab->settings = store_settings_default();
	lab->settings.url = lab->url;
	lab->settings.jitter = false;
	lab->settings.wall_us = wall;
	lab->settings.mono_us = mono;
	lab->settings.clock_arg = lab;
	lab->settings.fault = fault;
	lab->settings.fault_arg = lab;
	start(lab);
}

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

void
lab_close(struct lab *lab)
{
	store_close(lab->store);
	(void)nftw(lab->folder, discard, 8, FTW_DEPTH | FTW_PHYS);
}

void
lab_reopen(struct lab *lab)
{
	store_close(lab->store);
	start(lab);
}

void
lab_advance(struct lab *lab, int64_t us)
{
	(void)atomic_fetch_add(&lab->wall, us);
	(void)atomic_fetch_add(&lab->mono, us);
	store_wake(lab->store);
	lab_settle(lab);
}

static void
deliver(struct mail *mail)
{
	struct lab_gate *gate = (struct lab_gate *)mail->next;

	if (gate == NULL) /* exactly once: a second delivery finds no gate */
		__builtin_trap();
	mail->next = NULL;
	(void)pthread_mutex_lock(&gate->lock);
	gate->open = true;
	(void)pthread_cond_broadcast(&gate->opened);
	(void)pthread_mutex_unlock(&gate->lock);
}

static struct waiting
prepare(struct store_op *op)
{
	struct lab_gate *gate = store_op_alloc(op, 1, sizeof(*gate));

	ck_assert_ptr_nonnull(gate);
	(void)pthread_mutex_init(&gate->lock, NULL);
	(void)pthread_cond_init(&gate->opened, NULL);
	op->home = NULL;
	op->mail.next = &gate->link; /* free for us, since no loop queues the mail */
	op->mail.deliver = deliver;
	return (struct waiting){op, gate};
}

struct waiting
lab_begin(struct lab *lab, struct store_op *op)
{
	struct waiting w = prepare(op);

	store_submit(lab->store, op);
	return w;
}

bool
lab_is_answered(struct waiting *w)
{
	bool open;

	(void)pthread_mutex_lock(&w->gate->lock);
	open = w->gate->open;
	(void)pthread_mutex_unlock(&w->gate->lock);
	return open;
}

/* No assertion in here: Check allocates for them, and an allocation may be about to fail. */
static bool
wait_open(struct lab_gate *gate)
{
	struct timespec until;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	(void)pthread_mutex_lock(&gate->lock);
	while (!gate->open && rc == 0)
		rc = pthread_cond_timedwait(&gate->opened, &gate->lock, &until);
	(void)pthread_mutex_unlock(&gate->lock);
	return rc == 0;
}

void
lab_await(struct waiting *w)
{
	ck_assert_msg(wait_open(w->gate), "%s was not answered", store_verb_name(w->op->verb));
	(void)pthread_cond_destroy(&w->gate->opened);
	(void)pthread_mutex_destroy(&w->gate->lock);
	w->gate = NULL;
}

enum store_outcome
lab_run_short_of_memory(struct lab *lab, struct store_op *op, unsigned nth)
{
	struct waiting w = prepare(op);
	bool answered;

	fault_allocation(nth);
	store_submit(lab->store, op);
	answered = wait_open(w.gate);
	fault_allocation(0);
	ck_assert(answered);
	lab_await(&w);
	return op->outcome;
}

enum store_outcome
lab_run(struct lab *lab, struct store_op *op)
{
	struct waiting w = lab_begin(lab, op);

	lab_await(&w);
	return op->outcome;
}

/* A worker list is the writer's, and changes nothing: its answer says that all before it is done.
 */
void
lab_settle(struct lab *lab)
{
	for (int i = 0; i < 2; i++) {
		AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_LIST);

		ck_assert_int_eq(lab_run(lab, op), STORE_OK);
	}
}

struct principal
lab_caller(enum scope_kind scope, const char *tenant, const char *owner)
{
	struct principal p = {.scope = scope};

	(void)snprintf(p.tenant, sizeof(p.tenant), "%s", tenant);
	(void)snprintf(p.owner, sizeof(p.owner), "%s", owner);
	return p;
}

struct store_op *
lab_template_op(const char *yaml)
{
	struct store_op *op = store_op_new(STORE_TEMPLATE_PUT);
	AUTO(template) struct template *t = NULL;
	struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct err e = {0};

	ck_assert_msg(template_parse(yaml, strlen(yaml), &t, NULL, &e), "%s", e.text);
	template_to_json(t, &json);
	ck_assert(buf_ok(&json));
	op->in.template.json.text = store_op_text(op, json.data, json.len);
	op->in.template.json.len = json.len;
	buf_free(&json);
	return op;
}

void
lab_template(struct lab *lab, const char *yaml)
{
	AUTO(store_op) struct store_op *op = lab_template_op(yaml);

	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
}

struct store_op *
lab_create_op(const char *name, const char *context)
{
	struct store_op *op = store_op_new(STORE_TASK_CREATE);
	struct task_create_in *in = &op->in.task_create;
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(
	        json_parse(context, strlen(context), &json_limits_default, &doc, &e), "%s", e.text);
	ck_assert(identity_context(doc, json_root(doc), in->context_hash, &e));
	in->ns = "demo";
	in->name = store_op_text(op, name, strlen(name));
	in->version = "1.0.0";
	in->context.text = store_op_text(op, context, strlen(context));
	in->context.len = strlen(context);
	in->initiator = "tester";
	in->source_system = "lab";
	in->reason = "because";
	in->correlation_id = uuid_v4();
	op->caller = lab_caller(SCOPE_TENANT, "", "tester");
	return op;
}

struct uuid
lab_create(struct lab *lab, const char *name)
{
	static int number;
	AUTO(store_op) struct store_op *op = NULL;
	char context[32];

	(void)snprintf(context, sizeof(context), "{\"n\":%d}", ++number);
	op = lab_create_op(name, context);
	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	return op->out.task.id;
}

int64_t
lab_worker(struct lab *lab, const char *worker, const char *boot)
{
	static const char *const namespaces[] = {"demo", NULL}, *const handlers[] = {
	                                                                "demo.*", NULL};
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);

	op->in.worker = (struct worker_register_in){.worker = worker,
	        .boot = boot,
	        .slots = 8,
	        .namespaces = namespaces,
	        .handlers = handlers};
	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	return op->out.worker.session;
}

struct store_op *
lab_poll_op(int64_t session, int free)
{
	struct store_op *op = store_op_new(STORE_POLL);

	op->in.poll.session = session;
	op->in.poll.id = uuid_v4();
	op->in.poll.free = free;
	return op;
}

void
lab_hold(struct store_op *poll, struct attempt_ref ref)
{
	struct poll_in *in = &poll->in.poll;
	struct attempt_ref *held = store_op_alloc(poll, in->held_count + 1, sizeof(*held));

	if (in->held_count > 0)
		memcpy(held, in->held, in->held_count * sizeof(*held));
	held[in->held_count++] = ref;
	in->held = held;
}

void
lab_report(struct store_op *poll, struct attempt_ref ref, enum step_outcome outcome)
{
	struct poll_in *in = &poll->in.poll;
	struct poll_result *results = store_op_alloc(poll, in->result_count + 1, sizeof(*results));

	if (in->result_count > 0)
		memcpy(results, in->results, in->result_count * sizeof(*results));
	results[in->result_count++] = (struct poll_result){
	        .ref = ref,
	        .outcome = outcome,
	        .result = {"{\"ok\":1}", 8},
	        .code = "E_TEST",
	        .message = "it \"broke\"",
	        .retryable = true,
	        .retry_after_ms = -1,
	        .log = {"line\n",     5}
        };
	in->results = results;
}

struct store_op *
lab_poll(struct lab *lab, int64_t session, int free)
{
	struct store_op *op = lab_poll_op(session, free);

	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	return op;
}

enum report_verdict
lab_finish(struct lab *lab, int64_t session, struct attempt_ref ref, enum step_outcome outcome)
{
	AUTO(store_op) struct store_op *op = lab_poll_op(session, 0);

	lab_report(op, ref, outcome);
	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	ck_assert_uint_eq(op->out.poll.result_count, 1);
	return op->out.poll.results[0].verdict;
}

enum task_state
lab_task_state(struct lab *lab, struct uuid task)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = task;
	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	return op->out.task.state;
}

struct step_view
lab_step(struct lab *lab, struct uuid task, const char *step)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = task;
	ck_assert_msg(lab_run(lab, op) == STORE_OK, "%s", op->text);
	for (size_t i = 0; i < op->out.task.step_count; i++)
		if (strcmp(op->out.task.steps[i].plan->name, step) == 0) {
			struct step_view view = op->out.task.steps[i];

			view.plan = NULL;
			return view;
		}
	ck_abort_msg("no step %s", step);
	return (struct step_view){0};
}

static sqlite3 *
peek(struct lab *lab)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open_v2(lab->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	return db;
}

int64_t
lab_number(struct lab *lab, const char *sql)
{
	sqlite3 *db = peek(lab);
	sqlite3_stmt *s = NULL;
	int64_t n = 0;

	ck_assert_msg(
	        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return n;
}

void
lab_write(struct lab *lab, const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(lab->path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	ck_assert_msg(
	        sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

char *
lab_dump(struct lab *lab)
{
	static const char *const tables[] = {"tasks", "task_details", "steps", "events",
	        "templates", "routes", "owners", "revocations"};
	struct buf out = BUF(MIB(16));
	sqlite3 *db = peek(lab);

	for (size_t i = 0; i < COUNT(tables); i++) {
		sqlite3_stmt *s = NULL;
		char sql[64];

		(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1", tables[i]);
		ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
		while (sqlite3_step(s) == SQLITE_ROW)
			for (int c = 0; c < sqlite3_column_count(s); c++) {
				buf_add(&out, sqlite3_column_blob(s, c),
				        (size_t)sqlite3_column_bytes(s, c));
				buf_char(&out, '|');
			}
		(void)sqlite3_finalize(s);
		buf_text(&out, "\n");
	}
	(void)sqlite3_close(db);
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] == '\0')
			out.data[i] = '?';
	return buf_take_text(&out);
}

void
lab_check(struct lab *lab)
{
	struct buf report = BUF(KIB(64));
	bool sound = false;
	struct err e = {0};

	ck_assert_msg(store_check(lab->url, &report, &sound, &e), "%s", e.text);
	ck_assert_msg(sound, "%.*s", (int)report.len, report.data);
	buf_free(&report);
}
