/*
 * The bodies between worker and orchestration (design §15, internal wire): pure text in and out.
 *
 * What the worker holds is one table: an entry for each attempt it was given and has not yet been
 * told the end of. Every poll names them all, the finished ones with their result, so whatever
 * happens to a request or its answer, both sides agree after the next one.
 */
#ifndef WORKER_LINK_WIRE_H
#define WORKER_LINK_WIRE_H

#include "worker/step_report.h"

enum {
	LINK_PROTOCOL = 1,
	LINK_RESULTS_MAX = 128, /* in one poll; the orchestration takes 256 */
	LINK_SECRET_MAX = 256,
};

struct held {
	char step[UUID_TEXT];
	int64_t attempt;
	struct step_report *report; /* NULL: it is still at work */
	bool sending;               /* its result is in the request under way */
	bool reduced;               /* its result was refused; now it only says so */
};

struct link_registration {
	const char *worker, *boot;
	size_t slots;
	const char *const *namespaces;
	size_t namespace_count;
	const char *callables; /* JSON array */
	size_t callables_len;
	const char *templates; /* JSON array */
	size_t templates_len;
};
void link_registration_write(const struct link_registration *r, struct buf *out);

/* What a registration was answered. */
struct link_session {
	char secret[LINK_SECRET_MAX + 1];
	int64_t lease_us, beat_us;
};
/* refused is called for each template that was not taken. ERR_FORMAT: no usable answer. */
typedef void (*link_refused_fn)(const char *template, const char *why, void *arg);
MUST_CHECK bool link_session_read(const char *text, size_t len, link_refused_fn refused, void *arg,
        struct link_session *out, struct err *e);

/* What a refusal's body says to people: a problem's detail, else the beginning of the body as it
 * is. out has room for size bytes, at least one. */
void link_refusal_read(const char *text, size_t len, char *out, size_t size);

struct link_poll {
	const char *id;
	size_t slots; /* of the worker */
	bool draining;
	int64_t wait_ms;
	size_t results_max; /* at most LINK_RESULTS_MAX */
	size_t bytes_max;   /* of the body, as far as results can be put off */
	size_t steps_max;   /* free is never more than this */
};
/*
 * Writes a poll and marks the entries whose result is in it as sending; returns how many those
 * are. At least one finished entry always goes, however large it is.
 */
size_t link_poll_write(
        const struct link_poll *p, struct held *table, size_t count, struct buf *out);

/* What a poll was answered, as far as it is whole and for this poll. */
struct link_answer {
	struct json *doc;
	const struct json_node *results, *steps, *cancel, *lost; /* arrays */
};
MUST_CHECK bool link_answer_read(
        const char *text, size_t len, const char *id, struct link_answer *out, struct err *e);
void link_answer_free(struct link_answer *a);
/* The step and attempt of one item of results, cancel or lost. */
MUST_CHECK bool link_item_read(const struct link_answer *a, const struct json_node *item,
        char step[UUID_TEXT], int64_t *attempt);

#endif
