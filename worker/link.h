/*
 * The link to the orchestration: a thread that registers this worker and then polls, for ever.
 *
 *   register ──session──> poll ─ poll ─ poll ...      401, another token, other handlers: register
 *
 * Nothing is lost on the way. Each poll names what the worker holds; a finished step stays in the
 * table until a poll that carried its result was answered. A poll whose answer did not come is sent
 * again as it was, under the same id. A poll that waits for work is ended by a finished step: the
 * request is dropped and its id is used again for the one that carries the result, so that steps in
 * an answer that was on its way come again with the answer to that. After 401 it registers again
 * with the same boot id and keeps what it holds.
 *
 * The lease: what is held may run only while the orchestration believes it does. A worker that
 * could not poll for three quarters of the lease stops its handlers, by force before seven eighths,
 * and keeps trying.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "worker/handout.h"

struct link;

/* Borrowed for the link's life. */
struct link_settings {
	const char *url;        /* http://127.0.0.1:8080 */
	const char *token_path; /* NULL or "": no credential */
	const char *ca_path;    /* NULL: the system's */
	const char *worker, *boot;
	size_t slots; /* at most 1024 */
	const char *const *namespaces;
	size_t namespace_count;
	const char *templates; /* JSON array of {"yaml":"…"} */
	size_t templates_len;
	size_t poll_bytes;  /* of a poll's body: what the orchestration takes */
	size_t reply_bytes; /* of an answer */
	int64_t wait_us;    /* how long an idle poll is parked */
	int64_t slack_us;   /* what an answer may take beyond that */
	int64_t backoff_us, backoff_most_us;
	int64_t settle_us;  /* how long to wait for handlers to say what they take */
	int64_t linger_us;  /* how long a finished step is waited for before a poll is parked */
	int64_t goodbye_us; /* for the last results, in link_free() */
};
extern const struct link_settings link_settings_default;

MUST_CHECK bool link_new(const struct link_settings *settings, const struct link_runner *runner,
        OWNED struct link **out, struct err *e);
MUST_CHECK bool link_start(struct link *l, struct err *e);
/* Sends the last results if it can, and ends the thread. NULL is fine. */
void link_free(struct link *l);

/* ---- from any thread ---- */
/* A step came back from the runner. */
void link_report(struct link *l, OWNED struct step_report *report);
/* What the runner offers, or whether it has settled, has changed. */
void link_changed(struct link *l);
/* Takes no more steps; done(arg) is called once when nothing is held: here and now, or on the
 * link's thread. */
void link_drain(struct link *l, loop_fn done, void *arg);

/* A copy of the numbers as they are now. */
struct link_status link_status(struct link *l);

AUTO_DEFINE(link, struct link, link_free)

#endif
