#include "tests/sim/worker.h"

#include <string.h>

#include "orchestration/engine/identity.h"

enum { MS = 1000, SLOTS = 4, POLLS_MAX = 3, REPORTS_MAX = HELD_MAX + 4 };

/* What a poll is built from. */
struct poll_plan {
	struct held_step reports[REPORTS_MAX];
	size_t report_count;
	bool only_those; /* not what is ready besides */
	int64_t wait_ms;
};

static size_t
name_index(const struct world *w, const struct sim_worker *k)
{
	return (size_t)(k - w->workers) % WORKERS;
}

static struct sim_worker *
of_process(struct world *w, unsigned process)
{
	for (size_t i = 0; i < COUNT(w->workers); i++)
		if (w->workers[i].process == process)
			return &w->workers[i];
	return NULL;
}

static struct seen_attempt *
attempt_of(struct world *w, const struct attempt_ref *ref)
{
	struct seen_step *s = model_step(&w->model, &ref->step);

	return s != NULL ? model_attempt(s, ref->attempt) : NULL;
}

static bool
is_same(const struct attempt_ref *a, const struct attempt_ref *b)
{
	return a->attempt == b->attempt && memcmp(&a->step, &b->step, sizeof(a->step)) == 0;
}

static struct held_step *
find_held(struct sim_worker *k, const struct attempt_ref *ref)
{
	for (size_t i = 0; i < k->held_count; i++)
		if (is_same(&k->held[i].ref, ref))
			return &k->held[i];
	return NULL;
}

/* It lists the attempt no more. */
static void
let_go(struct world *w, struct sim_worker *k, struct held_step *h)
{
	struct seen_attempt *a = attempt_of(w, &h->ref);

	if (a != NULL && a->session == k->session)
		a->unlisted = true;
	*h = k->held[--k->held_count];
}

/* ---- answers ---- */

static enum step_outcome
draw_outcome(struct world *w)
{
	unsigned n = chance_below(&w->chance, 100);

	if (w->calm || n < 70)
		return OUTCOME_OK;
	return n < 96 ? OUTCOME_ERROR : OUTCOME_CANCELLED;
}

/* A step arrives: from here on it counts as executed. */
static void
take_step(struct world *w, struct sim_worker *k, const struct store_op *op,
        const struct poll_step *step)
{
	struct held_step fresh = {.ref = step->ref, .retry_after_ms = -1};
	struct seen_attempt *a;

	worker_check_step(w, op, step);
	if (find_held(k, &step->ref) != NULL) {
		w->seen.repeats++;
		return;
	}
	a = attempt_of(w, &step->ref);
	if (a != NULL && a->session != 0 && a->session != k->session)
		world_find(w, "I4: attempt %d has two holders, sessions %lld and %lld",
		        step->ref.attempt, (long long)a->session, (long long)k->session);
	if (a != NULL && a->proof == 0) {
		a->session = k->session;
		a->proof = ++w->model.proofs;
	}
	if (a != NULL)
		a->unlisted = a->unlisted || k->in_flight > 0;
	if (k->held_count == HELD_MAX || (a != NULL && a->sent != 0)) {
		if (a != NULL)
			a->unlisted = true;
		return;
	}
	fresh.proof = a != NULL ? a->proof : 0;
	fresh.outcome = draw_outcome(w);
	fresh.retryable = !chance_of(&w->chance, 250);
	fresh.ready_at = w->mono;
	if (!w->calm && chance_of(&w->chance, 500))
		fresh.ready_at += chance_between(&w->chance, 0, 40 * SIM_SECOND);
	if (chance_of(&w->chance, 150))
		fresh.retry_after_ms = chance_between(&w->chance, 0, 20000);
	k->held[k->held_count++] = fresh;
}

/* Told that it is cancelled, a worker stops, or does not listen. */
static void
hear_cancel(struct world *w, struct sim_worker *k, const struct attempt_ref *ref)
{
	struct held_step *h = find_held(k, ref);

	if (h == NULL || (!w->calm && chance_of(&w->chance, 300)))
		return;
	h->outcome = OUTCOME_CANCELLED;
	h->ready_at = w->mono;
}

static void
read_answer(struct world *w, struct sim_worker *k, const struct store_op *op)
{
	const struct poll_out *out = &op->out.poll;
	struct held_step *h;

	for (size_t i = 0; i < out->result_count; i++) {
		h = find_held(k, &out->results[i].ref);
		if (h == NULL)
			continue;
		k->old = *h;
		let_go(w, k, h);
	}
	for (size_t i = 0; i < out->lost_count; i++) {
		h = find_held(k, &out->lost[i]);
		if (h != NULL && chance_of(&w->chance, 800)) /* or it goes on, and reports */
			let_go(w, k, h);
	}
	for (size_t i = 0; i < out->step_count; i++)
		take_step(w, k, op, &out->steps[i]);
	for (size_t i = 0; i < out->cancel_count; i++)
		hear_cancel(w, k, &out->cancel[i]);
}

static void
session_over(struct world *w, struct sim_worker *k)
{
	const struct seen_session *s = model_session(&w->model, k->session);

	if (s != NULL && !s->doubtful && w->mono - s->used_at <= w->settings.session_keep_ms * MS)
		world_find(w, "I1: session %lld is over, and nobody ended it", (long long)s->id);
	k->session = 0;
	k->held_count = 0;
	if (k >= &w->workers[WORKERS])
		k->process = 0; /* a ghost does not register */
}

static struct sim_worker *
poll_returns(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct sim_worker *k = of_process(w, p->process);

	world_log(w,
	        "poll of process %u session %lld: %s, %zu steps, %zu reports, %zu cancel, %zu "
	        "lost",
	        p->process, (long long)op->in.poll.session, store_outcome_name(op->outcome),
	        op->out.poll.step_count, op->out.poll.result_count, op->out.poll.cancel_count,
	        op->out.poll.lost_count);
	if (k == NULL)
		return NULL;
	k->in_flight--;
	if (k->polling == op)
		k->polling = NULL;
	return k;
}

static void
poll_lost(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct sim_worker *k = of_process(w, p->process);

	world_log(w, "poll of process %u: no answer", p->process);
	if (k == NULL)
		return;
	k->in_flight--;
	if (k->polling == op)
		k->polling = NULL;
	k->poll_lost = true;
}

static void
poll_answered(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct sim_worker *k = poll_returns(w, op, p);
	struct seen_session *s = model_session(&w->model, op->in.poll.session);
	bool gone = atomic_load(&op->state->gone);

	if (op->outcome == STORE_OK) {
		worker_check_statuses(w, op);
		if (s != NULL && !gone)
			s->heard_at = w->round_mono;
		if (s != NULL && p->asked_at > s->used_at)
			s->used_at = p->asked_at;
	}
	if (k == NULL || k->session != op->in.poll.session)
		return;
	if (op->outcome == STORE_STALE && k->secrets == p->secrets) {
		session_over(w, k);
	} else if (op->outcome != STORE_OK || gone || k->away ||
	           (!w->calm && chance_of(&w->chance, 50))) {
		k->poll_lost = true; /* refused, or lost on its way */
	} else {
		read_answer(w, k, op);
	}
}

/* ---- requests ---- */

static struct poll_result
result_of(struct store_op *op, const struct held_step *h)
{
	char text[48];
	int len = snprintf(text, sizeof(text), "{\"proof\":%lld}", (long long)h->proof);

	return (struct poll_result){
	        .ref = h->ref,
	        .outcome = h->outcome,
	        .result = {store_op_text(op, text, (size_t)len), (size_t)len},
	        .code = "E_SIM",
	        .message = "it broke",
	        .retryable = h->retryable,
	        .retry_after_ms = h->retry_after_ms,
	};
}

static enum sent
sent_as(enum step_outcome o)
{
	if (o == OUTCOME_OK)
		return SENT_OK;
	if (o == OUTCOME_ERROR)
		return SENT_ERROR;
	return o == OUTCOME_CANCELLED ? SENT_CANCELLED : SENT_RELEASED;
}

static void
add_result(struct world *w, struct sim_worker *k, struct store_op *op, struct poll_result *results,
        const struct held_step *h)
{
	struct seen_attempt *a = attempt_of(w, &h->ref);

	results[op->in.poll.result_count++] = result_of(op, h);
	if (a != NULL && a->session == k->session)
		a->sent |= (unsigned)sent_as(h->outcome);
}

static void
fill_poll(struct world *w, struct sim_worker *k, struct store_op *op, const struct poll_plan *plan)
{
	struct attempt_ref *held = store_op_alloc(op, HELD_MAX, sizeof(*held));
	struct poll_result *results = store_op_alloc(op, REPORTS_MAX + HELD_MAX, sizeof(*results));

	op->in.poll.held = held;
	op->in.poll.results = results;
	for (size_t i = 0; i < plan->report_count; i++)
		add_result(w, k, op, results, &plan->reports[i]);
	for (size_t i = 0; i < k->held_count; i++) {
		struct held_step *h = &k->held[i];
		bool named = false;

		for (size_t n = 0; n < plan->report_count; n++)
			named = named || is_same(&plan->reports[n].ref, &h->ref);
		if (!named && !plan->only_those && h->ready_at <= w->mono)
			add_result(w, k, op, results, h);
		else if (!named)
			held[op->in.poll.held_count++] = h->ref;
	}
}

static void
poll(struct world *w, struct sim_worker *k, const struct poll_plan *plan)
{
	struct store_op *op = store_op_new(STORE_POLL);
	struct purpose p = {
	        poll_answered, poll_lost, name_index(w, k), k->process, k->secrets, 0, false};
	int free = SLOTS - (int)k->held_count;

	if (op == NULL)
		__builtin_trap();
	if (!k->poll_lost)
		k->last_poll = uuid_v4();
	k->poll_lost = false;
	op->in.poll.session = k->session;
	op->in.poll.id = k->last_poll;
	op->in.poll.wait_ms = plan->wait_ms;
	fill_poll(w, k, op, plan);
	free += (int)op->in.poll.result_count;
	op->in.poll.free = free > 0 ? free : 0;
	k->in_flight++;
	k->polling = op;
	world_submit(w, op, &p);
}

static void
register_answered(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct sim_worker *k = of_process(w, p->process);
	struct model *m = &w->model;
	struct seen_session *s = model_session(m, op->out.worker.session);

	world_log(w, "process %u registers: %s, session %lld", p->process,
	        store_outcome_name(op->outcome), (long long)op->out.worker.session);
	if (k != NULL)
		k->in_flight--;
	if (op->outcome != STORE_OK)
		return;
	if (s == NULL && m->session_count < MODEL_SESSIONS_MAX) {
		s = &m->sessions[m->session_count++];
		*s = (struct seen_session){.id = op->out.worker.session, .worker = p->index};
		s->doubtful =
		        k == NULL || k >= &w->workers[WORKERS]; /* the next one may be there */
	}
	if (s != NULL) {
		s->heard_at = w->round_mono;
		s->used_at = p->asked_at;
	}
	if (k != NULL)
		k->session = op->out.worker.session;
}

static void
register_lost(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct sim_worker *k = of_process(w, p->process);

	(void)op;
	if (k != NULL)
		k->in_flight--;
}

/* A process that was not there before ends the sessions of the others of its name. */
static void
doubt_others(struct world *w, const struct sim_worker *k)
{
	for (size_t i = 0; i < w->model.session_count; i++) {
		struct seen_session *s = &w->model.sessions[i];

		if (s->worker == name_index(w, k) && s->id != k->session)
			s->doubtful = true;
	}
}

static void
registers(struct world *w, struct sim_worker *k)
{
	static const char *const namespaces[] = {"sim", NULL};
	static const char *const all[] = {"sim.*", NULL};
	static const char *const some[] = {"sim.a", "sim.c", "sim.f", NULL};
	struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	struct purpose p = {register_answered, register_lost, name_index(w, k), k->process,
	        k->secrets, 0, false};
	char name[16], boot[UUID_TEXT];

	if (op == NULL)
		__builtin_trap();
	(void)snprintf(name, sizeof(name), "w%zu", name_index(w, k));
	(void)snprintf(boot, sizeof(boot), "00000000-0000-4000-8000-%012u", k->process);
	op->in.worker = (struct worker_register_in){.worker = store_op_text(op, name, strlen(name)),
	        .boot = store_op_text(op, boot, strlen(boot)),
	        .slots = SLOTS,
	        .namespaces = namespaces,
	        .handlers = k->picky ? some : all};
	doubt_others(w, k);
	k->secrets++;
	k->in_flight++;
	world_submit(w, op, &p);
}

static void
restart(struct world *w, struct sim_worker *k, bool leave_ghost)
{
	struct sim_worker *ghost = k + WORKERS;

	if (leave_ghost && k->session != 0)
		*ghost = *k;
	*k = (struct sim_worker){.process = ++w->processes};
	k->picky = !w->calm && chance_of(&w->chance, 300);
	world_log(w, "worker %zu starts as process %u", name_index(w, k), k->process);
}

void
worker_restart_all(struct world *w)
{
	for (size_t i = 0; i < WORKERS; i++) {
		restart(w, &w->workers[i], false);
		w->workers[WORKERS + i] = (struct sim_worker){0};
	}
}

/* ---- behaviour ---- */

static int64_t
draw_wait(struct world *w)
{
	return chance_of(&w->chance, 400) ? chance_between(&w->chance, 1, 25000) : 0;
}

/* Nobody's attempt, or somebody else's: what k says of it must change nothing. */
static bool
is_garbage(struct world *w, const struct sim_worker *k, const struct attempt_ref *ref)
{
	const struct seen_attempt *a = attempt_of(w, ref);

	return a == NULL || (a->session != 0 && a->session != k->session);
}

static void
report_garbage(struct world *w, struct sim_worker *k)
{
	struct poll_plan plan = {.only_those = true, .report_count = 1};
	struct sim_worker *other = &w->workers[chance_below(&w->chance, COUNT(w->workers))];
	struct attempt_ref ref = {uuid_v4(), 1};
	unsigned kind = chance_below(&w->chance, 4);

	if (kind == 1 && w->model.task_count > 0) {
		size_t i = chance_below(&w->chance, (unsigned)w->model.task_count);

		ref.step = identity_step_id(
		        &w->model.tasks[i].id, chance_below(&w->chance, SHAPE_STEPS_MAX));
		ref.attempt = (int)chance_between(&w->chance, -1, 3);
	} else if (kind > 1 && other->held_count > 0) {
		ref = other->held[0].ref;
		ref.attempt += kind == 2 ? 0 : 1000;
	}
	plan.reports[0] =
	        (struct held_step){.ref = ref, .outcome = OUTCOME_OK, .retry_after_ms = -1};
	if (is_garbage(w, k, &ref))
		poll(w, k, &plan);
}

static void
report_again(struct world *w, struct sim_worker *k)
{
	struct poll_plan plan = {.reports = {k->old}, .report_count = 1};

	if (k->old.ref.attempt > 0)
		poll(w, k, &plan);
}

static void
release_one(struct world *w, struct sim_worker *k)
{
	struct poll_plan plan = {.report_count = 1};

	if (k->held_count == 0)
		return;
	k->held[0].outcome = OUTCOME_RELEASED;
	plan.reports[0] = k->held[0];
	poll(w, k, &plan);
}

static void
misbehave(struct world *w, struct sim_worker *k)
{
	bool ghost = k >= &w->workers[WORKERS];

	switch (chance_below(&w->chance, 8)) {
	case 0:
		k->away = true;
		break;
	case 1:
		if (!ghost)
			restart(w, k, chance_of(&w->chance, 600));
		break;
	case 2:
		report_again(w, k);
		break;
	case 3:
		report_garbage(w, k);
		break;
	case 4: /* its client hangs up */
		if (k->polling != NULL)
			atomic_store(&k->polling->state->gone, true);
		break;
	case 5:
		if (!ghost)
			registers(w, k);
		break;
	case 6:
		if (k->held_count > 0)
			let_go(w, k, &k->held[0]);
		break;
	default:
		release_one(w, k);
		break;
	}
}

void
worker_act(struct world *w)
{
	struct sim_worker *k = &w->workers[chance_below(&w->chance, COUNT(w->workers))];
	struct poll_plan plan = {.wait_ms = draw_wait(w)};
	bool ghost = k >= &w->workers[WORKERS];

	if (k->process == 0) {
		if (!ghost)
			restart(w, k, false);
		return;
	}
	if (k->away) {
		k->away = !chance_of(&w->chance, 250);
		return;
	}
	if (k->in_flight >= POLLS_MAX)
		return;
	if (k->session == 0)
		registers(w, k);
	else if (chance_of(&w->chance, 250))
		misbehave(w, k);
	else
		poll(w, k, &plan);
}

void
worker_serve(struct world *w)
{
	struct poll_plan plan = {.wait_ms = 5000};

	for (size_t i = 0; i < WORKERS; i++) {
		struct sim_worker *k = &w->workers[i];
		bool news = false;

		for (size_t n = 0; n < k->held_count; n++)
			news = news || k->held[n].ready_at <= w->mono;
		if (k->session == 0 && k->in_flight == 0)
			registers(w, k);
		else if (k->session != 0 && (k->in_flight == 0 || (news && k->in_flight == 1)))
			poll(w, k, &plan);
	}
}
