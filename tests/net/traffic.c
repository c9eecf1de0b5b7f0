#include "tests/net/traffic.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/uuid.h"
#include "tests/e2e/pair.h"

enum {
	USERS = 8,
	TOKEN_US = 600000000, /* a token lives for an hour; it is replaced long before */
	REPLY_MS = 10000,
	AGAIN_MS = 5,
	BODY = 512,
	REQUEST = 4096,
	TOLD_MAX = 20, /* failures that are described */
	US_PER_S = 1000000,
};

struct client {
	pthread_t thread;
	bool running;
	struct traffic *all;
	unsigned number;
	int fd; /* -1: not connected */
	char *users[USERS];
	int64_t users_us;
	char (*ids)[UUID_TEXT];
	size_t id_room;
	struct histogram times;
	atomic_uint_fast64_t created, read, failed;
};

struct traffic {
	struct traffic_settings settings;
	atomic_bool ending;
	atomic_uint told;
	struct client clients[TRAFFIC_THREADS];
};

static void
renew_users(struct client *c, int64_t now_us)
{
	if (c->users[0] != NULL && now_us - c->users_us < TOKEN_US)
		return;
	for (unsigned i = 0; i < USERS; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "user-%u-%u", c->number, i);
		free(c->users[i]);
		c->users[i] = pair_bearer(&(struct pair_claims){
		        .subject = subject, .permissions = PAIR_ALL, .tenant = "acme"});
	}
	c->users_us = now_us;
}

/* One request over the kept connection; status 0 if it ended under us. body NULL: none. */
static struct wire_reply
ask(struct client *c, const char *method, const char *path, const char *user, const char *body)
{
	struct wire_reply r = {.status = 0};
	char length[96] = "", request[REQUEST];
	int len;

	if (body != NULL)
		(void)snprintf(length, sizeof(length),
		        "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: net\r\n%s%s\r\n%s",
	        method, path, user, length, body != NULL ? body : "");
	if (c->fd < 0)
		c->fd = wire_connect(c->all->settings.port);
	if (c->fd >= 0 && len < REQUEST && wire_send(c->fd, request, (size_t)len))
		r = wire_read(c->fd, REPLY_MS, false, NULL);
	if (c->fd >= 0 && (r.status == 0 || wire_field(&r, "Connection") != NULL)) {
		(void)close(c->fd);
		c->fd = -1;
	}
	return r;
}

static bool
keep_id(struct client *c, const struct wire_reply *r)
{
	char *id = pair_member(r->body, "task_uuid");
	const size_t at = c->created;
	bool kept = id != NULL && strlen(id) == UUID_TEXT - 1;

	if (kept && at == c->id_room) {
		const size_t room = at == 0 ? 1024 : 2 * at;
		char(*more)[UUID_TEXT] = realloc(c->ids, room * sizeof(*more));

		kept = more != NULL;
		c->ids = kept ? more : c->ids;
		c->id_room = kept ? room : c->id_room;
	}
	if (kept)
		memcpy(c->ids[at], id, UUID_TEXT);
	free(id);
	return kept;
}

static void
fail(struct client *c, const char *what, const struct wire_reply *r)
{
	c->failed++;
	if (atomic_fetch_add(&c->all->told, 1) < TOLD_MAX)
		(void)fprintf(
		        stderr, "%s: %d %s\n", what, r->status, r->body != NULL ? r->body : "");
}

static void
create(struct client *c, uint64_t n)
{
	const struct traffic_settings *s = &c->all->settings;
	char body[BODY];
	struct wire_reply r;

	(void)snprintf(body, sizeof(body),
	        "{\"name\":\"%s\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":"
	        "{\"client\":%u,\"request\":%llu,\"seed\":%llu,\"ms\":%d},\"initiator\":\"net\","
	        "\"source_system\":\"test\",\"reason\":\"traffic\"}",
	        n % 2 == 0 ? "diamond" : "linear", c->number, (unsigned long long)n,
	        (unsigned long long)s->seed, (int)(n * 7 % (uint64_t)(s->step_ms + 1)));
	r = ask(c, "POST", "/v1/tasks", c->users[n % USERS], body);
	if (r.status == 201 && keep_id(c, &r))
		c->created++;
	else
		fail(c, "POST /v1/tasks", &r);
	wire_reply_free(&r);
}

static void
read_one(struct client *c, uint64_t n)
{
	const char *path = c->all->settings.read_path;
	char own[64];
	struct wire_reply r;

	(void)snprintf(
	        own, sizeof(own), "/v1/tasks/%s", c->created > 0 ? c->ids[c->created - 1] : "");
	if (path == NULL)
		path = c->created > 0 ? own : "/v1/whoami";
	r = ask(c, "GET", path, c->users[n % USERS], NULL);
	if (r.status == 200)
		c->read++;
	else
		fail(c, path, &r);
	wire_reply_free(&r);
}

static uint64_t
head_start(struct client *c)
{
	const uint64_t most = c->all->settings.head_start / TRAFFIC_THREADS;
	uint64_t n = 0;

	renew_users(c, clock_mono_us());
	for (; n < most && !c->all->ending; n++)
		create(c, n);
	return n;
}

/* Requests are due at even distances; of each second's, so many are creates. */
static void *
client_main(void *arg)
{
	struct client *c = arg;
	const struct traffic_settings *s = &c->all->settings;
	const double rate = s->creates_per_s + s->reads_per_s, creates = s->creates_per_s / rate;
	const double apart_us = US_PER_S * TRAFFIC_THREADS / rate;
	const uint64_t first = head_start(c);
	const int64_t from = clock_mono_us() + (int64_t)(apart_us * c->number / TRAFFIC_THREADS);
	double share = 0;

	for (uint64_t n = first; !c->all->ending; n++) {
		const int64_t due = from + (int64_t)(apart_us * (double)(n - first));
		const int64_t now = clock_mono_us();

		renew_users(c, now);
		if (due > now)
			(void)poll(NULL, 0, (int)((due - now + 999) / 1000));
		share += creates;
		if (share >= 1)
			create(c, n);
		else
			read_one(c, n);
		share -= share >= 1 ? 1 : 0;
		histogram_add(&c->times, clock_mono_us() - due);
	}
	return NULL;
}

struct traffic *
traffic_start(const struct traffic_settings *settings)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->settings = *settings;
	for (unsigned i = 0; i < TRAFFIC_THREADS; i++)
		t->clients[i].fd = -1;
	for (unsigned i = 0; i < TRAFFIC_THREADS; i++) {
		struct client *c = &t->clients[i];

		c->all = t;
		c->number = i;
		c->running = pthread_create(&c->thread, NULL, client_main, c) == 0;
		if (!c->running) {
			traffic_free(t);
			return NULL;
		}
	}
	return t;
}

void
traffic_stop(struct traffic *t)
{
	t->ending = true;
	for (size_t i = 0; i < TRAFFIC_THREADS; i++) {
		if (t->clients[i].running)
			(void)pthread_join(t->clients[i].thread, NULL);
		t->clients[i].running = false;
	}
}

void
traffic_free(struct traffic *t)
{
	if (t == NULL)
		return;
	traffic_stop(t);
	for (size_t i = 0; i < TRAFFIC_THREADS; i++) {
		struct client *c = &t->clients[i];

		if (c->fd >= 0)
			(void)close(c->fd);
		for (size_t user = 0; user < USERS; user++)
			free(c->users[user]);
		free(c->ids);
	}
	free(t);
}

struct traffic_numbers
traffic_numbers(const struct traffic *t)
{
	struct traffic_numbers n = {.created = 0};

	for (size_t i = 0; i < TRAFFIC_THREADS; i++) {
		n.created += t->clients[i].created;
		n.read += t->clients[i].read;
		n.failed += t->clients[i].failed;
	}
	return n;
}

void
traffic_times(const struct traffic *t, struct histogram *out)
{
	*out = (struct histogram){.total = 0};
	for (size_t i = 0; i < TRAFFIC_THREADS; i++)
		histogram_merge(out, &t->clients[i].times);
}

OWNED const char **
traffic_ids(const struct traffic *t, size_t *count)
{
	const char **ids = calloc(traffic_numbers(t).created + 1, sizeof(*ids));

	*count = 0;
	for (size_t i = 0; ids != NULL && i < TRAFFIC_THREADS; i++)
		for (size_t n = 0; n < t->clients[i].created; n++)
			ids[(*count)++] = t->clients[i].ids[n];
	return ids;
}

static bool
is_complete(struct client *c, const char *id, int64_t until_us)
{
	char path[64], *status = NULL;
	bool complete;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	do {
		struct wire_reply r = ask(c, "GET", path, c->users[0], NULL);

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
traffic_completes(struct traffic *t, int within_ms)
{
	const int64_t until = clock_mono_us() + (int64_t)within_ms * 1000;

	for (size_t i = 0; i < TRAFFIC_THREADS; i++)
		for (size_t n = 0; n < t->clients[i].created; n++)
			if (!is_complete(&t->clients[i], t->clients[i].ids[n], until))
				return false;
	return true;
}
