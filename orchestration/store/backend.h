/*
 * What the store needs of a database, as a struct of functions. A struct backend is one connection,
 * used by one thread. Everything above speaks in rows and facts; SQL never picks a state.
 *
 * A look-up that finds nothing succeeds with id 0. Texts that are given out lie in the memory of
 * the operation passed along, those of a callback live for the call only. A callback's failure ends
 * the query and is passed on.
 */
#ifndef ORCHESTRATION_STORE_BACKEND_H
#define ORCHESTRATION_STORE_BACKEND_H

#include "orchestration/store/rows.h"
#include "orchestration/store/store.h"

struct backend; /* one connection */

enum backend_role {
	BACKEND_WRITER, /* takes the instance lock, migrates */
	BACKEND_READER,
	BACKEND_CHECKPOINTER,
};

struct backend_ops {
	const char *scheme; /* "sqlite:" */

	bool (*open)(const struct store_settings *s, enum backend_role role,
	        OWNED struct backend **out, struct err *e);
	void (*close)(struct backend *b);
	bool (*begin)(struct backend *b, struct err *e); /* a writer's to write, else a snapshot */
	bool (*commit)(struct backend *b, struct err *e);
	bool (*has_changes)(const struct backend *b); /* the open transaction does */
	void (*rollback)(struct backend *b);          /* fine outside a transaction */
	bool (*is_fatal)(const struct backend *b);    /* an fsync failed: nothing may be trusted */
	bool (*is_overdue)(const struct backend *b, bool *urgent); /* a checkpoint */
	bool (*checkpoint)(struct backend *b, struct err *e);
	void (*limit_time)(struct backend *b, int64_t until_us); /* of reads, real time; 0: none */

	/* Tasks. A scope's access path is its own, so that foreign is missing. */
	bool (*task_find)(struct backend *b, const struct uuid *id, const struct principal *who,
	        struct task_row *out, struct err *e);
	bool (*task_load)(struct backend *b, int64_t id, struct task_row *out, struct err *e);
	bool (*task_by_identity)(struct backend *b, const unsigned char identity[32],
	        struct task_row *out, struct err *e);
	bool (*task_forget_identity)(struct backend *b, int64_t id, struct err *e);
	bool (*task_insert)(struct backend *b, struct task_row *row, const unsigned char *identity,
	        const struct task_create_in *in, struct err *e); /* sets row->id */
	bool (*task_update)(struct backend *b, const struct task_row *row, struct err *e);
	bool (*task_details)(struct backend *b, const struct task_row *row, struct store_op *op,
	        struct task_view *out, struct err *e); /* all but plan, state, counts and steps */
	bool (*task_context)(struct backend *b, int64_t id, struct buf *out, struct err *e);
	bool (*task_list)(struct backend *b, const struct principal *who,
	        const struct task_list_query *in, task_row_fn fn, void *arg, struct err *e);
	bool (*task_total)(struct backend *b, const struct principal *who,
	        const struct task_list_in *in, int64_t *out, struct err *e);
	bool (*owner_id)(struct backend *b, const struct principal *who, int64_t *tenant,
	        int64_t *owner, struct err *e); /* makes them if need be */

	/* Steps. */
	bool (*step_load)(struct backend *b, int64_t id, struct step_row *out, struct err *e);
	bool (*step_insert)(struct backend *b, const struct step_row *row, struct err *e);
	bool (*step_update)(struct backend *b, const struct step_row *row, struct err *e);
	bool (*step_unmet)(
	        struct backend *b, const struct step_row *row, struct err *e); /* only that */
	bool (*step_finish)(struct backend *b, const struct step_row *row,
	        const struct step_output *out, struct err *e); /* an update that has an output */
	bool (*step_result)(struct backend *b, int64_t id, struct buf *out, struct err *e);
	bool (*steps_each)(struct backend *b, int64_t first, int64_t last, bool outputs,
	        step_row_fn fn, void *arg, struct err *e); /* ids first to last */
	bool (*steps_ready)(struct backend *b, int64_t route, int limit, id_fn fn, void *arg,
	        struct err *e); /* by rank, then age */
	bool (*steps_due)(struct backend *b, int64_t now_us, int limit, id_fn fn, void *arg,
	        struct err *e); /* by time, then age */
	bool (*steps_next_due)(struct backend *b, int64_t *wall_us, struct err *e); /* 0: none */
	bool (*steps_running)(
	        struct backend *b, step_row_fn fn, void *arg, struct err *e); /* by id */

	/* Events, totals. */
	bool (*event_insert)(struct backend *b, const struct event_row *row, struct err *e);
	bool (*event_list)(struct backend *b, const struct principal *who,
	        const struct event_query *in, event_row_fn fn, void *arg, struct err *e);
	bool (*totals_load)(struct backend *b, struct totals *out, struct err *e);
	bool (*totals_save)(struct backend *b, const struct totals *t, struct err *e);
	bool (*stats)(struct backend *b, int64_t now_us, struct store_stats *out, struct err *e);

	/* Templates and the routes their steps queue on. */
	bool (*template_find)(struct backend *b, const char *ns, const char *name,
	        const char *version, struct template_row *out, struct err *e);
	bool (*template_load)(struct backend *b, int64_t id, struct template_row *row,
	        struct buf *json, struct err *e);
	bool (*template_insert)(struct backend *b, const struct template *t, struct store_json json,
	        struct template_row *row, struct err *e); /* sets row->id */
	bool (*template_list)(
	        struct backend *b, const char *ns, id_fn fn, void *arg, struct err *e);
	bool (*route_id)(struct backend *b, const char *ns, const char *callable, int64_t *out,
	        struct err *e); /* made if need be */
	bool (*routes_each)(struct backend *b, route_fn fn, void *arg, struct err *e);

	/* Workers' sessions; revocations: one whose until_s has come is over, and pruned later. */
	bool (*session_insert)(struct backend *b, struct session_row *row, struct err *e);
	bool (*session_update)(struct backend *b, const struct session_row *row, struct err *e);
	bool (*session_end)(struct backend *b, int64_t id, int64_t now_us, struct err *e);
	bool (*sessions_each)(struct backend *b, session_row_fn fn, void *arg, struct err *e);
	bool (*revocation_insert)(struct backend *b, const struct revocation_row *r, struct err *e);
	bool (*revocation_delete)(
	        struct backend *b, const struct uuid *id, bool *had, struct err *e);
	bool (*revocations_prune)(struct backend *b, int64_t now_s, struct err *e);
	bool (*revocations_count)(struct backend *b, int64_t now_s, int64_t *out, struct err *e);
	bool (*revocations_each)(struct backend *b, const struct revocation_query *in,
	        revocation_row_fn fn, void *arg, struct err *e); /* newest first */

	/* Offline work: see store.h. */
	bool (*migrate)(const char *url, struct buf *report, struct err *e);
	bool (*check)(const char *url, struct buf *report, bool *sound, struct err *e);
	bool (*backup)(const char *url, const char *to_path, struct err *e);
};

/* Fills in the functions of the backend that serves the url's scheme; false if none does. */
bool backend_for(const char *url, struct backend_ops *out);

#endif
