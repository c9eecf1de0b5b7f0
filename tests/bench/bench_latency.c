/*
 * bench_latency PORT FOLDER COUNT: runs the demo's line of four steps COUNT times, one after the
 * other, and prints "p50 p99" of the milliseconds between sending the request that creates the task
 * and seeing it complete. With a COUNT of 0 it creates one task and prints its path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/bench/bench_client.h"

enum { COUNT_MAX = 100000, WARM = 5, PAUSE_NS = 100000, PATIENCE_US = 10000000 };

/* The id of a fresh task in out; false with the answer on stderr. */
static bool
create(struct bench_client *c, char out[37])
{
	char body[512];
	struct wire_reply r;
	const char *id;
	int len = snprintf(body, sizeof(body),
	        "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\","
	        "\"context\":{\"nonce\":\"%016llx\"},\"initiator\":\"bench\","
	        "\"source_system\":\"bench\",\"reason\":\"latency\"}",
	        (unsigned long long)rand_u64());
	bool created;

	r = bench_client_call(c, "POST", "/v1/tasks", body, (size_t)len);
	id = r.status == 201 ? strstr(r.body, "\"task_uuid\":\"") : NULL;
	created = id != NULL;
	if (created)
		(void)snprintf(out, 37, "%.36s", id + strlen("\"task_uuid\":\""));
	else
		(void)fprintf(
		        stderr, "bench_latency: %d %s\n", r.status, r.body != NULL ? r.body : "");
	wire_reply_free(&r);
	return created;
}

/* Looks until the task is complete, for at most PATIENCE_US. */
static bool
follow(struct bench_client *c, const char *id)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t until = clock_mono_us() + PATIENCE_US;
	char path[64];
	bool complete = false;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	while (!complete && clock_mono_us() < until) {
		struct wire_reply r;

		(void)nanosleep(&pause, NULL);
		r = bench_client_call(c, "GET", path, NULL, 0);
		complete = r.status == 200 && strstr(r.body, "\"status\":\"complete\"") != NULL;
		wire_reply_free(&r);
	}
	if (!complete)
		(void)fprintf(stderr, "bench_latency: task %s did not complete\n", id);
	return complete;
}

static bool
measure(struct bench_client *c, double *ms)
{
	int64_t from = clock_mono_us();
	char id[37];

	if (!create(c, id) || !follow(c, id))
		return false;
	*ms = (double)(clock_mono_us() - from) / 1000;
	return true;
}

static bool
show_path(struct bench_client *c)
{
	char id[37];
	bool created = create(c, id);

	if (created)
		(void)printf("/v1/tasks/%s\n", id);
	return created;
}

int
main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	struct bench_client c;
	double *ms;
	bool measured;

	if (argc != 4 || count < 0 || count > COUNT_MAX) {
		(void)fputs("usage: bench_latency PORT FOLDER COUNT\n", stderr);
		return 64;
	}
	ms = calloc((size_t)count + 1, sizeof(*ms));
	measured = ms != NULL &&
	           bench_client_open(&c, (int)strtol(argv[1], NULL, 10), argv[2], "rs256.tokens");
	if (measured && count == 0)
		measured = show_path(&c);
	for (long i = 0; measured && count > 0 && i < WARM; i++)
		measured = measure(&c, &ms[0]);
	for (long i = 0; measured && i < count; i++)
		measured = measure(&c, &ms[i]);
	if (measured && count > 0) {
		qsort(ms, (size_t)count, sizeof(*ms), bench_ascending);
		(void)printf("%.3f %.3f\n", bench_share(ms, (size_t)count, 0.5),
		        bench_share(ms, (size_t)count, 0.99));
	}
	free(ms);
	return measured ? 0 : 1;
}
