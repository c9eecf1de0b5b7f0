/*
 * When a published key set is fetched, and how long the keys of the last one count. Pure: times are
 * given, monotonic and in microseconds, so that no jump of the wall clock moves anything (JK16).
 *
 *   refresh   after the set's own max-age, within [60 s, refresh]; the first at once
 *   unknown   a token names a key that is not there: at once, but never within the cool-down of the
 *             last fetch, whatever came of that, and not again within five minutes for a name that
 *             was fetched for in vain (JK6)
 *   failed    with keys again after the cool-down, without after 1, 2, 4 ... 60 s and up to a
 *             quarter more by chance
 *   expired   keys older than refresh + max_stale count no more (JK8)
 *
 * So with keys there are at most two fetches a minute, whatever arrives and whatever the issuer
 * does.
 */
#ifndef SHARED_SECURITY_JWKS_SCHEDULE_H
#define SHARED_SECURITY_JWKS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	JWKS_COOLDOWN_S = 30,
	JWKS_FRESH_MIN_S = 60,
	JWKS_BACKOFF_MAX_S = 60,
	JWKS_STRANGERS = 1024, /* names remembered that are no key's */
	JWKS_STRANGERS_S = 300 /* for so long */
};

/* Plain data; the fields are the schedule's. */
struct jwks_schedule {
	int64_t refresh_us, max_stale_us;
	bool has_keys, fetching;
	bool wanted;        /* a key name asked for a fetch */
	bool again;         /* what is being fetched was asked for too early */
	int64_t fetched_us; /* when the set in force was fetched */
	int64_t begun_us;   /* the last fetch; 0: none yet */
	int64_t next_us;
	unsigned failures; /* in a row */
	uint64_t hash_key;
	int64_t strangers_us;               /* when the first of them came */
	uint64_t strangers[JWKS_STRANGERS]; /* by hash; 0: empty */
};

/* No keys, and the first fetch is due now. hash_key is random: strangers choose the names. */
void jwks_schedule_start(struct jwks_schedule *s, int64_t refresh_us, int64_t max_stale_us,
        uint64_t hash_key, int64_t now_us);

/* A token names this key, which is not there. True: a fetch is due earlier than before. */
bool jwks_schedule_unknown(struct jwks_schedule *s, const char *kid, int64_t now_us);

/* A fetch is due now, whatever was planned; one that is under way is followed by another. */
void jwks_schedule_now(struct jwks_schedule *s, int64_t now_us);

/* Is a fetch due? Says so once: it begins now, and ends with one of the next two. */
bool jwks_schedule_begin(struct jwks_schedule *s, int64_t now_us);
void jwks_schedule_succeeded(
        struct jwks_schedule *s, int max_age_s, int64_t now_us); /* < 0: none */
void jwks_schedule_failed(struct jwks_schedule *s, uint64_t random, int64_t now_us);

/* Are the keys too old? Says so once: they are gone then. */
bool jwks_schedule_expired(struct jwks_schedule *s, int64_t now_us);

/* When there is something to do next. */
int64_t jwks_schedule_wake(const struct jwks_schedule *s);

#endif
