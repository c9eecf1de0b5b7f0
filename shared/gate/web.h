/*
 * A daemon's web side, composed: one listening socket, N loops, and on each an endpoint, a gate and
 * an authenticator of its own. Both daemons start it the same way.
 */
#ifndef SHARED_GATE_WEB_H
#define SHARED_GATE_WEB_H

#include "shared/gate/gate.h"
#include "shared/runtime/metrics.h"

struct web;

struct web_settings {
	const char *name;    /* of the threads: "http" gives "http-0" ... */
	const char *address; /* "127.0.0.1:8080"; port 0 picks one */
	int fd;              /* an inherited listening socket, or -1 */
	unsigned threads;    /* 0: one a core; at most WEB_THREADS */
	struct http_limits limits;
	struct tls_context *tls; /* taken by web_start() in any case; NULL: no TLS */
	struct gate_settings gate;
	struct security_live *security; /* the service in force */
	size_t cache_entries;           /* of each loop's token cache */
	session_find_fn find_session;   /* NULL: no sessions here */
	void *find_arg;
	struct metrics *metrics; /* NULL: nothing is counted */
};

enum { WEB_THREADS = 64 };

/*
 * Listens and serves. settings are copied, what they point to is borrowed and outlives the web.
 * ERR_BUSY: the port is taken. The table of gate_metrics.def is added to metrics here.
 */
MUST_CHECK bool web_start(
        const struct web_settings *settings, OWNED struct web **out, struct err *e);

int web_port(const struct web *w); /* the real one */
size_t web_loops(const struct web *w);
BORROWED struct loop *web_loop(const struct web *w, size_t n);
/* From any thread, where TLS is spoken: new connections speak it with t, taken (TL6). */
void web_tls(struct web *w, OWNED struct tls_context *t);

/*
 * Ends politely, called on home: stops accepting, lets running exchanges finish, and calls done on
 * home when all have, or after within_us, when the rest is cut (LM11). Again with 0: cut now; done
 * is still called once.
 */
MUST_CHECK bool web_drain(struct web *w, struct loop *home, int64_t within_us, loop_fn done,
        void *arg, struct err *e);
/*
 * Ends the loops' threads: nothing is accepted, read or handed to a handler any more. Requests that
 * wait for work elsewhere are still there: end that work now; web_free() delivers its mail.
 */
void web_stop(struct web *w);
/*
 * Stops first, delivers the mail the loops still have, and cuts what then still runs. After
 * web_drain() wait for done, or deliver home's mail between web_stop() and this: some of it may be
 * the web's. Then render the metrics no more. NULL is fine.
 */
void web_free(struct web *w);

AUTO_DEFINE(web, struct web, web_free)

#endif
