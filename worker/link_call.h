/* One request of the link, and what its answer means to it. */
#ifndef WORKER_LINK_CALL_H
#define WORKER_LINK_CALL_H

#include "shared/fetch/fetch.h"

enum { LINK_WHY = 400 };

enum link_answer_kind {
	LINK_NO_ANSWER,    /* none, or one that says: try again */
	LINK_OK,           /* 200 */
	LINK_UNAUTHORIZED, /* the credential or session does not count (any more) */
	LINK_REFUSED,      /* this body will never be taken */
	LINK_WOKEN,        /* it was ended from outside */
};

struct link_call {
	const char *url, *path;
	const char *authorization; /* NULL: none */
	const struct buf *body;
	int64_t timeout_us;
	size_t reply_bytes;
	bool wakeable;
};

struct link_reply {
	struct fetch_response response;
	int64_t retry_after_us; /* 0: not said */
	bool too_long;          /* there was an answer, but longer than reply_bytes */
	char why[LINK_WHY];     /* for the log, where it is not LINK_OK */
};

/* Sends it and waits; out is set whatever comes of it. */
enum link_answer_kind link_call_send(
        struct fetch *f, const struct link_call *c, struct link_reply *out);
void link_reply_free(struct link_reply *r);

static inline void
auto_link_reply_(struct link_reply *r)
{
	link_reply_free(r);
}

#endif
