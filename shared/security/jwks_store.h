/*
 * Users' keys from an issuer's key set: fetched by a thread of its own, vetted, put in force.
 *
 * No request ever waits for a fetch: the thread publishes a new service (security_live.h) and the
 * loops follow. One fetch is under way at a time (JK7). Anything but a whole, sound, non-empty set
 * is a failure that leaves the keys in force as they are (JK8, JK9), until they are too old: then
 * bearers get 503, and all else goes on. jwks_schedule.h says when.
 */
#ifndef SHARED_SECURITY_JWKS_STORE_H
#define SHARED_SECURITY_JWKS_STORE_H

#include "shared/security/security_live.h"

enum { JWKS_CONNECT_MS = 3000, JWKS_TOTAL_MS = 5000, JWKS_ERROR_TEXT = 240 };

struct jwks_settings {
	const char *url;
	const char *ca_path; /* PEM of trusted issuers of certificates; NULL: the system's */
	bool allow_private;  /* addresses that are not public: see fetch.h */
	int64_t refresh_us, max_stale_us;
	struct algorithm_set algorithms;
};

enum jwks_event { JWKS_FETCHED, JWKS_FAILED, JWKS_EXPIRED };

/* What happened; for the log. Borrowed for the call. */
struct jwks_news {
	enum jwks_event event;
	const char *why; /* of FAILED */
	size_t keys;     /* of FETCHED */
	const struct security_report *left_out;
};
typedef void (*jwks_news_fn)(const struct jwks_news *news, void *arg); /* on the store's thread */

struct jwks_store;

/* Copies settings; live outlives it. Nothing is fetched before jwks_store_start(). */
MUST_CHECK bool jwks_store_new(const struct jwks_settings *settings, struct security_live *live,
        OWNED struct jwks_store **out, struct err *e);
/* Begins, for the service with these rules: security_service_rules(). */
MUST_CHECK bool jwks_store_start(
        struct jwks_store *s, uint64_t rules, jwks_news_fn news, void *arg, struct err *e);
/* Ends the fetch under way and the thread; NULL is fine. */
void jwks_store_free(struct jwks_store *s);

/*
 * The last good set once more, vetted for these algorithms; *out NULL: there is none in force. For
 * a reload, before the new service is published.
 */
MUST_CHECK bool jwks_store_keys(struct jwks_store *s, struct algorithm_set algorithms,
        OWNED struct key_set **out, struct err *e);
/* From now on for the service with these rules, and with these times and algorithms. Fetches at
 * once: somebody changed something, and a set may have come between jwks_store_keys() and this.
 * Keys that it gave and that ended meanwhile end once more. */
void jwks_store_follow(struct jwks_store *s, const struct jwks_settings *settings, uint64_t rules);

/* A token names this key, which is not there: for security_live_on_unknown_key(). */
void jwks_store_unknown_key(const char *kid, void *store);

struct jwks_status {
	size_t keys;    /* in force; 0: none, bearers get 503 */
	int64_t age_us; /* of the set in force; -1: none */
	bool failing;   /* the last fetch did */
	uint64_t fetches, failures;
	char last_error[JWKS_ERROR_TEXT]; /* "" while there was none */
};
/* From any thread. */
void jwks_store_status(struct jwks_store *s, struct jwks_status *out);

AUTO_DEFINE(jwks_store, struct jwks_store, jwks_store_free)

#endif
