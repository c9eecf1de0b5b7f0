/*
 * Twice as many creates as the store can take (design §12, overload): does it go on taking what it
 * can, say no quickly to the rest, and keep the leases of the steps at work?
 *
 *     overload [SECONDS [ROUNDS]]      4 and 2; TASKER_BIN, FAULT_HANDLER as for the fault tests
 *
 * Each round finds the peak with 256 clients that wait for their answers, then offers twice that
 * rate whatever is answered; the peak it is judged by is the mean of the one before and the one
 * after. Meanwhile a worker runs steps under a lease of three seconds. The last line is a JSON
 * object on stdout, for tests/bench:
 *
 *     peak_per_s, offered_per_s, goodput_per_s, share      medians; share = goodput / peak
 *     accepted_p50_ms, accepted_p99_ms                     of the creates in the overload
 *     refused, refused_p50_ms, refused_p99_ms              answered 503
 *     without_retry_after, failed, unsent                  each should be 0
 *     leases_lost, polls_failed, violations                of the worker, and I1, I3, I4
 *
 * It ends with 0 if share ≥ 0.9 and the rest is as it should be, else with 1. Creates take a core
 * and the client half a one: on a busy machine the share says little.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/pair.h"
#include "tests/fault/checker.h"
#include "tests/net/meter.h"
#include "tests/net/offer.h"

enum {
	SECONDS = 4,
	ROUNDS = 2,
	ROUNDS_MAX = 16,
	CLIENTS = 256, /* as many as one commit takes */
	CROWD = 4000,  /* more than the lane of creates takes, 2048 */
	LEASE_MS = 3000,
	BEAT_MS = 500,
	TASKS = 4, /* with steps at work all the time */
	COMPLETE_MS = 60000,
};

static const char template_yaml[] = "name: four\n"
                                    "namespace_name: overload\n"
                                    "version: \"1.0.0\"\n"
                                    "steps:\n"
                                    "  - name: one\n"
                                    "    handler: &none {callable: overload.none}\n"
                                    "  - {name: two, handler: *none, dependencies: [one]}\n"
                                    "  - {name: three, handler: *none, dependencies: [two]}\n"
                                    "  - {name: four, handler: *none, dependencies: [three]}\n";

struct overload {
	struct pair pair;
	struct offered peak[ROUNDS_MAX + 1], flood[ROUNDS_MAX]; /* a peak before and after each */
	size_t rounds;
	double seconds;
	char *tasks[TASKS];
	char *headers;
	long polls_failed;
	struct findings findings;
};

static bool
start(struct overload *o)
{
	char root[PATH_MAX], handler[PATH_MAX], own[PATH_MAX + 512], handlers[PATH_MAX + 256];
	char file[] = "/tmp/tasker-overload-XXXXXX.yaml";
	const char *name = getenv("FAULT_HANDLER");
	const int fd = mkstemps(file, 5);
	bool started;

	if (fd < 0 || name == NULL || realpath(name, handler) == NULL ||
	        getcwd(root, sizeof(root)) == NULL)
		return false;
	started = write(fd, template_yaml, sizeof(template_yaml) - 1) ==
	          (ssize_t)sizeof(template_yaml) - 1;
	(void)close(fd);
	(void)snprintf(own, sizeof(own),
	        "[engine]\nlease_ms = %d\nbeat_ms = %d\n[templates]\npaths = "
	        "[\"%s/config/templates\", \"%s\"]\n[limits]\nrequests_per_connection = 1000000\n",
	        LEASE_MS, BEAT_MS, root, file);
	(void)snprintf(handlers, sizeof(handlers),
	        "[[handlers]]\nname = \"fault\"\ncommand = [\"%s\", \"executions\"]\n"
	        "callables = [\"demo.*\"]\nslots = 8\n",
	        handler);
	(void)setenv("TASKER_LOG_ACCESS", "false", 1);
	started = started && pair_start(&o->pair, &(struct pair_settings){.orchestration = own,
	                                                  .handlers = handlers});
	(void)unlink(file);
	return started && pair_template(&o->pair, "/v1/templates/overload/four/1.0.0");
}

/* Steps that are at work for as long as the rounds take. */
static bool
occupy(struct overload *o)
{
	const int ms = (int)(o->seconds * 1000 * (double)(2 * o->rounds + 1) / 4) + 1000;

	for (int i = 0; i < TASKS; i++) {
		char body[512];
		struct wire_reply r;

		(void)snprintf(body, sizeof(body),
		        "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\","
		        "\"context\":{\"ms\":%d,\"n\":%d},\"initiator\":\"net\",\"source_system\":"
		        "\"test\",\"reason\":\"lease\"}",
		        ms, i);
		r = wire_call(o->pair.orchestration.port, "POST", "/v1/tasks", o->headers, body);
		o->tasks[i] = r.status == 201 ? pair_member(r.body, "task_uuid") : NULL;
		wire_reply_free(&r);
		if (o->tasks[i] == NULL)
			return false;
	}
	return true;
}

static double
rate(const struct offered *o)
{
	return o->seconds > 0 ? (double)o->created / o->seconds : 0;
}

static struct offer_settings
usual(const struct overload *o)
{
	return (struct offer_settings){.port = o->pair.orchestration.port,
	        .headers = o->headers,
	        .ns = "overload",
	        .name = "four",
	        .connections = CLIENTS,
	        .seconds = o->seconds};
}

static bool
find_peak(const struct overload *o, struct offered *out)
{
	const struct offer_settings how = usual(o);

	return offer(&how, out) && rate(out) >= 1;
}

static bool
run_round(struct overload *o, size_t i)
{
	struct offer_settings how = usual(o);

	how.connections = CROWD;
	how.per_s = 2 * rate(&o->peak[i]);
	if (!offer(&how, &o->flood[i]) || !find_peak(o, &o->peak[i + 1]))
		return false;
	(void)fprintf(stderr,
	        "overload: peak %.0f/s, offered %.0f/s: %.0f/s created, %" PRIu64
	        " refused, %" PRIu64 " unsent; peak %.0f/s\n",
	        rate(&o->peak[i]), how.per_s, rate(&o->flood[i]), o->flood[i].refused,
	        o->flood[i].unsent, rate(&o->peak[i + 1]));
	return true;
}

/* The steps that were at work all the time end, each in its first attempt. */
static bool
settle(struct overload *o)
{
	bool complete = true;

	for (int i = 0; i < TASKS; i++)
		complete = complete && pair_task_is(&o->pair, o->tasks[i], "complete", COMPLETE_MS);
	o->polls_failed = meter_metric(o->pair.worker.port, "tasker_worker_link_failures_total");
	complete = daemon_stop(&o->pair.worker, 15000) == 0 &&
	           daemon_stop(&o->pair.orchestration, 15000) == 0 && complete;
	return complete &&
	       checker_judge(
	               &(struct evidence){.dir = o->pair.dir, .file = "tasker.db"}, &o->findings);
}

static int
ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(const struct overload *o, double (*of)(const struct overload *o, size_t i))
{
	double values[ROUNDS_MAX];

	for (size_t i = 0; i < o->rounds; i++)
		values[i] = of(o, i);
	qsort(values, o->rounds, sizeof(values[0]), ascending);
	return values[o->rounds / 2];
}

static double
peak_of(const struct overload *o, size_t i)
{
	return (rate(&o->peak[i]) + rate(&o->peak[i + 1])) / 2;
}

static double
goodput_of(const struct overload *o, size_t i)
{
	return rate(&o->flood[i]);
}

static double
offered_of(const struct overload *o, size_t i)
{
	return (double)o->flood[i].due / o->flood[i].seconds;
}

static double
share_of(const struct overload *o, size_t i)
{
	return goodput_of(o, i) / peak_of(o, i);
}

static bool
tell(const struct overload *o)
{
	struct offered all = {.seconds = 0};
	const double share = median(o, share_of);

	for (size_t i = 0; i < o->rounds; i++) {
		histogram_merge(&all.created_us, &o->flood[i].created_us);
		histogram_merge(&all.refused_us, &o->flood[i].refused_us);
		all.refused += o->flood[i].refused;
		all.unsent += o->flood[i].unsent;
		all.failed += o->flood[i].failed + o->peak[i].failed + o->peak[i + 1].failed;
		all.without_retry_after += o->flood[i].without_retry_after;
	}
	(void)printf("{\"peak_per_s\":%.0f,\"offered_per_s\":%.0f,\"goodput_per_s\":%.0f,"
	             "\"share\":%.3f,\"accepted_p50_ms\":%.1f,\"accepted_p99_ms\":%.1f,"
	             "\"refused\":%" PRIu64 ",\"refused_p50_ms\":%.1f,\"refused_p99_ms\":%.1f,"
	             "\"without_retry_after\":%" PRIu64 ",\"failed\":%" PRIu64
	             ",\"unsent\":%" PRIu64
	             ",\"leases_lost\":%zu,\"polls_failed\":%ld,\"violations\":%u}\n",
	        median(o, peak_of), median(o, offered_of), median(o, goodput_of), share,
	        (double)histogram_at(&all.created_us, 0.5) / 1000,
	        (double)histogram_at(&all.created_us, 0.99) / 1000, all.refused,
	        (double)histogram_at(&all.refused_us, 0.5) / 1000,
	        (double)histogram_at(&all.refused_us, 0.99) / 1000, all.without_retry_after,
	        all.failed, all.unsent, o->findings.lost, o->polls_failed,
	        checker_broken(&o->findings));
	return share >= 0.9 && all.without_retry_after == 0 && all.failed == 0 &&
	       o->findings.lost == 0 && o->polls_failed == 0 && checker_broken(&o->findings) == 0;
}

static const char help[] =
        "usage: overload [SECONDS [ROUNDS]]      4 and 2; TASKER_BIN and FAULT_HANDLER are set\n"
        "Offers twice the creates that the store takes. The last line is JSON: peak_per_s,\n"
        "offered_per_s, goodput_per_s, share (goodput / peak), accepted_p50_ms, accepted_p99_ms,\n"
        "refused, refused_p50_ms, refused_p99_ms, without_retry_after, failed, unsent,\n"
        "leases_lost, polls_failed, violations. Ends with 0 if share is at least 0.9 and nothing\n"
        "failed or was lost.\n";

int
main(int argc, char **argv)
{
	struct overload *o = calloc(1, sizeof(*o));
	bool ok;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(help, stdout);
		free(o);
		return 0;
	}
	if (o == NULL)
		return 75;
	o->seconds = argc > 1 ? strtod(argv[1], NULL) : SECONDS;
	o->rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
	if (o->seconds < 1 || o->rounds < 1 || o->rounds > ROUNDS_MAX) {
		(void)fputs(help, stderr);
		free(o);
		return 64;
	}
	token_maker_prepare();
	o->headers = pair_admin();
	ok = start(o) && occupy(o) && find_peak(o, &o->peak[0]);
	for (size_t i = 0; ok && i < o->rounds; i++)
		ok = run_round(o, i);
	ok = ok && settle(o) && tell(o);
	(void)daemon_stop(&o->pair.worker, 15000);
	(void)daemon_stop(&o->pair.orchestration, 15000);
	daemon_dir_remove(o->pair.dir);
	for (int i = 0; i < TASKS; i++)
		free(o->tasks[i]);
	free(o->headers);
	free(o);
	return ok ? 0 : 1;
}
