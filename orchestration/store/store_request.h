/* What is asked of the store and how pages come back; workers' requests are in store_poll.h. */
#ifndef ORCHESTRATION_STORE_STORE_REQUEST_H
#define ORCHESTRATION_STORE_STORE_REQUEST_H

#include "orchestration/store/store_view.h"

struct task_create_in {
	const char *ns, *name, *version;
	struct store_json context, tags; /* context: compact original tokens */
	unsigned char context_hash[32];  /* identity_context() of it */
	const char *initiator, *source_system, *reason;
	const char *idempotency_key; /* NULL: none */
	struct uuid correlation_id, parent_correlation_id;
	int priority;
	bool has_priority, has_parent_correlation;
};

enum {
	STORE_PAGE_MAX = 100,
	STORE_TEMPLATES_MAX =
	        1000, /* shown by TEMPLATE_LIST; page_out.more says there are others */
};

struct task_list_in {
	int page, per_page; /* from 1; up to STORE_PAGE_MAX */
	bool has_after;     /* cursor: those older than this task, and no page counting */
	struct uuid after;
	const char *ns, *name, *initiator, *source_system; /* NULL: any */
	uint32_t states;                                   /* bit n: state number n; 0: any */
};

struct page_out {
	int64_t total; /* within scope and filters */
	bool more;     /* something follows */
	size_t count;
	union {
		const struct task_view *tasks;
		const struct step_view *steps;
		const struct template_view *templates;
		const struct session_view *sessions;
		const struct event_view *events;
		const struct revocation_view *revocations;
	};
};

struct step_id_in {
	struct uuid task, step; /* step: only for STEP_GET */
};

struct step_get_out {
	struct step_view step;
	bool task_found; /* also set when the outcome is NOT_FOUND */
};

struct template_in {
	const char *ns, *name, *version; /* LIST: only ns, NULL is any; PUT: none, it is in json */
	struct store_json json;          /* PUT: template_to_json() */
};

struct revoke_in {
	struct revocation what;
	int64_t until_s;    /* 0: until it is taken back */
	const char *reason; /* NULL: none */
};

/* REVOKE and UNREVOKE. The higher version knows all that the lower one does. */
struct revoke_out {
	struct revocation_view made; /* REVOKE only */
	struct page_out all;         /* that are in force from now on */
	uint64_t version;
};

struct revocation_list_in {
	int page, per_page; /* from 1, up to STORE_PAGE_MAX; per_page 0: all of them */
};

struct event_list_in {
	int64_t after; /* position */
	int limit;     /* up to STORE_PAGE_MAX */
	bool has_task;
	struct uuid task;
};

#endif
