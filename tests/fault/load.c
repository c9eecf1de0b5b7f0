#include "tests/fault/load.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/uuid.h"
#include "tests/fault/rig.h"

enum { REPLY_MS = 15000, AGAIN_MS = 5, RESOLVE_TRIES = 200, BODY = 512 };

struct wish {
	char id[UUID_TEXT]; /* "": not known */
	int status;         /* of the first reply; 0: there was none */
};

struct client {
	pthread_t thread;
	bool running;
	const struct load *load;
	unsigned number;
	int fd; /* -1: not connected */
	struct wish *wishes;
	atomic_size_t sent, acknowledged, open, wrong;
};

struct load {
	struct load_settings settings;
	atomic_bool ending;
	struct client clients[LOAD_THREADS];
};

/* A number that depends on the seed and on which request this is, and on nothing else. */
static uint64_t
number_of(const struct client *c, size_t n)
{
	uint64_t x = c->load->settings.seed + c->number * UINT64_C(0x9E3779B97F4A7C15) +
	             n * UINT64_C(0xD1B54A32D192ED03);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static void
body_of(const struct client *c, size_t n, char out[BODY])
{
	const uint64_t number = number_of(c, n);

	(void)snprintf(out, BODY,
	        "{\"name\":\"%s\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":"
	        "{\"run\":%llu,\"client\":%u,\"request\":%zu,\"ms\":%d,\"fail\":%d},"
	        "\"initiator\":\"fault\","
	        "\"source_system\":\"test\",\"reason\":\"load\"}",
	        number % 2 == 0 ? "diamond" : "linear", (unsigned long long)c->load->settings.seed,
	        c->number, n, (int)(number / 2 % (uint64_t)(c->load->settings.step_ms + 1)),
	        c->load->settings.failures);
}

/* One request over the kept connection; status 0 if it ended under us. body NULL: none. */
static struct wire_reply
ask(struct client *c, const char *method, const char *path, const char *body)
{
	struct wire_reply r = {.status = 0};
	char length[96] = "", request[2 * BODY];
	int len;

	if (body != NULL)
		(void)snprintf(length, sizeof(length),
		        "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	len = snprintf(request, sizeof(request),
	        "%s %s HTTP/1.1\r\nHost: fault\r\n" RIG_KEY "%s\r\n%s", method, path, length,
	        body != NULL ? body : "");
	if (c->fd < 0)
		c->fd = wire_connect(c->load->settings.port);
	if (c->fd >= 0 && wire_send(c->fd, request, (size_t)len))
		r = wire_read(c->fd, REPLY_MS, false, NULL);
	if (c->fd >= 0 && (r.status == 0 || wire_field(&r, "Connection") != NULL)) {
		(void)close(c->fd);
		c->fd = -1;
	}
	return r;
}

/* Takes the id out of a 201, or out of the 409 for a request that was sent before. */
static bool
take_id(struct wish *w, const struct wire_reply *r)
{
	char *id = pair_member(r->body, "task_uuid");
	const bool whole = id != NULL && strlen(id) == UUID_TEXT - 1;

	if (whole)
		memcpy(w->id, id, UUID_TEXT);
	free(id);
	return whole;
}

static void
create(struct client *c, size_t n)
{
	struct wish *w = &c->wishes[n];
	struct wire_reply r;
	char body[BODY];

	body_of(c, n, body);
	r = ask(c, "POST", "/v1/tasks", body);
	w->status = r.status;
	if (r.status == 201 && take_id(w, &r)) {
		c->acknowledged++;
	} else if (r.status == 0 || r.status == 503) {
		c->open++;
		(void)poll(NULL, 0, AGAIN_MS);
	} else {
		c->wrong++;
		(void)fprintf(
		        stderr, "POST /v1/tasks: %d %s\n", r.status, r.body != NULL ? r.body : "");
	}
	wire_reply_free(&r);
	c->sent++;
}

static void *
client_main(void *arg)
{
	struct client *c = arg;

	for (size_t n = 0; n < LOAD_MAX && !c->load->ending; n++) {
		create(c, n);
		(void)poll(NULL, 0, c->load->settings.pause_ms);
	}
	return NULL;
}

struct load *
load_start(const struct load_settings *settings)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->settings = *settings;
	for (unsigned i = 0; i < LOAD_THREADS; i++) {
		struct client *c = &l->clients[i];

		c->load = l;
		c->number = i;
		c->fd = -1;
		c->wishes = calloc(LOAD_MAX, sizeof(*c->wishes));
		c->running =
		        c->wishes != NULL && pthread_create(&c->thread, NULL, client_main, c) == 0;
		if (!c->running) {
			load_free(l);
			return NULL;
		}
	}
	return l;
}

void
load_stop(struct load *l)
{
	l->ending = true;
	for (size_t i = 0; i < LOAD_THREADS; i++)
		if (l->clients[i].running)
			(void)pthread_join(l->clients[i].thread, NULL);
	for (size_t i = 0; i < LOAD_THREADS; i++)
		l->clients[i].running = false;
}

void
load_free(struct load *l)
{
	if (l == NULL)
		return;
	load_stop(l);
	for (size_t i = 0; i < LOAD_THREADS; i++) {
		if (l->clients[i].load != NULL && l->clients[i].fd >= 0)
			(void)close(l->clients[i].fd);
		free(l->clients[i].wishes);
	}
	free(l);
}

/* The same request again: now it exists, or it did already. */
static bool
resolve(struct client *c, size_t n)
{
	struct wish *w = &c->wishes[n];
	char body[BODY];

	body_of(c, n, body);
	for (int i = 0; w->id[0] == '\0' && i < RESOLVE_TRIES; i++) {
		struct wire_reply r = ask(c, "POST", "/v1/tasks", body);

		if (r.status == 201 || r.status == 409)
			(void)take_id(w, &r);
		else
			(void)poll(NULL, 0, AGAIN_MS);
		wire_reply_free(&r);
	}
	if (w->id[0] == '\0')
		(void)fprintf(stderr, "request %zu of client %u stays open\n", n, c->number);
	return w->id[0] != '\0';
}

bool
load_resolve(struct load *l)
{
	for (size_t i = 0; i < LOAD_THREADS; i++)
		for (size_t n = 0; n < l->clients[i].sent; n++)
			if (!resolve(&l->clients[i], n))
				return false;
	return true;
}

static bool
is_complete(struct client *c, const char *id, int64_t until_us)
{
	char path[80], *status = NULL;
	bool complete = false;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	do {
		struct wire_reply r = ask(c, "GET", path, NULL);

		free(status);
		status = pair_member(r.body, "status");
		complete = status != NULL && strcmp(status, "complete") == 0;
		wire_reply_free(&r);
		if (!complete)
			(void)poll(NULL, 0, AGAIN_MS);
	} while (!complete && clock_mono_us() < until_us);
	if (!complete)
		(void)fprintf(stderr, "task %s is %s, not complete\n", id,
		        status != NULL ? status : "not to be had");
	free(status);
	return complete;
}

bool
load_completes(struct load *l, int within_ms)
{
	const int64_t until = clock_mono_us() + (int64_t)within_ms * 1000;

	for (size_t i = 0; i < LOAD_THREADS; i++)
		for (size_t n = 0; n < l->clients[i].sent; n++)
			if (!is_complete(&l->clients[i], l->clients[i].wishes[n].id, until))
				return false;
	return true;
}

struct load_numbers
load_numbers(const struct load *l)
{
	struct load_numbers all = {.sent = 0};

	for (size_t i = 0; i < LOAD_THREADS; i++) {
		all.sent += l->clients[i].sent;
		all.acknowledged += l->clients[i].acknowledged;
		all.open += l->clients[i].open;
		all.wrong += l->clients[i].wrong;
	}
	return all;
}

OWNED const char **
load_ids(const struct load *l, size_t *count)
{
	const char **ids = calloc(load_numbers(l).sent + 1, sizeof(*ids));

	*count = 0;
	for (size_t i = 0; ids != NULL && i < LOAD_THREADS; i++)
		for (size_t n = 0; n < l->clients[i].sent; n++)
			ids[(*count)++] = l->clients[i].wishes[n].id;
	return ids;
}

bool
load_judge(const struct load *l, const char *dir, bool no_others, struct findings *out)
{
	AUTO(book) struct book book = {.items = NULL};
	size_t count = 0;
	const char **ids = load_ids(l, &count);
	const struct evidence evidence = {.dir = dir,
	        .file = "tasker.db",
	        .book = &book,
	        .ids = ids,
	        .id_count = count,
	        .no_others = no_others};
	const bool judged =
	        ids != NULL && book_read(dir, RIG_BOOK, &book) && checker_judge(&evidence, out);

	free(ids);
	return judged;
}
