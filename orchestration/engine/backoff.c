#include "orchestration/engine/backoff.h"

enum { MS_PER_S = 1000, JITTER_STEPS = 2 * BACKOFF_NO_JITTER + 1, JITTER_WHOLE = 100000 };

_Static_assert(BACKOFF_NO_JITTER * 100 == BACKOFF_JITTER_PERCENT * JITTER_WHOLE,
        "the middle of the range is no jitter, its ends are the full percentage");

/* base times factor, where factor grows with the failures; stops at the cap, so nothing overflows.
 */
static int64_t
grown(const struct backoff *b, int failures)
{
	int64_t delay = b->base_ms, before = 0;

	for (int n = 1; n < failures && delay < b->max_ms; n++) {
		int64_t last = delay;

		if (b->kind == TEMPLATE_BACKOFF_LINEAR)
			delay += b->base_ms;
		else if (b->kind == TEMPLATE_BACKOFF_EXPONENTIAL)
			delay *= 2;
		else
			delay += before; /* F: 1 1 2 3 5 */
		before = last;
	}
	return delay < b->max_ms ? delay : b->max_ms;
}

int64_t
backoff_delay_ms(const struct backoff *b, int failures, int64_t retry_after_ms, uint64_t random)
{
	const int64_t asked_max = (int64_t)BACKOFF_RETRY_AFTER_MAX_S * MS_PER_S;
	int64_t delay, jitter;

	if (retry_after_ms >= 0)
		return retry_after_ms < asked_max ? retry_after_ms : asked_max;
	if (b->kind == TEMPLATE_BACKOFF_NONE || b->base_ms <= 0)
		return 0;
	delay = grown(b, failures);
	jitter = (int64_t)(random % JITTER_STEPS) - BACKOFF_NO_JITTER;
	return delay + delay * jitter / JITTER_WHOLE;
}
