/*
 * bench_sink PORT FOLDER WORKERS SECONDS: workers whose handlers do nothing. Each registers, polls,
 * and reports every step it is given as done with its next poll. Prints "steps seconds": how many
 * reports were accepted, until the time is over or nothing is left to do.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"
#include "shared/base/uuid.h"
#include "tests/bench/bench_client.h"

enum { WORKERS_MAX = 4, FREE = 256, WAIT_MS = 200, IDLE_POLLS = 3, REPLY_MAX = 16 << 20 };

static const struct json_limits limits = {.bytes = REPLY_MAX, .nodes = 100000, .depth = 32};

struct sink {
	pthread_t thread;
	int port, number;
	const char *folder;
	int64_t until_us, last_us; /* last_us: when the last accepted report was answered */
	long accepted;
	bool failed;
};

static bool
fail(struct sink *s, const struct wire_reply *r, const char *what)
{
	(void)fprintf(
	        stderr, "bench_sink: %s: %d %s\n", what, r->status, r->body != NULL ? r->body : "");
	s->failed = true;
	return false;
}

/* Opens a session, whose secret is the client's bearer from now on. */
static bool
enlist(struct sink *s, struct bench_client *c)
{
	char body[512], boot[UUID_TEXT], secret[64] = "";
	struct uuid id = uuid_v4();
	struct wire_reply r;
	const char *at;
	int len;

	uuid_text(&id, boot);
	len = snprintf(body, sizeof(body),
	        "{\"proto\":1,\"worker\":\"sink-%d\",\"boot\":\"%s\",\"slots\":%d,"
	        "\"namespaces\":[\"demo\"],\"handlers\":[\"demo.*\"]}",
	        s->number, boot, FREE);
	r = bench_client_call(c, "POST", "/v1/internal/workers", body, (size_t)len);
	at = r.status == 200 ? strstr(r.body, "\"session\":\"") : NULL;
	if (at == NULL)
		(void)fail(s, &r, "registering");
	else
		(void)sscanf(at, "\"session\":\"%63[^\"]", secret);
	wire_reply_free(&r);
	return at != NULL && bench_client_bearer(c, secret);
}

/* Writes the report of one step frame. */
static void
report(const struct json *doc, const struct json_node *frame, bool first, struct buf *out)
{
	size_t step_len = 0, attempt_len = 0;
	const char *step = json_raw(doc, json_member(doc, frame, "step_uuid"), &step_len);
	const char *attempt = json_raw(doc, json_member(doc, frame, "attempt"), &attempt_len);

	buf_text(out, first ? "{\"step\":" : ",{\"step\":");
	buf_add(out, step, step_len);
	buf_text(out, ",\"attempt\":");
	buf_add(out, attempt, attempt_len);
	buf_text(out, ",\"outcome\":\"ok\",\"result\":{\"done\":true}}");
}

/* Reads an answer: counts what was accepted, and leaves the reports of its steps in reports. */
static bool
digest(struct sink *s, const struct wire_reply *r, struct buf *reports, size_t *given)
{
	AUTO(json) struct json *doc = NULL;
	const struct json_node *list;
	struct err e = {0};

	buf_clear(reports);
	if (r->status != 200 || !json_parse(r->body, r->body_len, &limits, &doc, &e))
		return fail(s, r, r->status == 200 ? e.text : "polling");
	list = json_member(doc, json_root(doc), "results");
	for (const struct json_node *n = json_first(doc, list); n != NULL; n = json_next(doc, n))
		if (json_string_is(doc, json_member(doc, n, "status"), "accepted"))
			s->accepted++;
	if (json_count(list) > 0)
		s->last_us = clock_mono_us();
	list = json_member(doc, json_root(doc), "steps");
	*given = json_count(list);
	for (const struct json_node *n = json_first(doc, list); n != NULL; n = json_next(doc, n))
		report(doc, n, reports->len == 0, reports);
	return buf_ok(reports);
}

static bool
poll_once(struct sink *s, struct bench_client *c, struct buf *reports, size_t *given)
{
	AUTO(buf) struct buf body = BUF(MIB(4));
	char id[UUID_TEXT];
	struct uuid poll = uuid_v4();
	struct wire_reply r;
	bool read;

	uuid_text(&poll, id);
	buf_format(&body, "{\"id\":\"%s\",\"free\":%d,\"held\":[],\"wait_ms\":%d,\"results\":[", id,
	        FREE, WAIT_MS);
	buf_add(&body, reports->data, reports->len);
	buf_text(&body, "]}");
	if (!buf_ok(&body))
		return false;
	r = bench_client_call(c, "POST", "/v1/internal/poll", body.data, body.len);
	read = digest(s, &r, reports, given);
	wire_reply_free(&r);
	return read;
}

static void *
run(void *arg)
{
	struct sink *s = arg;
	AUTO(buf) struct buf reports = BUF(MIB(4));
	struct bench_client c;
	char token[64];
	size_t given = 0;
	int idle = 0;

	(void)snprintf(token, sizeof(token), "sink-%d.token", s->number);
	s->failed = !bench_client_open(&c, s->port, s->folder, token) || !enlist(s, &c);
	while (!s->failed && idle < IDLE_POLLS && (clock_mono_us() < s->until_us || given > 0)) {
		if (!poll_once(s, &c, &reports, &given))
			s->failed = true;
		idle = given == 0 ? idle + 1 : 0;
		if (clock_mono_us() >= s->until_us)
			break;
	}
	bench_client_close(&c);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sink sinks[WORKERS_MAX] = {{0}};
	long workers = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
	double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
	int64_t from = clock_mono_us(), last = from + 1;
	long accepted = 0;
	bool failed = false;

	if (workers < 1 || workers > WORKERS_MAX || !(seconds > 0)) {
		(void)fputs("usage: bench_sink PORT FOLDER WORKERS(1..4) SECONDS\n", stderr);
		return 64;
	}
	for (int i = 0; i < workers; i++) {
		sinks[i] = (struct sink){.port = (int)strtol(argv[1], NULL, 10),
		        .number = i,
		        .folder = argv[2],
		        .until_us = from + (int64_t)(seconds * 1e6)};
		failed |= pthread_create(&sinks[i].thread, NULL, run, &sinks[i]) != 0;
	}
	for (int i = 0; i < workers && !failed; i++) {
		(void)pthread_join(sinks[i].thread, NULL);
		accepted += sinks[i].accepted;
		last = sinks[i].last_us > last ? sinks[i].last_us : last;
	}
	for (int i = 0; i < workers; i++)
		failed |= sinks[i].failed;
	(void)printf("%ld %.6f\n", accepted, (double)(last - from) / 1e6);
	return failed ? 1 : 0;
}
