#include "worker/link.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/rand.h"
#include "shared/base/secret.h"
#include "worker/credential.h"
#include "worker/link_call.h"

enum {
	REGISTER_US = 30000000,
	/* The orchestration takes steps back that nobody lists when they are 2 s old. */
	CROSSED_WAIT_US = 2500000,
};

const struct link_settings link_settings_default = {
        .url = "http://127.0.0.1:8080",
        .worker = "worker",
        .slots = 8,
        .templates = "[]",
        .templates_len = 2,
        .poll_bytes = MIB(4),
        .reply_bytes = MIB(64),
        .wait_us = 25000000,
        .slack_us = 5000000,
        .backoff_us = 100000,
        .backoff_most_us = 5000000,
        .settle_us = 5000000,
        .linger_us = 1000,
        .goodbye_us = 1000000,
};

struct link {
	const struct link_settings *settings;
	struct link_runner runner;
	struct fetch *fetch;
	struct desk *desk;
	pthread_t thread;
	bool started;

	/* The rest is the thread's own. */
	struct link_session session; /* secret "": not registered */
	struct credential credential;
	int64_t renewed_us; /* when the last request that was answered was sent */
	bool released;      /* what is held was stopped for the lease */
	char id[UUID_TEXT]; /* of the poll under way; "": none, or it was answered */
	bool written;       /* body is that poll as it was sent, or will be */
	bool crossed;       /* one was ended from here: its answer may have been on its way */
	struct buf body;
	size_t results;   /* in that body */
	int64_t waits_us; /* how long it may be parked */
	size_t results_max, steps_max;
	int64_t backoff_us;
	int64_t end_by_us; /* 0: not ending */
	bool said_down;
	bool outdated;             /* the registration does not say what the handlers are now */
	int64_t register_after_us; /* ... and is not tried again before this */
	bool proved;               /* a poll was answered since the registration */
};

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- the lease ---- */

/* When what is held must be told to stop; never while nothing is known of a lease. */
static int64_t
guard_us(const struct link *l)
{
	return l->session.lease_us == 0 ? INT64_MAX : l->renewed_us + l->session.lease_us / 4 * 3;
}

static void
keep_lease(struct link *l)
{
	size_t running;

	if (l->released || clock_mono_us() < guard_us(l))
		return;
	l->released = true;
	running = desk_running(l->desk);
	if (running == 0)
		return;
	LOG(WARN, "link.lease_ends", INT_F("steps", running));
	l->runner.release_all(l->session.lease_us / 8, l->runner.arg);
}

/* No request may be waited for beyond the moment at which handlers must be stopped. */
static int64_t
within_lease(const struct link *l, int64_t timeout_us)
{
	return l->released ? timeout_us : least(timeout_us, guard_us(l) - clock_mono_us());
}

/* After a failure: longer each time, spread by a quarter, cut short by the lease and by the end. */
static void
back_off(struct link *l)
{
	const int64_t spread = l->backoff_us / 4;
	int64_t wait = l->backoff_us - spread + (int64_t)(rand_u64() % (uint64_t)(2 * spread + 1));

	l->backoff_us = least(2 * l->backoff_us, l->settings->backoff_most_us);
	(void)desk_wait(l->desk, DESK_ENDING, clock_mono_us() + within_lease(l, wait));
	keep_lease(l);
}

static void
answered(struct link *l, int64_t sent_us, bool registration)
{
	l->renewed_us = sent_us;
	l->released = false;
	l->backoff_us = l->settings->backoff_us;
	if (l->said_down)
		LOG(INFO, "link.up", TEXT_F("url", l->settings->url));
	l->said_down = false;
	desk_answered(l->desk, clock_mono_us(), registration);
}

static void
unanswered(struct link *l, const char *why)
{
	if (!l->said_down)
		LOG(WARN, "link.down", TEXT_F("url", l->settings->url), TEXT_F("why", why));
	l->said_down = true;
	desk_unanswered(l->desk);
}

/* The poll under way is written anew before it is sent again. Its id stays until it was answered:
 * so the steps in an answer that was lost come again. */
static void
rewrite_poll(struct link *l)
{
	l->written = false;
	l->results = 0;
	desk_unsend(l->desk);
}

/* Nothing is under way. */
static void
forget_poll(struct link *l)
{
	l->id[0] = '\0';
	rewrite_poll(l);
}

/* Sends body to path; what the answer says about our pace is obeyed. */
static enum link_answer_kind
call(struct link *l, struct link_call *c, struct link_reply *r)
{
	enum link_answer_kind kind;

	c->url = l->settings->url;
	c->reply_bytes = l->settings->reply_bytes;
	kind = link_call_send(l->fetch, c, r);
	if (r->retry_after_us > 0)
		l->backoff_us = r->retry_after_us;
	if (r->too_long && l->steps_max > 1)
		l->steps_max /= 2; /* that were too many steps at once for us */
	return kind;
}

/* ---- registering ---- */

static void
on_refused(const char *template, const char *why, void *arg)
{
	(void)arg;
	LOG(WARN, "template.refused", TEXT_F("template", template), TEXT_F("why", why));
}

static bool
registration(struct link *l, struct buf *out)
{
	AUTO(buf) struct buf callables = BUF(MIB(1));
	struct link_registration r = {.worker = l->settings->worker,
	        .boot = l->settings->boot,
	        .slots = l->settings->slots,
	        .namespaces = l->settings->namespaces,
	        .namespace_count = l->settings->namespace_count,
	        .templates = l->settings->templates,
	        .templates_len = l->settings->templates_len};

	l->runner.callables(&callables, l->runner.arg);
	r.callables = callables.data;
	r.callables_len = callables.len;
	link_registration_write(&r, out);
	return buf_ok(&callables) && buf_ok(out);
}

static bool
send_registration(struct link *l, const struct buf *body, char why[LINK_WHY])
{
	AUTO(link_reply) struct link_reply r;
	char authorization[CREDENTIAL_TEXT];
	struct link_call c = {.path = "/v1/internal/workers",
	        .body = body,
	        .timeout_us = within_lease(l, REGISTER_US),
	        .wakeable = true}; /* by the end only: it is not parked */
	const int64_t sent_us = clock_mono_us();
	struct link_session session;
	enum link_answer_kind kind;
	struct err e = {0};

	r = (struct link_reply){.why = ""};
	if (credential_exists(&l->credential)) {
		if (!credential_read(&l->credential, authorization, &e)) {
			(void)snprintf(why, LINK_WHY, "%s", e.text);
			return false;
		}
		c.authorization = authorization;
	}
	kind = call(l, &c, &r);
	secret_wipe(authorization, sizeof(authorization));
	memcpy(why, r.why, LINK_WHY);
	if (kind != LINK_OK)
		return false;
	if (!link_session_read(
	            r.response.body.data, r.response.body.len, on_refused, l, &session, &e)) {
		(void)snprintf(why, LINK_WHY, "%s", e.text);
		return false;
	}
	l->session = session;
	answered(l, sent_us, true);
	return true;
}

/* True: registered. */
static bool
enrol(struct link *l)
{
	AUTO(buf) struct buf body = BUF(l->settings->poll_bytes + MIB(2));
	char why[LINK_WHY] = "out of memory for a registration";

	if (!registration(l, &body) || !send_registration(l, &body, why)) {
		unanswered(l, why);
		l->register_after_us = clock_mono_us() + l->settings->backoff_most_us;
		return false;
	}
	forget_poll(l);
	l->outdated = l->proved = false;
	l->results_max = LINK_RESULTS_MAX;
	l->steps_max = l->settings->slots;
	LOG(INFO, "link.registered", TEXT_F("url", l->settings->url),
	        INT_F("lease_ms", l->session.lease_us / 1000));
	return true;
}

/* ---- polling ---- */

/* A poll renews the lease as of when it was sent, so it must be answered while there is time left
 * for the next one: half of what remains. */
static int64_t
park_us(const struct link *l)
{
	const int64_t term = l->session.lease_us / 4 * 3;
	const int64_t left = l->released ? term : guard_us(l) - clock_mono_us();

	return left > 0 ? left / 2 : 0;
}

static void
write_poll(struct link *l)
{
	const struct uuid id = uuid_v4();
	struct link_poll p = {.id = l->id,
	        .slots = l->settings->slots,
	        .results_max = l->results_max,
	        .steps_max = l->steps_max,
	        .bytes_max = l->settings->poll_bytes / 4 * 3};

	if (l->id[0] == '\0')
		uuid_text(&id, l->id);
	buf_free(&l->body);
	/* With steps at work every beat renews their lease. */
	l->waits_us =
	        (desk_look(l->desk) & DESK_IDLE) == 0 ? l->session.beat_us : l->settings->wait_us;
	l->waits_us = least(l->waits_us, park_us(l));
	if (l->crossed)
		l->waits_us = least(l->waits_us, CROSSED_WAIT_US);
	if (l->end_by_us > 0)
		l->waits_us = 0;
	p.wait_ms = l->waits_us / 1000;
	l->results = desk_write_poll(l->desk, &p, &l->body);
	l->written = true;
}

/* Only what can be read is an answer: a head cut short is a 200 too, without a body, and renews no
 * lease. */
static bool
use_answer(struct link *l, const struct fetch_response *r, int64_t sent_us)
{
	struct link_answer a;
	struct err e = {0};

	if (!link_answer_read(r->body.data, r->body.len, l->id, &a, &e)) {
		unanswered(l, e.text);
		return false;
	}
	answered(l, sent_us, false);
	l->proved = true;
	l->crossed = l->crossed && l->results > 0;
	/* After a refusal they went one by one: they may go together again. */
	if (l->results > 0)
		l->results_max = l->results_max < LINK_RESULTS_MAX / 2 ? 2 * l->results_max
		                                                       : LINK_RESULTS_MAX;
	/* The lease counts from when the poll was sent: an answer may have been long under way. */
	handout_apply(&a, l->desk, &l->runner, clock_mono_us() >= guard_us(l));
	forget_poll(l);
	link_answer_free(&a);
	return true;
}

/* The orchestration does not want this body. One result at a time finds the one it does not want;
 * that one becomes an error which says so. Without results nothing can be done but wait. */
static bool
on_refused_poll(struct link *l, const char *why)
{
	const size_t results = l->results;
	size_t dropped = 0;

	LOG(ERROR, "link.poll_refused", TEXT_F("why", why), INT_F("results", results));
	if (results == 1)
		dropped = desk_reduce(l->desk, why);
	if (dropped > 0)
		LOG(ERROR, "link.result_dropped", INT_F("results", dropped));
	l->results_max = 1;
	rewrite_poll(l);
	return results > 0;
}

static enum link_answer_kind
send_poll(struct link *l, struct link_reply *r)
{
	char authorization[LINK_SECRET_MAX + 8];
	struct link_call c = {.path = "/v1/internal/poll",
	        .authorization = authorization,
	        .body = &l->body,
	        .timeout_us = l->settings->slack_us + (l->results > 0 ? 0 : l->waits_us),
	        .wakeable = l->results == 0 && l->end_by_us == 0};
	enum link_answer_kind kind;

	c.timeout_us =
	        l->end_by_us > 0 ? l->end_by_us - clock_mono_us() : within_lease(l, c.timeout_us);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", l->session.secret);
	kind = call(l, &c, r);
	secret_wipe(authorization, sizeof(authorization));
	desk_unpark(l->desk);
	return kind;
}

static bool
on_session_ended(struct link *l, const char *why)
{
	const bool proved = l->proved;

	LOG(WARN, "link.session_ended", TEXT_F("why", why));
	l->session.secret[0] = '\0';
	forget_poll(l);
	return proved; /* one that never counted is not asked for again at once */
}

static bool
on_poll_answered(
        struct link *l, enum link_answer_kind kind, const struct link_reply *r, int64_t sent_us)
{
	switch (kind) {
	case LINK_OK:
		return use_answer(l, &r->response, sent_us);
	case LINK_WOKEN:
		l->crossed = true;
		rewrite_poll(l);
		return true;
	case LINK_UNAUTHORIZED:
		return on_session_ended(l, r->why);
	case LINK_REFUSED:
		return on_refused_poll(l, r->why);
	case LINK_NO_ANSWER:
		break;
	}
	unanswered(l, r->why);
	return false;
}

/* Sends the poll under way, or a new one. False: the next try should wait a little. */
static bool
poll_once(struct link *l)
{
	struct link_reply r = {.why = ""};
	const int64_t sent_us = clock_mono_us();
	bool ok;

	if (!l->written)
		write_poll(l);
	if (!buf_ok(&l->body)) {
		unanswered(l, "out of memory for a poll");
		rewrite_poll(l);
		return false;
	}
	if (l->results == 0 && l->end_by_us == 0 && !desk_park(l->desk)) {
		rewrite_poll(l); /* there is news since it was written */
		return true;
	}
	ok = on_poll_answered(l, send_poll(l, &r), &r, sent_us);
	link_reply_free(&r);
	return ok;
}

/* ---- the thread ---- */

/* At first the handlers may still have to say what they take. */
static void
wait_for_handlers(struct link *l)
{
	const int64_t until = clock_mono_us() + l->settings->settle_us;

	while (!l->runner.settled(l->runner.arg) && clock_mono_us() < until) {
		if ((desk_wait(l->desk, DESK_CHANGED | DESK_ENDING | DESK_DRAINING, until) &
		            (DESK_ENDING | DESK_DRAINING)) != 0)
			return;
		(void)desk_take_change(l->desk);
	}
}

/* Draining is over when nothing is held: no step at work, no result unsaid. */
static void
tell_drained(struct link *l)
{
	void *arg;
	const loop_fn fn = desk_take_drained(l->desk, &arg);

	if (fn != NULL)
		fn(arg);
}

/* A session that still counts is used on while a better registration is refused. */
static bool
must_register(struct link *l)
{
	const bool draining = (desk_look(l->desk) & DESK_DRAINING) != 0;

	if (desk_take_change(l->desk))
		l->outdated = true;
	if (l->session.secret[0] == '\0')
		return true;
	return ((l->outdated && !draining) || credential_is_new(&l->credential)) &&
	       clock_mono_us() >= l->register_after_us;
}

static bool
turn(struct link *l)
{
	tell_drained(l);
	if (must_register(l)) {
		if (enrol(l))
			return true;
		if (l->session.secret[0] == '\0')
			return false;
	}
	/* A step that is about to finish saves parking a poll only to drop it. */
	if (!l->written)
		(void)desk_wait(l->desk, DESK_FINISHED | DESK_IDLE | DESK_CHANGED | DESK_ENDING,
		        clock_mono_us() + l->settings->linger_us);
	return poll_once(l);
}

/* The last words: what is finished, and that nothing more is wanted. Steps that were on their way
 * to us come again under the poll's id, and are given back. */
static void
say_goodbye(struct link *l)
{
	bool ok = !l->said_down || (desk_look(l->desk) & DESK_FINISHED) != 0;

	l->end_by_us = clock_mono_us() + l->settings->goodbye_us;
	rewrite_poll(l);
	while (ok && l->session.secret[0] != '\0' && clock_mono_us() < l->end_by_us)
		ok = poll_once(l) && (desk_look(l->desk) & DESK_FINISHED) != 0;
}

static void *
thread_main(void *arg)
{
	struct link *l = arg;

	(void)pthread_setname_np(pthread_self(), "link");
	wait_for_handlers(l);
	while ((desk_look(l->desk) & DESK_ENDING) == 0) {
		const bool ok = turn(l);

		keep_lease(l);
		if (!ok)
			back_off(l);
	}
	say_goodbye(l);
	desk_leave(l->desk);
	return NULL;
}

/* ---- from other threads ---- */

void
link_report(struct link *l, OWNED struct step_report *report)
{
	desk_report(l->desk, report);
}

void
link_changed(struct link *l)
{
	desk_change(l->desk);
}

void
link_drain(struct link *l, loop_fn done, void *arg)
{
	desk_drain(l->desk, done, arg);
	tell_drained(l); /* at once if nothing is held, also while the orchestration is away */
}

struct link_status
link_status(struct link *l)
{
	return desk_status(l->desk);
}

/* ---- life ---- */

bool
link_new(const struct link_settings *settings, const struct link_runner *runner,
        OWNED struct link **out, struct err *e)
{
	AUTO(link) struct link *l = calloc(1, sizeof(*l));
	const struct fetch_options options = {
	        .peer = "the orchestration daemon", .ca_path = settings->ca_path};

	if (l == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the link");
	l->settings = settings;
	l->runner = *runner;
	l->credential.path = settings->token_path;
	l->backoff_us = settings->backoff_us;
	l->body = BUF(settings->poll_bytes + MIB(2));
	if (!fetch_new(&options, &l->fetch, e) || !desk_new(settings->slots, l->fetch, &l->desk, e))
		return false;
	*out = TAKE(l);
	return true;
}

bool
link_start(struct link *l, struct err *e)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&l->thread, NULL, thread_main, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return err_set(e, ERR_IO, "starting the link: %s", strerror(rc));
	l->started = true;
	return true;
}

static void
join(struct link *l)
{
	const int64_t until_us = clock_mono_us() + 2 * l->settings->goodbye_us;

	desk_end(l->desk);
	fetch_wake(l->fetch); /* a registration */
	if ((desk_wait(l->desk, DESK_LEFT, until_us) & DESK_LEFT) == 0)
		fetch_stop(l->fetch);
	(void)pthread_join(l->thread, NULL);
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	if (l->started)
		join(l);
	desk_free(l->desk);
	fetch_free(l->fetch);
	buf_free(&l->body);
	secret_wipe(&l->session, sizeof(l->session));
	free(l);
}
