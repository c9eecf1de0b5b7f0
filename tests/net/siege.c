#include "tests/net/siege.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/base/buf.h"
#include "tests/unit/unit.h"

enum {
	CONTEXT = 900000, /* bytes of a task's context: its reply is as large */
	PATIENCE_MS = 3000,
};

static const struct siege_limits long_limits = {10000, 30000, 60000, 30000},
                                 short_limits = {700, 1500, 1200, 1000};

void
siege_limit(const char *name, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", value);
	ck_assert_int_eq(setenv(name, text, 1), 0);
}

static void
make_large(struct siege *s)
{
	AUTO(buf) struct buf body = BUF(MIB(2));
	struct wire_reply r;
	char *id;

	buf_text(&body, "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\","
	                "\"context\":{\"large\":\"");
	for (int i = 0; i < CONTEXT; i++)
		buf_char(&body, 'x');
	buf_text(&body,
	        "\"},\"initiator\":\"net\",\"source_system\":\"test\",\"reason\":\"large\"}");
	buf_char(&body, '\0');
	r = rig_call(&s->rig, "POST", "/v1/tasks", body.data);
	id = pair_member(r.body, "task_uuid");
	ck_assert_msg(r.status == 201 && id != NULL, "%d %s", r.status, r.body);
	(void)snprintf(s->large, sizeof(s->large),
	        "GET /v1/tasks/%s HTTP/1.1\r\nHost: net\r\n" RIG_KEY "\r\n", id);
	wire_reply_free(&r);
	free(id);
}

void
siege_start(struct siege *s, bool worker)
{
	struct traffic_settings load = {.creates_per_s = 20, .reads_per_s = 80, .step_ms = 4};

	*s = (struct siege){.is_long = getenv("NET_LONG") != NULL};
	s->limits = s->is_long ? long_limits : short_limits;
	s->crowd = s->is_long ? 1000 : 150;
	siege_limit("TASKER_LIMITS_HEAD_TIMEOUT_MS", s->limits.head_ms);
	siege_limit("TASKER_LIMITS_BODY_TIMEOUT_MS", s->limits.body_ms);
	siege_limit("TASKER_LIMITS_IDLE_TIMEOUT_MS", s->limits.idle_ms);
	siege_limit("TASKER_LIMITS_WRITE_TIMEOUT_MS", s->limits.write_ms);
	ck_assert(rig_start(&s->rig, !worker));
	s->port = worker ? s->rig.pair.worker.port : s->rig.pair.orchestration.port;
	s->pid = worker ? s->rig.pair.worker.pid : s->rig.pair.orchestration.pid;
	if (worker) {
		load = (struct traffic_settings){.reads_per_s = 100, .read_path = "/v1/templates"};
		(void)snprintf(s->large, sizeof(s->large),
		        "GET /api-docs/openapi.json HTTP/1.1\r\nHost: net\r\n\r\n");
	} else {
		make_large(s);
	}
	load.port = s->port;
	s->traffic = traffic_start(&load);
	ck_assert_ptr_nonnull(s->traffic);
	ck_assert(meter_read(s->pid, &s->before));
}

void
siege_finish(struct siege *s, const char *what, int p99_ms)
{
	const long peak = meter_peak_kib(s->pid);
	struct traffic_numbers n;
	struct histogram times;
	struct meter after;

	traffic_stop(s->traffic);
	n = traffic_numbers(s->traffic);
	traffic_times(s->traffic, &times);
	ck_assert(meter_read(s->pid, &after));
	(void)printf("net: %s: traffic p50 %.1f ms, p99 %.1f ms, most %.1f ms of %llu requests; "
	             "resident at most %ld MiB; %.2f cores\n",
	        what, (double)histogram_at(&times, 0.5) / 1000,
	        (double)histogram_at(&times, 0.99) / 1000, (double)times.max / 1000,
	        (unsigned long long)times.total, peak / 1024, meter_cores(&s->before, &after));
	(void)fflush(stdout);
	ck_assert_uint_eq(n.failed, 0);
	ck_assert_uint_gt(n.read, 0);
	ck_assert_int_lt(histogram_at(&times, 0.99), p99_ms * 1000);
	ck_assert_int_gt(peak, 0);
	ck_assert_int_le(peak, SIEGE_RSS_KIB);
	traffic_free(s->traffic);
	ck_assert(rig_stop(&s->rig));
	rig_remove(&s->rig);
}

void
siege_expect(struct crowd *c, const char *what, int status, int from_ms, int to_ms)
{
	const struct crowd_numbers n = crowd_numbers(c);
	struct histogram times;
	int late_ms;

	ck_assert_msg(crowd_ends(c, to_ms + PATIENCE_MS), "%s: %zu of %zu have ended", what,
	        n.ended, n.connected);
	ck_assert_uint_eq(n.refused, 0);
	ck_assert_msg(crowd_status(c, status) == n.connected, "%s: %zu of %zu got %d", what,
	        crowd_status(c, status), n.connected, status);
	crowd_end_times(c, &times);
	if (status == 408)
		crowd_answer_times(c, &times);
	late_ms = 2 * crowd_late_ms(c);
	late_ms = late_ms < SIEGE_LATE_MS ? late_ms : SIEGE_LATE_MS;
	(void)printf("net: %zu %s: %d, %lld to %llu ms; allowed for the machine: %d ms\n",
	        n.connected, what, status, (long long)histogram_at(&times, 0.001),
	        (unsigned long long)times.max, late_ms);
	(void)fflush(stdout);
	ck_assert_int_ge(histogram_at(&times, 0), from_ms - SIEGE_EXACT_MS);
	ck_assert_int_le((int64_t)times.max, to_ms + SIEGE_EXACT_MS + late_ms);
	crowd_free(c);
}

struct crowd *
siege_crowd(const struct siege *s, struct crowd_settings how)
{
	struct crowd *c;

	how.port = s->port;
	how.count = how.count > 0 ? how.count : s->crowd;
	c = crowd_start(&how);
	ck_assert_ptr_nonnull(c);
	return c;
}
