/*
 * Runs seeds. SIM_SEEDS says how many, SIM_FIRST with which to begin, SIM_JOBS in how many
 * processes; SIM_SEED=n lives through one seed and tells everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/sim.h"

enum { SEEDS_USUAL = 10000, JOBS_MAX = 16, SHOWN_MAX = 10 };

struct sums {
	unsigned long long seeds, failed, tasks, events, rounds, refused, lost, complete;
};

static unsigned long
number(const char *name, unsigned long usual)
{
	const char *text = getenv(name);
	char *end;
	unsigned long n;

	if (text == NULL || text[0] == '\0')
		return usual;
	n = strtoul(text, &end, 10);
	if (*end != '\0' || text[0] == '-' || n == 0) {
		(void)fprintf(stderr, "%s=%s: that is no number above 0\n", name, text);
		_exit(EXIT_FAILURE);
	}
	return n;
}

static int
replay(const struct shapes *shapes, unsigned long seed)
{
	struct buf log = BUF(MIB(64));
	struct sim_setup setup = {.seed = seed, .shapes = shapes, .log = &log};
	struct sim_report report;

	sim_run(&setup, &report);
	(void)fwrite(log.data, 1, log.len, stdout);
	buf_free(&log);
	(void)printf("seed %lu: %s\n", seed,
	        report.broken[0] != '\0' ? report.broken : "nothing is wrong");
	return report.broken[0] != '\0';
}

static void
add(struct sums *s, unsigned long seed, const struct sim_report *r)
{
	s->seeds++;
	s->tasks += r->tasks;
	s->events += r->events;
	s->rounds += r->rounds;
	s->refused += r->refused;
	s->lost += r->lost;
	s->complete += r->complete;
	if (r->broken[0] == '\0')
		return;
	if (s->failed++ < SHOWN_MAX)
		(void)printf("seed %lu: %s\n  SIM_SEED=%lu make sim\n", seed, r->broken, seed);
}

/* Every jobs-th seed, beginning with this one's; its sums go down the pipe. */
static void
work(const struct shapes *shapes, unsigned long first, unsigned long count, unsigned long jobs,
        int out)
{
	struct sums sums = {0};

	for (unsigned long i = 0; i < count; i += jobs) {
		struct sim_setup setup = {.seed = first + i, .shapes = shapes};
		struct sim_report report;

		sim_run(&setup, &report);
		add(&sums, first + i, &report);
	}
	(void)fflush(stdout);
	if (write(out, &sums, sizeof(sums)) != sizeof(sums))
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

static bool
collect(int in, struct sums *all)
{
	struct sums s;

	if (read(in, &s, sizeof(s)) != sizeof(s))
		return false;
	all->seeds += s.seeds;
	all->failed += s.failed;
	all->tasks += s.tasks;
	all->events += s.events;
	all->rounds += s.rounds;
	all->refused += s.refused;
	all->lost += s.lost;
	all->complete += s.complete;
	return true;
}

static int
run_all(const struct shapes *shapes, unsigned long first, unsigned long count, unsigned long jobs)
{
	struct sums all = {0};
	int ends[2];

	if (pipe(ends) != 0)
		return EXIT_FAILURE;
	for (unsigned long i = 0; i < jobs && i < count; i++)
		if (fork() == 0)
			work(shapes, first + i, count - i, jobs, ends[1]);
	(void)close(ends[1]);
	while (collect(ends[0], &all))
		;
	while (wait(NULL) > 0)
		;
	(void)printf("%llu tasks, %llu complete, %llu requests refused, %llu attempts lost, %llu "
	             "events, %llu rounds\n",
	        all.tasks, all.complete, all.refused, all.lost, all.events, all.rounds);
	all.failed += count - all.seeds; /* a process that died tells of none of its seeds */
	(void)printf(
	        "%llu passed, %llu failed\n", (unsigned long long)count - all.failed, all.failed);
	return all.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(void)
{
	AUTO(shapes) struct shapes *shapes = shapes_new();
	unsigned long jobs = number("SIM_JOBS", 2);

	if (number("SIM_SEED", 0) != 0)
		return replay(shapes, number("SIM_SEED", 0));
	(void)fflush(stdout);
	return run_all(shapes, number("SIM_FIRST", 1), number("SIM_SEEDS", SEEDS_USUAL),
	        jobs > 0 && jobs <= JOBS_MAX ? jobs : 1);
}
