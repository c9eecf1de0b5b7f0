/*
 * The handler of the fault tests: takes the demo's steps, waits as long as each asks for, and keeps
 * a book of what was executed that owes nothing to the daemons.
 *
 *     fault_handler FILE          the context's "ms" is how long a step takes, its "fail" how
 *                              many attempts of each step fail first
 *
 * A line of the book is one write(), so that a process killed at any moment leaves whole lines:
 * "begin|end|fail|cancel TASK STEP ATTEMPT MONOTONIC_US PROOF". The proof is a random word of this
 * execution; it is the step's result too, so whose result was stored can be told afterwards.
 *
 * When its worker dies it stays, on purpose: only the parent-death signal may end it. After a drain
 * it ends by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"
#include "shared/base/json_out.h"
#include "shared/base/rand.h"
#include "shared/base/uuid.h"

enum { FRAMES_IN = 3, FRAMES_OUT = 4, SLOTS = 16, NAME = 64, LINGER_MS = 60000, AGAIN_MS = 40 };

struct running {
	char id[NAME], task[UUID_TEXT], step[NAME];
	int64_t attempt, due_us;
	bool fails;
	uint64_t proof;
};

struct handler {
	int book;
	struct running steps[SLOTS]; /* id "": none */
	struct buf in;
	bool draining, alone;
};

static bool
say(struct buf *frame)
{
	size_t done = 0;

	buf_char(frame, '\n');
	while (buf_ok(frame) && done < frame->len) {
		const ssize_t n = write(FRAMES_OUT, frame->data + done, frame->len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	return done == frame->len;
}

static void
note(const struct handler *h, const char *what, const struct running *r)
{
	char line[256];
	const int len =
	        snprintf(line, sizeof(line), "%s %s %s %" PRId64 " %" PRId64 " %016" PRIx64 "\n",
	                what, r->task, r->step, r->attempt, clock_mono_us(), r->proof);

	if (write(h->book, line, (size_t)len) != len)
		(void)fprintf(stderr, "the book: %s\n", strerror(errno));
}

static void
ready(void)
{
	static const char *const callables[] = {
	        "demo.start", "demo.left", "demo.right", "demo.join", "demo.echo"};
	AUTO(buf) struct buf frame = BUF(KIB(4));
	struct json_out w = json_out_on(&frame);

	json_open(&w, NULL, '{');
	json_put_text(&w, "type", "ready");
	json_put_int(&w, "protocol", 1);
	json_put_text(&w, "name", "fault");
	json_put_int(&w, "slots", SLOTS);
	json_open(&w, "handlers", '[');
	for (size_t i = 0; i < COUNT(callables); i++)
		json_put_text(&w, NULL, callables[i]);
	json_close(&w, ']');
	json_close(&w, '}');
	(void)say(&frame);
}

static void
answer(const struct running *r, bool cancelled)
{
	AUTO(buf) struct buf frame = BUF(KIB(4));
	struct json_out w = json_out_on(&frame);
	char proof[17];

	(void)snprintf(proof, sizeof(proof), "%016" PRIx64, r->proof);
	json_open(&w, NULL, '{');
	json_put_text(&w, "type", cancelled || r->fails ? "error" : "result");
	json_put_text(&w, "id", r->id);
	if (cancelled) {
		json_put_text(&w, "code", "CANCELLED");
	} else if (r->fails) {
		json_put_text(&w, "code", "ASKED_TO_FAIL");
		json_put_int(&w, "retry_after_ms", AGAIN_MS);
	} else {
		json_open(&w, "result", '{');
		json_put_text(&w, "proof", proof);
		json_close(&w, '}');
	}
	json_close(&w, '}');
	(void)say(&frame);
}

static void
finish(struct handler *h, struct running *r, bool cancelled)
{
	note(h, cancelled ? "cancel" : r->fails ? "fail" : "end", r);
	answer(r, cancelled);
	r->id[0] = '\0';
}

static void
member(const struct json *doc, const char *name, char *out, size_t size)
{
	char *text = json_string_copy(doc, json_member(doc, json_root(doc), name), size - 1);

	(void)snprintf(out, size, "%s", text != NULL ? text : "");
	free(text);
}

static struct running *
find(struct handler *h, const char *id)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (strcmp(h->steps[i].id, id) == 0)
			return &h->steps[i];
	return NULL;
}

static void
begin(struct handler *h, const struct json *doc)
{
	struct running *r = find(h, "");
	int64_t ms = 0, fail = 0;

	if (r == NULL) {
		(void)fputs("more steps than were offered slots\n", stderr);
		return;
	}
	*r = (struct running){.proof = rand_u64()};
	member(doc, "id", r->id, sizeof(r->id));
	member(doc, "task", r->task, sizeof(r->task));
	member(doc, "step", r->step, sizeof(r->step));
	(void)json_int64(doc, json_member(doc, json_root(doc), "attempt"), &r->attempt);
	(void)json_int64(
	        doc, json_member(doc, json_member(doc, json_root(doc), "input"), "ms"), &ms);
	(void)json_int64(
	        doc, json_member(doc, json_member(doc, json_root(doc), "input"), "fail"), &fail);
	r->fails = r->attempt <= fail;
	r->due_us = clock_mono_us() + ms * 1000;
	note(h, "begin", r);
}

static void
cancel(struct handler *h, const struct json *doc)
{
	char id[NAME];
	struct running *r;

	member(doc, "id", id, sizeof(id));
	r = find(h, id);
	if (id[0] != '\0' && r != NULL)
		finish(h, r, true);
}

static void
pong(const struct json *doc)
{
	AUTO(buf) struct buf frame = BUF(KIB(1));
	int64_t n = 0;

	(void)json_int64(doc, json_member(doc, json_root(doc), "n"), &n);
	buf_format(&frame, "{\"type\":\"pong\",\"n\":%" PRId64 "}", n);
	(void)say(&frame);
}

static void
on_line(struct handler *h, const char *line, size_t len)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	char type[16];

	if (!json_parse(line, len, &json_limits_default, &doc, &e)) {
		(void)fprintf(stderr, "no frame: %s\n", e.text);
		return;
	}
	member(doc, "type", type, sizeof(type));
	if (strcmp(type, "step") == 0)
		begin(h, doc);
	else if (strcmp(type, "cancel") == 0)
		cancel(h, doc);
	else if (strcmp(type, "ping") == 0)
		pong(doc);
	else if (strcmp(type, "drain") == 0)
		h->draining = true;
}

static void
on_input(struct handler *h)
{
	char *room = buf_room(&h->in, KIB(64));
	const ssize_t n = room != NULL ? read(FRAMES_IN, room, KIB(64)) : -1;
	char *end;

	if (n <= 0) {
		h->alone = n == 0 || errno != EINTR;
		return;
	}
	h->in.len += (size_t)n;
	while ((end = memchr(h->in.data, '\n', h->in.len)) != NULL) {
		on_line(h, h->in.data, (size_t)(end - h->in.data));
		buf_drop(&h->in, (size_t)(end - h->in.data) + 1);
	}
}

/* Ends what is due; how long until the next is, -1 if nothing runs. */
static int
finish_due(struct handler *h)
{
	int wait = -1;

	for (size_t i = 0; i < SLOTS; i++) {
		struct running *r = &h->steps[i];
		const int64_t left_us = r->due_us - clock_mono_us();

		if (r->id[0] == '\0')
			continue;
		if (left_us <= 0)
			finish(h, r, false);
		else if (wait < 0 || left_us / 1000 + 1 < wait)
			wait = (int)(left_us / 1000 + 1);
	}
	return wait;
}

int
main(int argc, char **argv)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct handler h = {.in = BUF(MIB(16))};
	struct pollfd frames = {.fd = FRAMES_IN, .events = POLLIN};
	int wait;

	if (argc != 2)
		return 64;
	h.book = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (h.book < 0)
		return 73;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	ready();
	while ((wait = finish_due(&h)) >= 0 || !h.alone)
		if (poll(&frames, h.alone ? 0 : 1, wait) > 0)
			on_input(&h);
	if (!h.draining)
		(void)poll(NULL, 0, LINGER_MS);
	return 0;
}
