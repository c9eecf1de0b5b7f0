/*
 * Composable readiness: named probes and one answer.
 *
 * A probe is either reported by its owner whenever something changes, or checked: then its check
 * function is started every so often on the service loop and reports when it knows. A report counts
 * for a limited time. What a critical probe has not said, or said too long ago, is no readiness.
 * Reports and readings are atomics, so any thread may give and take them without a lock.
 */
#ifndef SHARED_RUNTIME_HEALTH_H
#define SHARED_RUNTIME_HEALTH_H

#include "shared/base/json_out.h"
#include "shared/runtime/loop.h"

enum health_state { HEALTH_UNKNOWN = 0, HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };

struct health;
struct health_probe;

/* Starts a check; must not block. The answer is a health_report(), at once or later. */
typedef void (*health_check_fn)(struct health_probe *probe, void *arg);

struct health_probe_settings {
	const char *name;      /* "store"; borrowed, outlives the health */
	bool critical;         /* readiness needs it */
	health_check_fn check; /* NULL: its owner reports */
	void *arg;
	int64_t every_us;    /* between checks: how long an answer is cached */
	int64_t deadline_us; /* a check must answer within it; without a check: a report is stale
	                        after it, 0 never */
};

enum { HEALTH_PROBES = 16 };

MUST_CHECK bool health_new(OWNED struct health **out, struct err *e);
void health_free(struct health *h); /* on its loop or after it ended */

/* Before other threads see h. ERR_LIMIT past HEALTH_PROBES, ERR_CONFLICT for a name used twice. */
MUST_CHECK bool health_add(struct health *h, const struct health_probe_settings *settings,
        BORROWED struct health_probe **out, struct err *e);

/* From any thread. text is a literal: it outlives everything; NULL for none. */
void health_report(
        struct health_probe *p, enum health_state state, const char *text, int64_t mono_us);

/* Runs the checks on loop from now on. */
MUST_CHECK bool health_start(struct health *h, struct loop *loop, struct err *e);
/* Starts the checks that are due; returns the microseconds until the next is. health_start() does
 * this; tests give their own time. */
int64_t health_run(struct health *h, int64_t mono_us);

/* The daemon is going down: no longer ready, whatever the probes say. From any thread. */
void health_drain(struct health *h);

/* ---- questions, from any thread ---- */
struct health_result {
	const char *name, *text;
	bool critical;
	enum health_state state;
	int64_t reported_us; /* monotonic; 0: never */
	int64_t took_us;     /* of its last finished check */
};
/* The nth probe as it stands; false past the last. */
bool health_read(const struct health *h, size_t n, int64_t mono_us, struct health_result *out);
/* No critical probe is unhealthy or unknown, and nobody called health_drain(). */
bool health_ready(const struct health *h, int64_t mono_us);
/* Unhealthy where it is not ready, degraded where any probe is not healthy, else healthy. */
enum health_state health_state(const struct health *h, int64_t mono_us);

/* "checks": {"store": "healthy"}: names and states, no texts. */
void health_checks(const struct health *h, int64_t mono_us, struct json_out *w);
/* "checks": {"store": {"status", "message", "duration_ms", "last_checked"}}. */
void health_details(const struct health *h, int64_t mono_us, int64_t wall_us, struct json_out *w);

AUTO_DEFINE(health, struct health, health_free)

#endif
