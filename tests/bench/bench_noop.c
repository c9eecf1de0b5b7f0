/*
 * bench_noop [FILE]: a handler of the demo's steps that does nothing. At its end it writes to FILE,
 * one a line, how many microseconds lay between handing in a step's result and being given the next
 * step of the same task: the way to the orchestration, the commit that makes the next step ready,
 * and the way back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"
#include "shared/base/uuid.h"

enum { FRAMES_IN = 3, FRAMES_OUT = 4, SLOTS = 1024, WAITS_MAX = 65536 };

static const char ready[] =
        "{\"type\":\"ready\",\"protocol\":1,\"name\":\"noop\",\"handlers\":[\"demo.echo\"]}\n";
static const struct json_limits limits = {.bytes = MIB(4), .nodes = 10000, .depth = 64};

struct noop {
	struct buf in, out;
	char task[UUID_TEXT]; /* whose step was handed in last ... */
	int64_t handed_us;    /* ... and when */
	int64_t waits[WAITS_MAX];
	size_t wait_count;
};

/* Notes how long the task of this step has waited for it, if it is the task of the step before. */
static void
on_step(struct noop *n, const struct json *doc)
{
	const struct json_node *frame = json_root(doc);
	size_t id_len = 0, task_len = 0;
	const char *id = json_raw(doc, json_member(doc, frame, "id"), &id_len);
	const char *task = json_raw(doc, json_member(doc, frame, "task"), &task_len);

	if (task_len != UUID_TEXT + 1) /* with its quotes; UUID_TEXT counts the NUL */
		return;
	if (memcmp(n->task, task + 1, UUID_TEXT - 1) == 0 && n->wait_count < WAITS_MAX)
		n->waits[n->wait_count++] = clock_mono_us() - n->handed_us;
	memcpy(n->task, task + 1, UUID_TEXT - 1);
	buf_text(&n->out, "{\"type\":\"result\",\"id\":");
	buf_add(&n->out, id, id_len);
	buf_text(&n->out, ",\"result\":{\"done\":true}}\n");
}

static void
on_frame(struct noop *n, const char *line, size_t len)
{
	AUTO(json) struct json *doc = NULL;
	const struct json_node *type;
	struct err e = {0};
	int64_t ping = 0;

	if (!json_parse(line, len, &limits, &doc, &e)) {
		(void)fprintf(stderr, "bench_noop: %s\n", e.text);
		return;
	}
	type = json_member(doc, json_root(doc), "type");
	if (json_string_is(doc, type, "step"))
		on_step(n, doc);
	else if (json_string_is(doc, type, "ping") &&
	         json_int64(doc, json_member(doc, json_root(doc), "n"), &ping))
		buf_format(&n->out, "{\"type\":\"pong\",\"n\":%" PRId64 "}\n", ping);
}

/* Writes everything that is to be said. */
static bool
say(struct noop *n)
{
	size_t done = 0;

	while (done < n->out.len) {
		const ssize_t sent = write(FRAMES_OUT, n->out.data + done, n->out.len - done);

		if (sent < 0 && errno != EINTR)
			return false;
		done += sent > 0 ? (size_t)sent : 0;
	}
	if (done > 0)
		n->handed_us = clock_mono_us();
	buf_clear(&n->out);
	return true;
}

/* Answers each whole line of what has come. */
static bool
answer(struct noop *n)
{
	const char *from = n->in.data, *end = from + n->in.len, *nl;

	while (from < end && (nl = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		on_frame(n, from, (size_t)(nl - from));
		from = nl + 1;
	}
	buf_drop(&n->in, (size_t)(from - n->in.data));
	return buf_ok(&n->out) && say(n);
}

static int
write_waits(const struct noop *n, const char *path)
{
	FILE *out = fopen(path, "we");

	if (out == NULL) {
		perror(path);
		return 73;
	}
	for (size_t i = 0; i < n->wait_count; i++)
		(void)fprintf(out, "%" PRId64 "\n", n->waits[i]);
	return fclose(out) == 0 ? 0 : 74;
}

int
main(int argc, char **argv)
{
	static struct noop n;
	static char chunk[KIB(64)];
	ssize_t got = 0;

	if (argc > 2)
		return 64;
	n.in = n.out = BUF(MIB(16));
	buf_text(&n.out, ready);
	if (!say(&n))
		return 74;
	while ((got = read(FRAMES_IN, chunk, sizeof(chunk))) > 0 || (got < 0 && errno == EINTR)) {
		buf_add(&n.in, chunk, got > 0 ? (size_t)got : 0);
		if (!buf_ok(&n.in) || !answer(&n))
			break;
	}
	buf_free(&n.in);
	buf_free(&n.out);
	return argc == 2 ? write_waits(&n, argv[1]) : 0;
}
