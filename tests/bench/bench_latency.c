/*
 * bench_latency PORT FOLDER COUNT: runs the demo's line of four steps COUNT times, one after the
 * other. Prints "p50 p99 sync" in milliseconds: from sending the request that creates the task to
 * seeing it complete, and the median of one fdatasync after 4 KiB in FOLDER, taken in turn with
 * them. With a COUNT of 0 it creates one task and prints its path.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* One workflow, then one fdatasync. */
static bool
measure(struct bench_client *c, int disk, double *ms, double *sync_ms)
{
	static const char block[4096];
	int64_t from = clock_mono_us();
	char id[37];

	if (!create(c, id) || !follow(c, id))
		return false;
	*ms = (double)(clock_mono_us() - from) / 1000;
	if (write(disk, block, sizeof(block)) != (ssize_t)sizeof(block))
		return false;
	from = clock_mono_us();
	if (fdatasync(disk) != 0)
		return false;
	*sync_ms = (double)(clock_mono_us() - from) / 1000;
	return true;
}

static bool
measure_all(struct bench_client *c, int disk, size_t count)
{
	double *ms = calloc(count, sizeof(*ms)), *sync_ms = calloc(count, sizeof(*sync_ms));
	bool measured = ms != NULL && sync_ms != NULL;

	for (size_t i = 0; measured && i < WARM; i++)
		measured = measure(c, disk, &ms[0], &sync_ms[0]);
	for (size_t i = 0; measured && i < count; i++)
		measured = measure(c, disk, &ms[i], &sync_ms[i]);
	if (measured) {
		qsort(ms, count, sizeof(*ms), bench_ascending);
		qsort(sync_ms, count, sizeof(*sync_ms), bench_ascending);
		(void)printf("%.3f %.3f %.3f\n", bench_share(ms, count, 0.5),
		        bench_share(ms, count, 0.99), bench_share(sync_ms, count, 0.5));
	}
	free(ms);
	free(sync_ms);
	return measured;
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
	long count = argc == 4 ? strtol(argv[3], NULL, 10) : -1;
	struct bench_client c;
	char path[4096];
	bool done;
	int disk;

	if (count < 0 || count > COUNT_MAX) {
		(void)fputs("usage: bench_latency PORT FOLDER COUNT\n", stderr);
		return 64;
	}
	(void)snprintf(path, sizeof(path), "%s/sync", argv[2]);
	disk = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (disk < 0) {
		perror(path);
		return 1;
	}
	done = bench_client_open(&c, (int)strtol(argv[1], NULL, 10), argv[2], "rs256.tokens") &&
	       (count > 0 ? measure_all(&c, disk, (size_t)count) : show_path(&c));
	bench_client_close(&c);
	(void)close(disk);
	return done ? 0 : 1;
}
