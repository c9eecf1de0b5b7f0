/* Workers' sessions: opening, listing, and what time does to them. */
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/do.h"
#include "orchestration/store/view.h"
#include "shared/base/json_out.h"
#include "shared/base/secret.h"

enum { US_PER_MS = 1000, LIST_BYTES_MAX = 65536 };

/* The list as a JSON array in op's memory; *out stays NULL if it is too long. */
static bool
list_json(struct store_op *op, const char *const *list, const char **out, struct err *e)
{
	AUTO(buf) struct buf b = BUF(LIST_BYTES_MAX - 1);
	struct json_out w = json_out_on(&b);
	size_t count = 0;

	json_open(&w, NULL, '[');
	for (; list != NULL && list[count] != NULL; count++)
		json_put_text(&w, NULL, list[count]);
	json_close(&w, ']');
	if (buf_ok(&b) && count <= SESSION_NAMES_MAX) {
		*out = store_op_text(op, b.data, b.len);
		b.starved = *out == NULL;
	}
	return !b.starved || err_set(e, ERR_NOMEM, "out of memory for a worker's names");
}

/* Another boot of the worker ran these: it is gone, and they go back at once. */
static bool
end_session(struct work *w, struct session *old, struct err *e)
{
	struct effect end = {.kind = EFFECT_END, .session = old->id};

	old->ending = true;
	for (size_t i = 0; i < old->lease_count; i++) {
		struct lease l = old->leases[i];

		if (!do_give_back(w, old, &l, OUTCOME_LOST, e))
			return false;
	}
	return work_begin(w, e) && w->ops->session_end(w->db, old->id, w->wall_us, e) &&
	       work_effect(w, &end, e);
}

static bool
write_session(struct work *w, struct session_row *row, struct session *old, struct err *e)
{
	if (old != NULL && strcmp(old->boot, row->boot) == 0) {
		row->id = old->id;
		return w->ops->session_update(w->db, row, e);
	}
	return (old == NULL || end_session(w, old, e)) && w->ops->session_insert(w->db, row, e);
}

/* Memory's part: ready before the commit, put in place after it. */
static bool
prepare(struct work *w, const struct session_row *row, struct err *e)
{
	AUTO(session) struct session *fresh = NULL;
	struct effect open = {.kind = EFFECT_OPEN, .session = row->id};

	if (!session_new(row, &fresh, e) || !session_match(fresh, &w->routes, e))
		return false;
	open.fresh = fresh;
	if (!work_effect(w, &open, e))
		return false;
	fresh = NULL;
	return true;
}

bool
do_register(struct work *w, struct store_op *op, struct err *e)
{
	const struct worker_register_in *in = &op->in.worker;
	struct worker_register_out *out = &op->out.worker;
	struct session *old = sessions_by_worker(&w->sessions, in->worker);
	struct session_row row = {.worker = in->worker,
	        .boot = in->boot,
	        .slots = in->slots,
	        .expires_at_s = in->expires_at_s,
	        .issued_at_s = in->issued_at_s,
	        .registered_at = w->wall_us};

	if (!list_json(op, in->namespaces, &row.namespaces, e) ||
	        !list_json(op, in->handlers, &row.handlers, e))
		return false;
	if (row.namespaces == NULL || row.handlers == NULL) {
		op_refuse(op, STORE_INVALID, "a worker names at most %d namespaces and %d handlers",
		        SESSION_NAMES_MAX, SESSION_NAMES_MAX);
		return true;
	}
	if (old == NULL && w->sessions.count >= (size_t)w->settings->sessions_max) {
		op_refuse(op, STORE_BUSY, "%d workers are registered; no more are taken",
		        w->settings->sessions_max);
		return true;
	}
	secret_token_make(SECRET_TOKEN_SESSION, out->secret);
	if (!digest_of(out->secret, SECRET_TOKEN_LEN, row.digest))
		return err_set(e, ERR_CRYPTO, "SHA-256 failed");
	if (!work_begin(w, e) || !write_session(w, &row, old, e) || !prepare(w, &row, e))
		return false;
	memcpy(out->digest, row.digest, sizeof(out->digest));
	out->session = row.id;
	out->lease_ms = w->settings->lease_ms;
	out->beat_ms = w->settings->beat_ms;
	out->replaced = old != NULL && old->id != row.id ? old->id : 0;
	op->outcome = STORE_OK;
	return true;
}

static bool
show(struct work *w, struct store_op *op, const struct session *s, struct session_view *v,
        struct err *e)
{
	if (!view_session(op, s, v, e))
		return false;
	v->live = s->lease_until > w->mono_us;
	v->seen_ago_ms = s->seen ? (w->mono_us - s->seen_us) / US_PER_MS : -1;
	return true;
}

bool
do_worker_list(struct work *w, struct store_op *op, struct err *e)
{
	struct session_view *views = store_op_alloc(op, w->sessions.count + 1, sizeof(*views));
	size_t count = 0;

	if (views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list of workers");
	for (struct session *s = sessions_next(&w->sessions, NULL); s != NULL;
	        s = sessions_next(&w->sessions, s))
		if (!show(w, op, s, &views[count++], e))
			return false;
	op->out.page =
	        (struct page_out){.total = (int64_t)count, .count = count, .sessions = views};
	op->outcome = STORE_OK;
	return true;
}

/* Gives back what a session holds that was not heard of for a term: at most `most` steps, which are
 * counted down; the rest goes in the next round. */
static bool
time_out(struct work *w, struct session *s, size_t *most, struct err *e)
{
	size_t given = 0;

	if (s->lease_until > w->mono_us)
		return true;
	for (; given<s->lease_count && * most> 0; given++, (*most)--) {
		struct lease l = s->leases[given];

		if (!do_give_back(w, s, &l, OUTCOME_LOST, e))
			return false;
	}
	/* A poll of it waits, and may have been given what others lost a moment ago. */
	if (s->parked != NULL)
		return true;
	if (given == s->lease_count &&
	        w->mono_us - s->seen_us > w->settings->session_keep_ms * US_PER_MS)
		return end_session(w, s, e);
	return true;
}

struct due {
	int64_t ids[TIMERS_MAX];
	size_t count;
};

static bool
keep_id(int64_t id, void *arg, struct err *e)
{
	struct due *due = arg;

	(void)e;
	due->ids[due->count++] = id;
	return true;
}

static bool
ring(struct work *w, int64_t id, struct err *e)
{
	struct step_policy policy;
	struct step_change to;
	struct task_row task;
	struct step_row row;
	struct change c;

	if (!w->ops->step_load(w->db, id, &row, e) ||
	        !w->ops->task_load(w->db, id >> STEP_INDEX_BITS, &task, e) ||
	        !change_open(&c, w, &task, e))
		return false;
	policy = change_policy(&c, (unsigned)(id & STEP_INDEX_MASK));
	if (!step_retry_due(&row.facts, &policy, &to))
		return step_hold(&row.facts, &to) ? change_step(&c, &row, &to, NULL, e) : true;
	return change_step(&c, &row, &to, NULL, e) && change_close(&c, e);
}

static bool
ring_all(struct work *w, struct err *e)
{
	struct due due = {.count = 0};

	if (w->next_retry == 0 || w->next_retry > w->wall_us)
		return true;
	if (!work_begin(w, e) ||
	        !w->ops->steps_due(w->db, w->wall_us, TIMERS_MAX, keep_id, &due, e))
		return false;
	for (size_t i = 0; i < due.count; i++)
		if (!ring(w, due.ids[i], e))
			return false;
	return w->ops->steps_next_due(w->db, &w->next_retry, e);
}

bool
do_timers(struct work *w, struct err *e)
{
	size_t most = TIMERS_MAX;

	for (struct session *s = sessions_next(&w->sessions, NULL);
	        s != NULL && w->sessions.due <= w->mono_us; s = sessions_next(&w->sessions, s))
		if (!time_out(w, s, &most, e))
			return false;
	return ring_all(w, e);
}
