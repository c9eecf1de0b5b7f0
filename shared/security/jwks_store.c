#include "shared/security/jwks_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "shared/fetch/fetch.h"
#include "shared/security/jwk.h"
#include "shared/security/jwks_schedule.h"

enum { RETRY_US = 100000 }; /* after there was no memory */

struct jwks_store {
	char *url;
	struct security_live *live;
	struct fetch *fetch;
	jwks_news_fn news;
	void *arg;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct jwks_schedule schedule;
	struct algorithm_set algorithms;
	uint64_t rules;
	struct buf body; /* the last good set, as it came */
	size_t carried;  /* keys in force when jwks_store_keys() gave them to a reload */
	struct jwks_status status;
	bool closing;
};

/* The condition waits by the monotonic clock. Neither allocates in glibc, so neither fails. */
static void
make_lock(struct jwks_store *s)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

bool
jwks_store_new(const struct jwks_settings *settings, struct security_live *live,
        OWNED struct jwks_store **out, struct err *e)
{
	const struct fetch_options options = {.peer = "the issuer of keys",
	        .ca_path = settings->ca_path,
	        .public_only = !settings->allow_private};
	AUTO(jwks_store) struct jwks_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a JWKS store");
	s->live = live;
	s->algorithms = settings->algorithms;
	s->body = BUF(JWK_SET_BYTES_MAX);
	make_lock(s);
	s->url = strdup(settings->url);
	if (s->url == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a JWKS store");
	if (!fetch_new(&options, &s->fetch, e))
		return false;
	jwks_schedule_start(&s->schedule, settings->refresh_us, settings->max_stale_us, rand_u64(),
	        clock_mono_us());
	*out = TAKE(s);
	return true;
}

void
jwks_store_free(struct jwks_store *s)
{
	if (s == NULL)
		return;
	if (s->started) {
		(void)pthread_mutex_lock(&s->lock);
		s->closing = true;
		(void)pthread_cond_signal(&s->changed);
		(void)pthread_mutex_unlock(&s->lock);
		fetch_stop(s->fetch);
		(void)pthread_join(s->thread, NULL);
	}
	fetch_free(s->fetch);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	buf_free(&s->body);
	free(s->url);
	free(s);
}

/* ---- a fetch, on the thread, without the lock ---- */

/* RFC 7517 section 8.5.1 names application/jwk-set+json; issuers send application/json as well. */
static bool
is_json(const char *content_type)
{
	static const char *const types[] = {"application/jwk-set+json", "application/json"};

	for (size_t i = 0; i < COUNT(types); i++) {
		const size_t len = strlen(types[i]);

		if (strncasecmp(content_type, types[i], len) == 0 &&
		        (content_type[len] == '\0' || content_type[len] == ';' ||
		                content_type[len] == ' '))
			return true;
	}
	return false;
}

static bool
get(struct jwks_store *s, struct fetch_response *answer, struct err *e)
{
	static const struct fetch_header accept = {
	        "Accept", "application/jwk-set+json, application/json"};
	const struct fetch_request request = {.method = "GET",
	        .url = s->url,
	        .headers = &accept,
	        .header_count = 1,
	        .connect_timeout_ms = JWKS_CONNECT_MS,
	        .timeout_ms = JWKS_TOTAL_MS,
	        .response_max = JWK_SET_BYTES_MAX};

	if (!fetch_send(s->fetch, &request, answer, e))
		return false;
	if (answer->status != 200)
		return err_set(e, ERR_FORMAT, "the key set came with status %d", answer->status);
	if (!is_json(answer->content_type))
		return err_set(e, ERR_FORMAT, "the key set came as %.64s, not as JSON",
		        answer->content_type[0] != '\0' ? answer->content_type : "nothing named");
	return true;
}

struct fetched {
	size_t keys;
	int max_age_s;
	struct buf body;
	struct security_report left_out;
};

static bool
refresh(struct jwks_store *s, struct algorithm_set algorithms, uint64_t rules, struct fetched *f,
        struct err *e)
{
	AUTO(fetch_response) struct fetch_response answer = {.retry_after_s = -1};
	AUTO(key_set) struct key_set *keys = NULL;

	if (!get(s, &answer, e) || !jwk_set_import(answer.body.data, answer.body.len, algorithms,
	                                   &keys, &f->left_out, e))
		return false;
	f->keys = key_set_count(keys);
	f->max_age_s = answer.max_age_s;
	if (!security_live_set_user_keys(s->live, rules, keys, e))
		return false;
	(void)TAKE(keys);
	f->body = answer.body;
	answer.body = (struct buf){0};
	return true;
}

/* ---- the thread ---- */

static void
tell(struct jwks_store *s, const struct jwks_news *news)
{
	if (s->news != NULL)
		s->news(news, s->arg);
}

static void
note_success(struct jwks_store *s, struct fetched *f)
{
	(void)pthread_mutex_lock(&s->lock);
	jwks_schedule_succeeded(&s->schedule, f->max_age_s, clock_mono_us());
	buf_free(&s->body);
	s->body = f->body;
	s->status.keys = f->keys;
	s->status.failing = false;
	(void)pthread_mutex_unlock(&s->lock);
}

static void
note_failure(struct jwks_store *s, const struct err *why)
{
	(void)pthread_mutex_lock(&s->lock);
	jwks_schedule_failed(&s->schedule, rand_u64(), clock_mono_us());
	s->status.failures++;
	s->status.failing = true;
	(void)snprintf(s->status.last_error, sizeof(s->status.last_error), "%s", why->text);
	(void)pthread_mutex_unlock(&s->lock);
}

static void
fetch_once(struct jwks_store *s, struct algorithm_set algorithms, uint64_t rules)
{
	struct fetched f = {.max_age_s = -1};
	struct jwks_news news = {.event = JWKS_FETCHED, .left_out = &f.left_out};
	struct err e = {0};

	if (refresh(s, algorithms, rules, &f, &e)) {
		note_success(s, &f);
		news.keys = f.keys;
	} else {
		note_failure(s, &e);
		news.event = JWKS_FAILED;
		news.why = e.text;
	}
	tell(s, &news);
}

/* False: no memory to say so; the keys are still in force. */
static bool
expire(struct jwks_store *s, uint64_t rules)
{
	struct err e = {0};

	if (!security_live_set_user_keys(s->live, rules, NULL, &e) && e.code == ERR_NOMEM)
		return false;
	tell(s, &(struct jwks_news){.event = JWKS_EXPIRED});
	return true;
}

static void
wait_until(struct jwks_store *s, int64_t mono_us)
{
	const struct timespec until = {mono_us / 1000000, mono_us % 1000000 * 1000};

	(void)pthread_cond_timedwait(&s->changed, &s->lock, &until);
}

/* One thing that is due, or a wait. Under the lock, which it leaves meanwhile. */
static void
turn(struct jwks_store *s)
{
	const int64_t now_us = clock_mono_us();
	const struct algorithm_set algorithms = s->algorithms;
	const uint64_t rules = s->rules;
	bool done = true;

	if (jwks_schedule_expired(&s->schedule, now_us)) {
		s->status.keys = 0;
		(void)pthread_mutex_unlock(&s->lock);
		done = expire(s, rules);
		(void)pthread_mutex_lock(&s->lock);
		if (!done)
			s->schedule.has_keys = true;
	} else if (jwks_schedule_begin(&s->schedule, now_us)) {
		s->status.fetches++;
		(void)pthread_mutex_unlock(&s->lock);
		fetch_once(s, algorithms, rules);
		(void)pthread_mutex_lock(&s->lock);
	} else {
		wait_until(s, jwks_schedule_wake(&s->schedule));
	}
	if (!done)
		wait_until(s, now_us + RETRY_US);
}

static void *
serve(void *arg)
{
	struct jwks_store *s = arg;

	(void)pthread_setname_np(pthread_self(), "jwks");
	(void)pthread_mutex_lock(&s->lock);
	while (!s->closing)
		turn(s);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

bool
jwks_store_start(struct jwks_store *s, uint64_t rules, jwks_news_fn news, void *arg, struct err *e)
{
	s->rules = rules;
	s->news = news;
	s->arg = arg;
	if (pthread_create(&s->thread, NULL, serve, s) != 0)
		return err_set(e, ERR_IO, "no thread for the JWKS store");
	s->started = true;
	return true;
}

/* ---- reload ---- */

bool
jwks_store_keys(struct jwks_store *s, struct algorithm_set algorithms, OWNED struct key_set **out,
        struct err *e)
{
	AUTO(buf) struct buf copy = BUF(JWK_SET_BYTES_MAX);
	bool any;

	(void)pthread_mutex_lock(&s->lock);
	any = s->schedule.has_keys;
	s->carried = any ? s->status.keys : 0;
	if (any)
		buf_add(&copy, s->body.data, s->body.len);
	(void)pthread_mutex_unlock(&s->lock);
	if (!buf_ok(&copy))
		return err_set(e, ERR_NOMEM, "out of memory for a key set");
	if (any)
		return jwk_set_import(copy.data, copy.len, algorithms, out, NULL, e);
	*out = NULL;
	return true;
}

void
jwks_store_follow(struct jwks_store *s, const struct jwks_settings *settings, uint64_t rules)
{
	(void)pthread_mutex_lock(&s->lock);
	s->rules = rules;
	s->algorithms = settings->algorithms;
	s->schedule.refresh_us = settings->refresh_us;
	s->schedule.max_stale_us = settings->max_stale_us;
	if (s->carried > 0 && !s->schedule.has_keys) { /* they are in force again */
		s->schedule.has_keys = true;
		s->status.keys = s->carried;
	}
	jwks_schedule_now(&s->schedule, clock_mono_us());
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

void
jwks_store_unknown_key(const char *kid, void *store)
{
	struct jwks_store *s = store;

	(void)pthread_mutex_lock(&s->lock);
	if (jwks_schedule_unknown(&s->schedule, kid, clock_mono_us()))
		(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

void
jwks_store_status(struct jwks_store *s, struct jwks_status *out)
{
	(void)pthread_mutex_lock(&s->lock);
	*out = s->status;
	out->age_us = s->schedule.has_keys ? clock_mono_us() - s->schedule.fetched_us : -1;
	(void)pthread_mutex_unlock(&s->lock);
}
