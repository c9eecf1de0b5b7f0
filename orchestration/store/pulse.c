#include "orchestration/store/pulse.h"

#include <string.h>

enum { US_PER_MS = 1000 };

void
pulse_init(struct pulse *p)
{
	memset(p, 0, sizeof(*p));
	(void)pthread_mutex_init(&p->lock, NULL);
}

void
pulse_fail(struct pulse *p, const struct err *e)
{
	(void)pthread_mutex_lock(&p->lock);
	memcpy(p->error, e->text, sizeof(p->error));
	(void)pthread_mutex_unlock(&p->lock);
}

void
pulse_read(struct pulse *p, int64_t now_us, struct store_health *out)
{
	int64_t since = atomic_load(&p->since_us);

	memset(out, 0, sizeof(*out));
	out->fatal = atomic_load(&p->fatal);
	out->degraded = atomic_load(&p->degraded);
	out->progress_ms = since != 0 && now_us > since ? (now_us - since) / US_PER_MS : 0;
	out->commits = atomic_load(&p->commits);
	out->operations = atomic_load(&p->operations);
	out->rollbacks = atomic_load(&p->rollbacks);
	out->parked = atomic_load(&p->parked);
	(void)pthread_mutex_lock(&p->lock);
	memcpy(out->last_error, p->error, sizeof(out->last_error));
	(void)pthread_mutex_unlock(&p->lock);
}
