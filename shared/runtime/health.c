#include "shared/runtime/health.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct health_probe {
	struct health_probe_settings settings;
	_Atomic(enum health_state) state;
	_Atomic(const char *) text;
	_Atomic int64_t reported_us, took_us;
	_Atomic int64_t started_us; /* of the check that runs; 0: none does */
	int64_t due_us;             /* of the next check; the service loop's own */
};

struct health {
	struct health_probe probes[HEALTH_PROBES];
	size_t count;
	atomic_bool draining;
	struct loop *loop;
	struct loop_timer *timer;
};

/* The wait of a health without checks: nothing is due, so it hardly matters. */
static const int64_t idle_us = 60 * 1000000;

bool
health_new(OWNED struct health **out, struct err *e)
{
	struct health *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for health probes");
	*out = h;
	return true;
}

void
health_free(struct health *h)
{
	if (h == NULL)
		return;
	loop_timer_free(h->timer);
	free(h);
}

bool
health_add(struct health *h, const struct health_probe_settings *settings,
        BORROWED struct health_probe **out, struct err *e)
{
	struct health_probe *p;

	if (h->count == HEALTH_PROBES)
		return err_set(e, ERR_LIMIT, "more than %d health probes", HEALTH_PROBES);
	for (size_t i = 0; i < h->count; i++)
		if (strcmp(h->probes[i].settings.name, settings->name) == 0)
			return err_set(
			        e, ERR_CONFLICT, "two health probes are named %s", settings->name);
	p = &h->probes[h->count++];
	p->settings = *settings;
	*out = p;
	return true;
}

void
health_report(struct health_probe *p, enum health_state state, const char *text, int64_t mono_us)
{
	const int64_t started = atomic_exchange(&p->started_us, 0);

	if (started != 0)
		atomic_store(&p->took_us, mono_us - started);
	atomic_store(&p->text, text);
	atomic_store(&p->state, state);
	atomic_store(&p->reported_us, mono_us);
}

int64_t
health_run(struct health *h, int64_t mono_us)
{
	int64_t next = mono_us + idle_us;

	for (size_t i = 0; i < h->count; i++) {
		struct health_probe *p = &h->probes[i];

		if (p->settings.check == NULL)
			continue;
		if (p->due_us <= mono_us) {
			p->due_us = mono_us + p->settings.every_us;
			/* A check still under way is not started a second time. */
			if (atomic_load(&p->started_us) == 0) {
				atomic_store(&p->started_us, mono_us);
				p->settings.check(p, p->settings.arg);
			}
		}
		if (p->due_us < next)
			next = p->due_us;
	}
	return next - mono_us;
}

static void
on_timer(void *arg)
{
	struct health *h = arg;

	loop_timer_set(h->timer, health_run(h, loop_mono_us(h->loop)));
}

bool
health_start(struct health *h, struct loop *loop, struct err *e)
{
	assert(h->timer == NULL);
	if (!loop_timer_new(loop, on_timer, h, &h->timer, e))
		return err_while(e, "starting health checks");
	h->loop = loop;
	loop_timer_set(h->timer, 0);
	return true;
}

void
health_drain(struct health *h)
{
	atomic_store(&h->draining, true);
}

/* Replaces a report that no longer counts by what its absence means. */
static void
judge(const struct health_probe *p, int64_t mono_us, struct health_result *r)
{
	const struct health_probe_settings *s = &p->settings;
	const int64_t started = atomic_load(&p->started_us);
	const int64_t good_for =
	        s->check != NULL ? 2 * s->every_us + s->deadline_us : s->deadline_us;

	if (s->check != NULL && started != 0 && mono_us - started > s->deadline_us) {
		r->state = HEALTH_UNHEALTHY;
		r->text = "no answer in time";
	} else if (r->reported_us == 0) {
		r->state = HEALTH_UNKNOWN;
		r->text = "nothing reported yet";
	} else if (good_for > 0 && mono_us - r->reported_us > good_for) {
		r->state = HEALTH_UNKNOWN;
		r->text = "the last report is too old";
	}
}

bool
health_read(const struct health *h, size_t n, int64_t mono_us, struct health_result *out)
{
	const struct health_probe *p = &h->probes[n];

	if (n >= h->count)
		return false;
	*out = (struct health_result){.name = p->settings.name,
	        .critical = p->settings.critical,
	        .reported_us = atomic_load(&p->reported_us),
	        .state = atomic_load(&p->state),
	        .text = atomic_load(&p->text),
	        .took_us = atomic_load(&p->took_us)};
	judge(p, mono_us, out);
	return true;
}

bool
health_ready(const struct health *h, int64_t mono_us)
{
	struct health_result r;

	if (atomic_load(&h->draining))
		return false;
	for (size_t i = 0; health_read(h, i, mono_us, &r); i++)
		if (r.critical && r.state != HEALTH_HEALTHY && r.state != HEALTH_DEGRADED)
			return false;
	return true;
}

enum health_state
health_state(const struct health *h, int64_t mono_us)
{
	struct health_result r;

	if (!health_ready(h, mono_us))
		return HEALTH_UNHEALTHY;
	for (size_t i = 0; health_read(h, i, mono_us, &r); i++)
		if (r.state != HEALTH_HEALTHY)
			return HEALTH_DEGRADED;
	return HEALTH_HEALTHY;
}

static const char *
state_name(enum health_state s)
{
	switch (s) {
	case HEALTH_HEALTHY:
		return "healthy";
	case HEALTH_DEGRADED:
		return "degraded";
	case HEALTH_UNHEALTHY:
		return "unhealthy";
	case HEALTH_UNKNOWN:
	default:
		return "unknown";
	}
}

void
health_checks(const struct health *h, int64_t mono_us, struct json_out *w)
{
	struct health_result r;

	json_open(w, "checks", '{');
	for (size_t i = 0; health_read(h, i, mono_us, &r); i++)
		json_put_text(w, r.name, state_name(r.state));
	if (atomic_load(&h->draining))
		json_put_text(w, "shutdown", state_name(HEALTH_UNHEALTHY));
	json_close(w, '}');
}

void
health_details(const struct health *h, int64_t mono_us, int64_t wall_us, struct json_out *w)
{
	struct health_result r;

	json_open(w, "checks", '{');
	for (size_t i = 0; health_read(h, i, mono_us, &r); i++) {
		json_open(w, r.name, '{');
		json_put_text(w, "status", state_name(r.state));
		json_put_bool(w, "critical", r.critical);
		if (r.text != NULL)
			json_put_text(w, "message", r.text);
		json_put_int(w, "duration_ms", r.took_us / 1000);
		json_put_time(w, "last_checked",
		        r.reported_us == 0 ? 0 : wall_us - (mono_us - r.reported_us));
		json_close(w, '}');
	}
	if (atomic_load(&h->draining)) {
		json_open(w, "shutdown", '{');
		json_put_text(w, "status", state_name(HEALTH_UNHEALTHY));
		json_put_bool(w, "critical", true);
		json_put_text(w, "message", "the daemon is shutting down");
		json_close(w, '}');
	}
	json_close(w, '}');
}
