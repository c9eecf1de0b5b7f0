/*
 * The long run: the pair under a steady load of creates, reads and steps that complete, looked at
 * every ten seconds, judged at the end.
 *
 *     soak [MINUTES]              30; SOAK_RATE creates a second (40), four reads for each create
 *
 * The verdict is 0 only if
 *   - every request was answered as it should be and every task is complete,
 *   - the checker finds I1 to I4 whole,
 *   - resident memory and private dirty memory of each daemon, as medians of a window, drift by
 *     less than 5 % between the second tenth of the run and the last one,
 *   - neither has more descriptors or threads open at the end than it had then,
 *   - neither writes more log a second at the end than it did then.
 * The database grows with the tasks in it; that and its mapped pages are told, not judged. The
 * store's page cache is bounded, and the run begins with enough tasks to fill it.
 */
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/fault/checker.h"
#include "tests/fault/rig.h"
#include "tests/net/meter.h"
#include "tests/net/traffic.h"

enum {
	MINUTES = 30,
	MINUTES_MAX = 7 * 24 * 60,
	RATE = 40,
	READS = 4, /* for each create */
	STEP_MS = 8,
	HEAD_START = 20000, /* tasks: more pages than the store keeps, 16 MiB */
	SAMPLE_US = 10000000,
	SAMPLES_LEAST = 20, /* short runs look more often */
	COMPLETE_MS = 120000,
	DRIFT_PERCENT = 5,
	DRIFT_KIB = 256, /* less than that is no drift, however small the whole */
	LOG_PERCENT = 10,
};

enum { ORCHESTRATION, WORKER, DAEMONS };

struct sample {
	struct meter daemon[DAEMONS];
	int64_t log[DAEMONS], database, write_ahead;
};

struct soak {
	struct rig rig;
	struct traffic *traffic;
	struct sample *samples;
	size_t count, wanted;
	int64_t every_us;
	unsigned faults;
};

static const struct {
	const char *role, *log;
} daemons[DAEMONS] = {
        {"orchestration", "orchestration.log"},
        {"worker",        "worker.log"       },
};

static const struct daemon *
daemon_at(const struct soak *s, int which)
{
	return which == WORKER ? &s->rig.pair.worker : &s->rig.pair.orchestration;
}

static void
complain(struct soak *s, const char *role, const char *what, double from, double to)
{
	s->faults++;
	(void)printf("soak: FAILED: %s: %s: %.1f -> %.1f\n", role, what, from, to);
}

static bool
look(struct soak *s)
{
	struct sample *x = &s->samples[s->count];

	for (int i = 0; i < DAEMONS; i++) {
		if (!meter_read(daemon_at(s, i)->pid, &x->daemon[i])) {
			complain(s, daemons[i].role, "is gone", 1, 0);
			return false;
		}
		x->log[i] = meter_file(s->rig.pair.dir, daemons[i].log);
	}
	x->database = meter_file(s->rig.pair.dir, "tasker.db");
	x->write_ahead = meter_file(s->rig.pair.dir, "tasker.db-wal");
	s->count++;
	return true;
}

static void
tell(const struct soak *s)
{
	const struct sample *x = &s->samples[s->count - 1];
	const struct traffic_numbers n = traffic_numbers(s->traffic);

	(void)printf("%6.1f min", (double)s->count * (double)s->every_us / 60e6);
	for (int i = 0; i < DAEMONS; i++)
		(void)printf(" | %s rss %ld dirty %ld db %ld KiB fds %ld threads %ld log %" PRId64,
		        daemons[i].role, x->daemon[i].rss_kib, x->daemon[i].dirty_kib,
		        x->daemon[i].database_kib, x->daemon[i].fds, x->daemon[i].threads,
		        x->log[i]);
	(void)printf(" | db %" PRId64 " wal %" PRId64 " | created %" PRIu64 " read %" PRIu64
	             " failed %" PRIu64 "\n",
	        x->database, x->write_ahead, n.created, n.read, n.failed);
	(void)fflush(stdout);
}

static void
soak(struct soak *s)
{
	const int64_t from = clock_mono_us();

	while (s->count < s->wanted) {
		const int64_t due = from + (int64_t)(s->count + 1) * s->every_us;
		const int64_t left = due - clock_mono_us();

		if (left > 0)
			(void)poll(NULL, 0, (int)(left / 1000));
		if (!look(s))
			return;
		tell(s);
	}
}

/* ---- the verdict ---- */

static int
compare(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

enum what { RSS, DIRTY, FDS, THREADS };

static long
value(const struct meter *m, enum what what)
{
	switch (what) {
	case RSS:
		return m->rss_kib;
	case DIRTY:
		return m->dirty_kib;
	case FDS:
		return m->fds;
	case THREADS:
		return m->threads;
	}
	return 0;
}

/* The median of a tenth of the run, 1 to 10. */
static long
median(const struct soak *s, int daemon, enum what what, size_t tenth)
{
	const size_t width = s->count / 10, from = (tenth - 1) * width;
	long *values = calloc(width, sizeof(*values)), middle;

	if (values == NULL)
		return -1;
	for (size_t i = 0; i < width; i++)
		values[i] = value(&s->samples[from + i].daemon[daemon], what);
	qsort(values, width, sizeof(*values), compare);
	middle = values[width / 2];
	free(values);
	return middle;
}

/* The least and the most of it: what is open for a moment only is no growth. */
static long
least(const struct soak *s, int daemon, enum what what, size_t tenth)
{
	const size_t width = s->count / 10, from = (tenth - 1) * width;
	long found = LONG_MAX;

	for (size_t i = from; i < from + width; i++)
		if (value(&s->samples[i].daemon[daemon], what) < found)
			found = value(&s->samples[i].daemon[daemon], what);
	return found;
}

static long
most(const struct soak *s, int daemon, enum what what, size_t tenth)
{
	const size_t width = s->count / 10, from = (tenth - 1) * width;
	long found = 0;

	for (size_t i = from; i < from + width; i++)
		if (value(&s->samples[i].daemon[daemon], what) > found)
			found = value(&s->samples[i].daemon[daemon], what);
	return found;
}

/* Bytes a second over a tenth of the run. */
static double
log_rate(const struct soak *s, int daemon, size_t tenth)
{
	const size_t width = s->count / 10, from = (tenth - 1) * width;
	const int64_t bytes =
	        s->samples[from + width - 1].log[daemon] - s->samples[from].log[daemon];

	return (double)bytes * 1e6 / ((double)(width - 1) * (double)s->every_us);
}

static void
judge_memory(struct soak *s, int daemon, enum what what, const char *name)
{
	const long warm = median(s, daemon, what, 2), end = median(s, daemon, what, 10);
	const long more = end - warm;

	(void)printf("soak: %s: %s %ld -> %ld KiB, %+.1f %%\n", daemons[daemon].role, name, warm,
	        end, 100.0 * (double)more / (double)warm);
	if (more > DRIFT_KIB && more * 100 >= warm * DRIFT_PERCENT)
		complain(s, daemons[daemon].role, name, (double)warm, (double)end);
}

static void
judge_count(struct soak *s, int daemon, enum what what, const char *name)
{
	const long warm = most(s, daemon, what, 2), end = least(s, daemon, what, 10);

	(void)printf("soak: %s: %s %ld to %ld -> %ld to %ld\n", daemons[daemon].role, name,
	        least(s, daemon, what, 2), warm, end, most(s, daemon, what, 10));
	if (end > warm)
		complain(s, daemons[daemon].role, name, (double)warm, (double)end);
}

static void
judge_daemon(struct soak *s, int daemon)
{
	const char *role = daemons[daemon].role;
	const double warm = log_rate(s, daemon, 2), end = log_rate(s, daemon, 10);
	const struct sample *last = &s->samples[s->count - 1];

	judge_memory(s, daemon, RSS, "resident");
	judge_memory(s, daemon, DIRTY, "private dirty");
	judge_count(s, daemon, FDS, "descriptors");
	judge_count(s, daemon, THREADS, "threads");
	(void)printf("soak: %s: log %.0f -> %.0f bytes/s, %.2f cores, pages of the database %ld "
	             "KiB\n",
	        role, warm, end, meter_cores(&s->samples[0].daemon[daemon], &last->daemon[daemon]),
	        last->daemon[daemon].database_kib);
	if (end > warm * (100 + LOG_PERCENT) / 100 + 100)
		complain(s, role, "log bytes a second", warm, end);
}

static void
judge_tasks(struct soak *s)
{
	AUTO(book) struct book book = {.items = NULL};
	struct findings f = {.tasks = 0};
	size_t count;
	const char **ids = traffic_ids(s->traffic, &count);
	const struct evidence evidence = {.dir = s->rig.pair.dir,
	        .file = "tasker.db",
	        .book = &book,
	        .ids = ids,
	        .id_count = count,
	        .no_others = true};

	if (ids == NULL || !book_read(s->rig.pair.dir, RIG_BOOK, &book) ||
	        !checker_judge(&evidence, &f))
		complain(s, "checker", "cannot judge", 0, 1);
	else if (checker_broken(&f) > 0)
		complain(s, "checker", f.text, 0, checker_broken(&f));
	(void)printf("soak: checker: %u violations in %zu tasks, %zu steps, %zu executions, %zu "
	             "events; %zu lost, %zu given back\n",
	        checker_broken(&f), f.tasks, f.steps, f.executions, f.events, f.lost, f.released);
	free(ids);
}

static void
judge(struct soak *s, bool complete)
{
	const struct traffic_numbers n = traffic_numbers(s->traffic);
	struct histogram times;

	traffic_times(s->traffic, &times);
	(void)printf("soak: %" PRIu64 " creates, %" PRIu64 " reads, %" PRIu64 " failed; p50 %.1f "
	             "ms, p99 %.1f ms, most %.1f ms\n",
	        n.created, n.read, n.failed, (double)histogram_at(&times, 0.5) / 1000,
	        (double)histogram_at(&times, 0.99) / 1000, (double)times.max / 1000);
	if (n.failed > 0)
		complain(s, "clients", "failed requests", 0, (double)n.failed);
	if (!complete)
		complain(s, "clients", "tasks that are not complete", 0, 1);
	if (!rig_stop(&s->rig))
		complain(s, "daemons", "did not end with 0", 0, 1);
	if (rig_check(&s->rig) != 0)
		complain(s, "database", "db check did not end with 0", 0, 1);
	for (int i = 0; i < DAEMONS && s->count == s->wanted; i++)
		judge_daemon(s, i);
	judge_tasks(s);
	(void)printf("soak: the database grew to %" PRId64 " MB for %" PRIu64 " tasks (no leak)\n",
	        meter_file(s->rig.pair.dir, "tasker.db") / 1000000, n.created);
}

static double
number(const char *text, double otherwise)
{
	const double n = text != NULL ? strtod(text, NULL) : otherwise;

	return n > 0 ? n : otherwise;
}

int
main(int argc, char **argv)
{
	const double minutes = number(argc > 1 ? argv[1] : NULL, MINUTES);
	const double rate = number(getenv("SOAK_RATE"), RATE);
	struct traffic_settings load = {.creates_per_s = rate,
	        .reads_per_s = READS * rate,
	        .head_start = HEAD_START,
	        .step_ms = STEP_MS,
	        .seed = (uint64_t)clock_wall_us()};
	struct soak s = {.every_us = SAMPLE_US};
	bool complete;

	if (minutes * 60e6 / SAMPLE_US < SAMPLES_LEAST)
		s.every_us = (int64_t)(minutes * 60e6 / SAMPLES_LEAST);
	s.wanted = (size_t)(minutes * 60e6 / (double)s.every_us);
	s.samples = calloc(s.wanted, sizeof(*s.samples));
	if (minutes > MINUTES_MAX || s.samples == NULL)
		return 64;
	token_maker_prepare();
	if (!rig_start(&s.rig, false))
		return 69;
	load.port = s.rig.pair.orchestration.port;
	s.traffic = traffic_start(&load);
	if (s.traffic == NULL)
		return 75;
	soak(&s);
	traffic_stop(s.traffic);
	complete = traffic_completes(s.traffic, COMPLETE_MS);
	judge(&s, complete);
	(void)printf("soak: %s after %.1f minutes, seed %" PRIu64 "\n",
	        s.faults == 0 ? "PASSED" : "FAILED", minutes, load.seed);
	rig_remove(&s.rig);
	traffic_free(s.traffic);
	free(s.samples);
	return s.faults == 0 ? 0 : 1;
}
