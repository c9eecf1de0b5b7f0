/* Registering template versions. A version is its content: other content is a conflict. */
#include <string.h>

#include "orchestration/store/do.h"
#include "orchestration/store/view.h"

static bool
hash_of(const struct template *t, struct buf *json, unsigned char out[DIGEST_BYTES], struct err *e)
{
	template_to_json(t, json);
	if (!buf_ok(json))
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	return digest_of(json->data, json->len, out) ? true
	                                             : err_set(e, ERR_CRYPTO, "SHA-256 failed");
}

/* Makes the routes its steps queue on; memory learns of them when the next transaction begins. */
static bool
make_routes(struct work *w, const struct template *t, struct err *e)
{
	int64_t id;

	for (size_t i = 0; i < t->step_count; i++) {
		if (!w->ops->route_id(w->db, t->namespace_name, t->steps[i].callable, &id, e))
			return false;
		if (id >= ROUTES_MAX)
			return err_set(
			        e, ERR_LIMIT, "templates name more than %d handlers", ROUTES_MAX);
	}
	w->routes_stale = true;
	return true;
}

static bool
put(struct work *w, struct store_op *op, const struct template *t, struct err *e)
{
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct viewer v = {w->ops, w->db, w->plans, w->wall_us, w->settings->max_lease_losses};
	unsigned char hash[DIGEST_BYTES];
	struct template_row row;

	if (!hash_of(t, &json, hash, e) || !work_begin(w, e) ||
	        !w->ops->template_find(w->db, t->namespace_name, t->name, t->version, &row, e))
		return false;
	if (row.id != 0 && memcmp(row.hash, hash, sizeof(hash)) != 0) {
		op_refuse(op, STORE_CONFLICT,
		        "%s/%s/%s is registered with another content: give it a new version",
		        t->namespace_name, t->name, t->version);
		return true;
	}
	if (row.id == 0) {
		memcpy(row.hash, hash, sizeof(hash));
		row.created_at = w->wall_us;
		if (!w->ops->template_insert(
		            w->db, t, (struct store_json){json.data, json.len}, &row, e) ||
		        !make_routes(w, t, e))
			return false;
	}
	if (!view_template(&v, op, row.id, &op->out.template, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

bool
do_template_put(struct work *w, struct store_op *op, struct err *e)
{
	const struct store_json *json = &op->in.template.json;
	AUTO(template) struct template *t = NULL;
	struct err refused = {0};

	if (!template_from_json(json->text, json->len, &t, &refused)) {
		if (refused.code == ERR_NOMEM) {
			*e = refused;
			return false;
		}
		op_refuse(op, STORE_INVALID, "%s", refused.text);
		return true;
	}
	return put(w, op, t, e);
}
