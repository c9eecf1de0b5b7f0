#include "tests/fault/prefill.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/rig.h"

enum { THREADS = 2, CONNECTIONS = 48 /* of one thread */, REPLY_MS = 15000, REQUEST = 1024 };

struct filler {
	pthread_t thread;
	struct crew *crew;
	int fds[CONNECTIONS];
};

struct crew {
	struct prefill *out;
	size_t most;
	int64_t until_us;
	uint64_t run;
	atomic_size_t asked, got, refused;
	atomic_bool broken;
	struct filler fillers[THREADS];
};

static bool
ask(int fd, uint64_t run, size_t n)
{
	char body[REQUEST], request[2 * REQUEST];
	const int len = snprintf(body, sizeof(body),
	        "{\"name\":\"stored\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":"
	        "{\"run\":%llu,\"n\":%zu},\"initiator\":\"fault\",\"source_system\":\"test\","
	        "\"reason\":\"to be there\"}",
	        (unsigned long long)run, n);
	const int all = snprintf(request, sizeof(request),
	        "POST /v1/tasks HTTP/1.1\r\nHost: fault\r\n" RIG_KEY
	        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	        len, body);

	return wire_send(fd, request, (size_t)all);
}

static bool
hear(struct crew *c, int fd)
{
	AUTO(wire_reply) struct wire_reply r = wire_read(fd, REPLY_MS, false, NULL);
	char *id;

	if (r.status == 503) {
		c->refused++;
		return true;
	}
	id = r.status == 201 ? pair_member(r.body, "task_uuid") : NULL;
	if (id != NULL && strlen(id) == UUID_TEXT - 1)
		memcpy(c->out->ids[c->got++], id, UUID_TEXT);
	else
		(void)fprintf(stderr, "POST /v1/tasks: %d %.200s\n", r.status,
		        r.body != NULL ? r.body : "");
	free(id);
	return id != NULL;
}

/* A request on every connection, then the replies to all of them. */
static bool
round_trip(struct filler *f)
{
	struct crew *c = f->crew;
	size_t sent = 0;

	while (sent < CONNECTIONS) {
		const size_t n = c->asked++;

		if (n >= c->most || !ask(f->fds[sent], c->run, n))
			break;
		sent++;
	}
	for (size_t i = 0; i < sent; i++)
		if (!hear(c, f->fds[i]))
			c->broken = true;
	return sent == CONNECTIONS && !c->broken;
}

static void *
filler_main(void *arg)
{
	struct filler *f = arg;

	while (clock_mono_us() < f->crew->until_us && round_trip(f))
		;
	return NULL;
}

static bool
connect_all(struct filler *f, int port)
{
	bool all = true;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		f->fds[i] = wire_connect(port);
		all = all && f->fds[i] >= 0;
	}
	return all;
}

static void
work(struct crew *c, int port)
{
	bool started[THREADS] = {false};

	for (size_t i = 0; i < THREADS; i++) {
		struct filler *f = &c->fillers[i];

		f->crew = c;
		started[i] = connect_all(f, port) &&
		             pthread_create(&f->thread, NULL, filler_main, f) == 0;
		c->broken = c->broken || !started[i];
	}
	for (size_t i = 0; i < THREADS; i++) {
		if (started[i])
			(void)pthread_join(c->fillers[i].thread, NULL);
		for (size_t n = 0; n < CONNECTIONS; n++)
			if (c->fillers[i].fds[n] >= 0)
				(void)close(c->fillers[i].fds[n]);
	}
}

bool
prefill_run(int port, size_t most, int within_ms, struct prefill *out)
{
	const int64_t from = clock_mono_us();
	struct crew c = {.out = out,
	        .most = most,
	        .until_us = from + (int64_t)within_ms * 1000,
	        .run = rand_u64() % 1000000};

	*out = (struct prefill){.ids = calloc(most + 1, sizeof(*out->ids)),
	        .texts = calloc(most + 1, sizeof(*out->texts))};
	if (out->ids == NULL || out->texts == NULL)
		return false;
	work(&c, port);
	out->count = c.got;
	out->refused = c.refused;
	out->took_ms = (int)((clock_mono_us() - from) / 1000);
	for (size_t i = 0; i < out->count; i++)
		out->texts[i] = out->ids[i];
	return !c.broken;
}

void
prefill_free(struct prefill *p)
{
	free(p->ids);
	free(p->texts);
	*p = (struct prefill){0};
}
