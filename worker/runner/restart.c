#include "worker/runner/restart.h"

enum { STREAK_MAX = 32 };

int64_t
restart_failed(struct restart *r, const struct restart_policy *p, int64_t now_us)
{
	int64_t delay = p->least_us;

	r->failed_us[r->next] = now_us;
	r->next = (r->next + 1) % RESTART_FAILURES;
	for (unsigned i = 0; i < r->streak && delay < p->most_us; i++)
		delay *= 2;
	if (r->streak < STREAK_MAX)
		r->streak++;
	return delay < p->most_us ? delay : p->most_us;
}

void
restart_worked(struct restart *r)
{
	r->streak = 0;
}

bool
restart_healthy(const struct restart *r, const struct restart_policy *p, int64_t now_us)
{
	/* The slot that is written next holds the oldest failure. */
	const int64_t oldest = r->failed_us[r->next];

	return oldest == 0 || now_us - oldest >= p->window_us;
}
