/*
 * Revoking and taking back. The answer holds all that is in force from then on, as the transaction
 * sees it, under a number that rises with each change: whoever publishes such answers in any order
 * keeps the highest, and has missed nothing.
 */
#include "orchestration/store/do.h"
#include "orchestration/store/view.h"

enum { US_PER_S = 1000000 };

static bool
tell_all(struct work *w, struct store_op *op, struct err *e)
{
	struct viewer v = {w->ops, w->db, w->plans, w->wall_us, w->settings->max_lease_losses};
	const struct revocation_query query = {
	        .now_s = w->wall_us / US_PER_S, .limit = REVOCATIONS_MAX};

	if (!view_revocations(&v, op, &query, &op->out.revoke.all, e))
		return false;
	op->out.revoke.version = ++w->revocation_version;
	op->outcome = STORE_OK;
	return true;
}

bool
do_revoke(struct work *w, struct store_op *op, struct err *e)
{
	const struct revoke_in *in = &op->in.revoke;
	const int64_t now_s = w->wall_us / US_PER_S;
	const struct revocation_row row = {.id = uuid_v7(&w->ids, w->wall_us),
	        .kind = in->what.kind,
	        .name = in->what.id,
	        .created_by = op->caller.owner,
	        .reason = in->reason,
	        .before_s = in->what.before_s,
	        .until_s = in->until_s,
	        .created_at = w->wall_us};
	int64_t count;

	if (!work_begin(w, e) || !w->ops->revocations_count(w->db, now_s, &count, e))
		return false;
	if (count >= REVOCATIONS_MAX) {
		op_refuse(op, STORE_CONFLICT,
		        "%d revocations are in force, and no more are taken: take some back, or "
		        "wait until they are over",
		        REVOCATIONS_MAX);
		return true;
	}
	return w->ops->revocations_prune(w->db, now_s, e) &&
	       w->ops->revocation_insert(w->db, &row, e) &&
	       view_revocation(op, &row, &op->out.revoke.made, e) && tell_all(w, op, e);
}

bool
do_unrevoke(struct work *w, struct store_op *op, struct err *e)
{
	bool found;

	if (!work_begin(w, e) || !w->ops->revocation_delete(w->db, &op->in.unrevoke, &found, e))
		return false;
	if (!found) {
		op_refuse(op, STORE_NOT_FOUND, "Revocation not found");
		return true;
	}
	return tell_all(w, op, e);
}
