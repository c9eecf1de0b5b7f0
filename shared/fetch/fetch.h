/*
 * A blocking HTTP/1.1 client for one server at a time: tasker-ctl asks the daemons with it, the
 * worker's link thread polls the orchestration.
 *
 * One thread at a time sends; its connection is kept for the next request. Another thread may wake
 * it: a parked poll then ends at once. http and https only, certificates are verified, redirects
 * are answers like any other, answers are neither decoded nor longer than the caller allows. The
 * process must ignore SIGPIPE (process_prepare does): TLS writes may raise it.
 */
#ifndef SHARED_FETCH_FETCH_H
#define SHARED_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

enum { FETCH_HEADERS_MAX = 16 }; /* of a request */

struct fetch;

struct fetch_options {
	const char *peer;    /* who is asked, for advice in errors; NULL: "the server" */
	const char *ca_path; /* PEM file of trusted issuers; NULL: the system's */
	bool env_proxy;      /* obey http_proxy and its kin; otherwise no proxy, ever */
	bool public_only;    /* refuse addresses that are not public: see fetch_address.h */
};

struct fetch_header {
	const char *name, *value;
};

struct fetch_request {
	const char *method; /* an upper-case word: GET, POST, HEAD ... */
	const char *url;    /* http or https, without user name and password */
	const struct fetch_header *headers;
	size_t header_count;
	const void *body; /* sent as application/json unless a header says otherwise */
	size_t body_len;
	int connect_timeout_ms; /* to the end of the TLS handshake */
	int timeout_ms;         /* of everything */
	size_t response_max;    /* bytes of the body of the answer */
	bool wakeable;          /* may fetch_wake() end it? */
};

/* An answer. Header texts are "" when absent or too long for their place. */
struct fetch_response {
	int status;        /* 0: woken before there was an answer */
	int retry_after_s; /* -1: absent, or not a number of seconds */
	int max_age_s;     /* of Cache-Control; 0 also for no-store and no-cache; -1: absent */
	char content_type[128];
	char request_id[80];
	char location[1024];
	struct buf body;
};

/* options are copied. */
MUST_CHECK bool fetch_new(
        const struct fetch_options *options, OWNED struct fetch **out, struct err *e);
void fetch_free(struct fetch *f); /* NULL is fine; no request may be under way */

/*
 * Sends a request and waits for the whole answer; sends it once more, on a new connection, when the
 * kept one turns out dead before any byte of an answer. True: any status the server gave, or 0 when
 * woken; then the server may or may not have seen the request. False: no usable answer; ERR_IO for
 * the network, ERR_FORMAT for a request that cannot be sent, ERR_LIMIT for an answer too long. The
 * text says what to do about it and holds no header, body or path.
 */
MUST_CHECK bool fetch_send(struct fetch *f, const struct fetch_request *request,
        struct fetch_response *out, struct err *e);
void fetch_response_free(struct fetch_response *r); /* empty again */

/* From any thread: ends the wakeable request under way, or else the next one, before it is sent. */
void fetch_wake(struct fetch *f);

/* From any thread: ends the request under way and all later ones, wakeable or not. */
void fetch_stop(struct fetch *f);

AUTO_DEFINE(fetch, struct fetch, fetch_free)

static inline void
auto_fetch_response_(struct fetch_response *r)
{
	fetch_response_free(r);
}

#endif
