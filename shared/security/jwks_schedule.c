#include "shared/security/jwks_schedule.h"

#include <string.h>

enum { US = 1000000 };

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
cooldown(const struct jwks_schedule *s)
{
	return least(JWKS_COOLDOWN_S * (int64_t)US, s->refresh_us);
}

void
jwks_schedule_start(struct jwks_schedule *s, int64_t refresh_us, int64_t max_stale_us,
        uint64_t hash_key, int64_t now_us)
{
	*s = (struct jwks_schedule){.refresh_us = refresh_us,
	        .max_stale_us = max_stale_us,
	        .hash_key = hash_key,
	        .next_us = now_us};
}

/* FNV-1a behind a secret: good enough to choose a place and to tell names apart in it; a collision
 * costs one fetch that does not happen. Never 0, which is an empty place. */
static uint64_t
hash_of(const struct jwks_schedule *s, const char *kid)
{
	uint64_t h = s->hash_key ^ UINT64_C(0xcbf29ce484222325);

	for (; *kid != '\0'; kid++)
		h = (h ^ (unsigned char)*kid) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	return h | 1;
}

/* Was this name not asked for of late? It is from now on. */
static bool
is_news(struct jwks_schedule *s, const char *kid, int64_t now_us)
{
	const uint64_t h = hash_of(s, kid);
	uint64_t *place = &s->strangers[(h >> 1) % JWKS_STRANGERS];
	bool news;

	if (now_us - s->strangers_us > JWKS_STRANGERS_S * (int64_t)US) {
		memset(s->strangers, 0, sizeof(s->strangers));
		s->strangers_us = now_us;
	}
	news = *place != h;
	*place = h;
	return news;
}

bool
jwks_schedule_unknown(struct jwks_schedule *s, const char *kid, int64_t now_us)
{
	const int64_t soon = most(now_us, s->begun_us + cooldown(s));

	if (!s->has_keys || s->fetching || s->wanted || s->next_us <= soon ||
	        !is_news(s, kid, now_us))
		return false;
	s->wanted = true;
	s->next_us = soon;
	return true;
}

void
jwks_schedule_now(struct jwks_schedule *s, int64_t now_us)
{
	s->again = s->fetching;
	s->next_us = now_us;
}

/* The fetch is over; the next one comes after the pause. */
static void
end_fetch(struct jwks_schedule *s, int64_t pause_us, int64_t now_us)
{
	s->next_us = s->again ? now_us : now_us + pause_us;
	s->fetching = s->wanted = s->again = false;
}

bool
jwks_schedule_begin(struct jwks_schedule *s, int64_t now_us)
{
	if (s->fetching || now_us < s->next_us)
		return false;
	s->fetching = true;
	s->begun_us = now_us;
	return true;
}

void
jwks_schedule_succeeded(struct jwks_schedule *s, int max_age_s, int64_t now_us)
{
	int64_t fresh = s->refresh_us;

	if (max_age_s >= 0)
		fresh = least(fresh, most(max_age_s, JWKS_FRESH_MIN_S) * (int64_t)US);
	s->has_keys = true;
	s->failures = 0;
	s->fetched_us = now_us;
	end_fetch(s, fresh, now_us);
}

void
jwks_schedule_failed(struct jwks_schedule *s, uint64_t random, int64_t now_us)
{
	int64_t pause = (int64_t)US << (s->failures < 6 ? s->failures : 6);

	pause = least(pause, JWKS_BACKOFF_MAX_S * (int64_t)US);
	if (s->has_keys)
		pause = most(pause, cooldown(s));
	pause += (int64_t)(random % ((uint64_t)pause / 4));
	s->failures++;
	end_fetch(s, pause, now_us);
}

bool
jwks_schedule_expired(struct jwks_schedule *s, int64_t now_us)
{
	if (!s->has_keys || now_us < s->fetched_us + s->refresh_us + s->max_stale_us)
		return false;
	s->has_keys = false;
	return true;
}

int64_t
jwks_schedule_wake(const struct jwks_schedule *s)
{
	const int64_t end = s->fetched_us + s->refresh_us + s->max_stale_us;

	return s->has_keys ? least(s->next_us, end) : s->next_us;
}
