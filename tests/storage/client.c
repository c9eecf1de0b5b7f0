#include "tests/storage/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/identity.h"
#include "tests/storage/disk.h"

enum { BASIC = 3, SMALL_PAD = 3000 };

static const char *const basic[BASIC] = {"single", "linear", "diamond"};
static const size_t basic_steps[BASIC] = {1, 2, 4};

void
client_init(struct client *c, struct lab *lab, uint64_t seed, bool wild)
{
	memset(c, 0, sizeof(*c));
	c->lab = lab;
	c->dice.state = seed;
	c->wild = wild;
	c->tells = getenv("STORAGE_TELL") != NULL;
}

void
client_begin_life(struct client *c)
{
	c->failed_syncs = disk_tally().failed_syncs;
}

void
client_complain(struct client *c, const char *fmt, ...)
{
	va_list args;

	if (c->broken[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(c->broken, sizeof(c->broken), fmt, args);
	va_end(args);
}

OWNED char *
client_context(const struct client *c, size_t task)
{
	const size_t pad = c->tasks[task].pad;
	char *out = malloc(pad + 64);
	int len;

	ck_assert_ptr_nonnull(out);
	len = snprintf(out, 64, "{\"task\":%zu,\"pad\":\"", task);
	memset(out + len, 'a' + (int)(task % 26), pad);
	memcpy(out + (size_t)len + pad, "\"}", 3);
	return out;
}

OWNED char *
client_result(size_t task, size_t step)
{
	char *out = NULL;

	ck_assert_int_gt(asprintf(&out, "{\"of\":[%zu,%zu]}", task, step), 0);
	return out;
}

const char *
client_template_name(size_t n, char out[32])
{
	if (n < BASIC)
		return basic[n];
	(void)snprintf(out, 32, "extra%zu", n);
	return out;
}

void
client_template(size_t n, char out[512])
{
	if (n < BASIC)
		(void)snprintf(out, 512, "%s", lab_yaml(basic[n]));
	else
		(void)snprintf(out, 512,
		        "name: extra%zu\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
		        "  - {name: a, handler: {callable: demo.x%zu}}\n",
		        n, n);
}

/* ---- asking ---- */

/* What may be answered at this moment, and is it an acknowledgement? */
static bool
is_acked(struct client *c, const struct store_op *op, const struct disk_tally *before, bool fatal)
{
	const struct disk_tally now = disk_tally();

	if (c->tells)
		(void)fprintf(stderr, "  %s: %s %s (call %lu to the disk, %lu failed%s)\n",
		        store_verb_name(op->verb), store_outcome_name(op->outcome), op->text,
		        now.calls, now.faults, now.dead ? ", dead" : "");
	if (op->outcome == STORE_OK && before->failed_syncs > c->failed_syncs &&
	        (!c->wild || fatal))
		client_complain(
		        c, "%s was acknowledged after a failed fsync", store_verb_name(op->verb));
	if (op->outcome == STORE_FAULT && !now.dead && now.faults == 0)
		client_complain(
		        c, "%s failed without a reason: %s", store_verb_name(op->verb), op->text);
	c->asked++;
	c->acked += op->outcome == STORE_OK;
	return op->outcome == STORE_OK;
}

bool
client_is_fatal(const struct client *c)
{
	struct store_health health;

	store_probe(c->lab->store, &health);
	return health.fatal;
}

static bool
ask(struct client *c, struct store_op *op)
{
	const struct disk_tally before = disk_tally();
	const bool fatal = client_is_fatal(c);

	(void)lab_run(c->lab, op);
	return is_acked(c, op, &before, fatal);
}

/* Neither an answer that says yes nor one that leaves all open. */
static void
unexpected(struct client *c, const struct store_op *op)
{
	if (op->outcome != STORE_FAULT)
		client_complain(c, "%s: %s, %s", store_verb_name(op->verb),
		        store_outcome_name(op->outcome), op->text);
}

static void
put_template(struct client *c, size_t n)
{
	AUTO(store_op) struct store_op *op = NULL;
	char yaml[512];

	client_template(n, yaml);
	op = lab_template_op(yaml);
	if (n == c->template_count)
		c->template_count++;
	if (ask(c, op))
		c->templates[n] = true;
	else
		unexpected(c, op);
}

static void
enroll(struct client *c)
{
	static const char *const namespaces[] = {"demo", NULL}, *const handlers[] = {
	                                                                "demo.*", NULL};
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);

	op->in.worker = (struct worker_register_in){.worker = "w",
	        .boot = "b",
	        .slots = 8,
	        .namespaces = namespaces,
	        .handlers = handlers};
	if (ask(c, op))
		c->session = op->out.worker.session;
	else
		unexpected(c, op);
}

/* ---- tasks ---- */

static struct store_op *
create_op(const struct client *c, size_t task)
{
	char *context = client_context(c, task);
	struct store_op *op = lab_create_op(c->tasks[task].template, context);

	free(context);
	return op;
}

/* A task that is yet to be asked for; false: there are enough. */
static bool
wish(struct client *c, size_t *task)
{
	const size_t kind = dice_below(&c->dice, BASIC);
	struct known_task *t = &c->tasks[c->task_count];

	if (c->task_count == CLIENT_TASKS_MAX || !c->templates[kind])
		return false;
	*t = (struct known_task){.template = basic[kind], .step_count = basic_steps[kind]};
	t->pad = dice_below(&c->dice, c->wild ? CLIENT_PAD_MAX : SMALL_PAD);
	if (dice_one_in(&c->dice, 2))
		t->pad = dice_below(&c->dice, 100);
	*task = c->task_count++;
	return true;
}

static void
note_create(struct client *c, size_t task, const struct store_op *op, bool acked)
{
	struct known_task *t = &c->tasks[task];

	if (acked || op->outcome == STORE_CONFLICT)
		t->id = acked ? op->out.task.id : op->conflict_id;
	else
		unexpected(c, op);
	t->acked = acked || op->outcome == STORE_CONFLICT;
}

static void
create(struct client *c)
{
	AUTO(store_op) struct store_op *op = NULL;
	size_t task;
	bool acked;

	if (!wish(c, &task))
		return;
	op = create_op(c, task);
	acked = ask(c, op);
	if (op->outcome == STORE_CONFLICT)
		client_complain(c, "a new task is there already");
	note_create(c, task, op, acked);
}

static void
create_many(struct client *c)
{
	const size_t count = 1 + dice_below(&c->dice, CLIENT_BURST_MAX);
	const struct disk_tally before = disk_tally();
	const bool fatal = client_is_fatal(c);
	struct waiting w[CLIENT_BURST_MAX];
	size_t tasks[CLIENT_BURST_MAX], begun = 0;

	while (begun < count && wish(c, &tasks[begun])) {
		w[begun] = lab_begin(c->lab, create_op(c, tasks[begun]));
		begun++;
	}
	for (size_t i = 0; i < begun; i++) {
		lab_await(&w[i]);
		note_create(c, tasks[i], w[i].op, is_acked(c, w[i].op, &before, fatal));
		store_op_free(w[i].op);
	}
}

/* One of the tasks the client knows of; NULL: it knows none. */
static struct known_task *
pick(struct client *c)
{
	struct known_task *t =
	        c->task_count > 0 ? &c->tasks[dice_below(&c->dice, c->task_count)] : NULL;

	return t != NULL && t->acked ? t : NULL;
}

static void
cancel(struct client *c)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_CANCEL);
	struct known_task *t = pick(c);

	if (t == NULL)
		return;
	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = t->id;
	t->cancel_asked = true;
	if (ask(c, op))
		t->cancelled = true;
	else if (op->outcome != STORE_INVALID) /* it is over */
		unexpected(c, op);
}

static void
look(struct client *c)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);
	const struct known_task *t = pick(c);

	if (t == NULL)
		return;
	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = t->id;
	if (lab_run(c->lab, op) != STORE_OK)
		unexpected(c, op);
}

/* ---- work ---- */

static struct known_task *
task_of(struct client *c, const struct attempt_ref *ref, unsigned *step)
{
	struct uuid id;

	if (!identity_split(&ref->step, &id, step))
		return NULL;
	for (size_t i = 0; i < c->task_count; i++)
		if (c->tasks[i].acked && memcmp(&c->tasks[i].id, &id, sizeof(id)) == 0)
			return *step < c->tasks[i].step_count ? &c->tasks[i] : NULL;
	return NULL;
}

static void
note_steps(struct client *c, const struct poll_out *out)
{
	for (size_t i = 0; i < out->step_count; i++) {
		unsigned step;
		struct known_task *t = task_of(c, &out->steps[i].ref, &step);

		if (t == NULL)
			client_complain(c, "a step of a task that nobody was told of is given out");
		else if (t->cancelled || t->steps[step].state != CLAIM_NONE)
			client_complain(c, "a step is given out that is cancelled, held or done");
		else
			t->steps[step] = (struct known_step){CLAIM_HELD, out->steps[i].ref};
	}
	for (size_t i = 0; i < out->lost_count; i++) {
		unsigned step;
		const struct known_task *t = task_of(c, &out->lost[i], &step);

		if (t == NULL || !t->cancel_asked)
			client_complain(c, "an attempt that the client holds is called lost");
	}
}

static void
note_verdicts(struct client *c, const struct poll_out *out)
{
	for (size_t i = 0; i < out->result_count; i++) {
		unsigned step;
		struct known_task *t = task_of(c, &out->results[i].ref, &step);

		if (out->results[i].verdict == REPORT_STALE && !t->cancel_asked)
			client_complain(c, "a report of the attempt that runs is called stale");
		t->steps[step].state = CLAIM_DONE;
	}
}

static void
report(struct store_op *op, size_t task, size_t step, struct attempt_ref ref)
{
	char *result = client_result(task, step);
	struct poll_result *r;

	lab_report(op, ref, OUTCOME_OK);
	r = store_op_alloc(op, op->in.poll.result_count, sizeof(*r));
	memcpy(r, op->in.poll.results, op->in.poll.result_count * sizeof(*r));
	r[op->in.poll.result_count - 1].result =
	        (struct store_json){store_op_text(op, result, strlen(result)), strlen(result)};
	op->in.poll.results = r;
	free(result);
}

/* What a step of a task that is being cancelled comes to is nobody's concern. */
static void
list_claims(struct client *c, struct store_op *op, bool finish)
{
	for (size_t i = 0; i < c->task_count; i++)
		for (size_t k = 0; k < c->tasks[i].step_count; k++) {
			struct known_step *s = &c->tasks[i].steps[k];

			if (c->tasks[i].cancel_asked)
				continue;
			if (s->state == CLAIM_HELD && (finish || dice_one_in(&c->dice, 2)))
				s->state = CLAIM_REPORTED;
			if (s->state == CLAIM_REPORTED)
				report(op, i, k, s->ref);
			else if (s->state == CLAIM_HELD)
				lab_hold(op, s->ref);
		}
}

static void
poll_once(struct client *c, int free, bool finish)
{
	AUTO(store_op) struct store_op *op = lab_poll_op(c->session, free);

	list_claims(c, op, finish);
	if (!ask(c, op)) {
		unexpected(c, op);
		return;
	}
	note_verdicts(c, &op->out.poll);
	note_steps(c, &op->out.poll);
}

/* ---- what to do ---- */

/* False: there is nothing to prepare. */
static bool
prepare(struct client *c)
{
	for (size_t n = 0; n < BASIC; n++)
		if (!c->templates[n]) {
			put_template(c, n);
			return true;
		}
	if (c->session != 0)
		return false;
	enroll(c);
	return true;
}

void
client_do(struct client *c, enum client_deed deed)
{
	if (prepare(c))
		return;
	switch (deed) {
	case CLIENT_PREPARE:
		return;
	case CLIENT_TEMPLATE:
		if (c->template_count < CLIENT_TEMPLATES_MAX)
			put_template(c, c->template_count);
		return;
	case CLIENT_CREATE:
		create(c);
		return;
	case CLIENT_CREATE_MANY:
		create_many(c);
		return;
	case CLIENT_CANCEL:
		cancel(c);
		return;
	case CLIENT_LOOK:
		look(c);
		return;
	case CLIENT_POLL:
		poll_once(c, 1 + (int)dice_below(&c->dice, 4), false);
		return;
	case CLIENT_FINISH:
		poll_once(c, 1, true);
		return;
	}
}

void
client_act(struct client *c)
{
	static const enum client_deed deeds[] = {CLIENT_CANCEL, CLIENT_LOOK, CLIENT_TEMPLATE,
	        CLIENT_POLL, CLIENT_POLL, CLIENT_POLL, CLIENT_FINISH, CLIENT_CREATE, CLIENT_CREATE,
	        CLIENT_CREATE, CLIENT_CREATE, CLIENT_CREATE};
	const enum client_deed deed = deeds[dice_below(&c->dice, COUNT(deeds))];

	client_do(c, deed == CLIENT_CREATE && c->wild ? CLIENT_CREATE_MANY : deed);
}

static bool
has_open_reports(const struct client *c)
{
	for (size_t i = 0; i < c->task_count; i++)
		for (size_t k = 0; k < c->tasks[i].step_count; k++)
			if (!c->tasks[i].cancel_asked &&
			        c->tasks[i].steps[k].state == CLAIM_REPORTED)
				return true;
	return false;
}

void
client_settle(struct client *c)
{
	for (size_t n = 0; n < c->template_count; n++)
		if (!c->templates[n])
			put_template(c, n);
	for (size_t i = 0; i < c->task_count; i++) {
		AUTO(store_op) struct store_op *op = NULL;

		if (c->tasks[i].acked)
			continue;
		op = create_op(c, i);
		note_create(c, i, op, ask(c, op));
	}
	if (c->session != 0 && has_open_reports(c))
		poll_once(c, 0, false);
	if (has_open_reports(c))
		client_complain(c, "a report is not taken");
	/* Attempts in answers that were lost go back, since the polls to come do not list them. */
	lab_advance(c->lab, 3LL * LAB_SECOND);
}
