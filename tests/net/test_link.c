/*
 * F7 and F8 of security.md §5: a worker whose way to the orchestration misbehaves in every manner
 * there is, while clients create tasks. An outage is seen in the worker's readiness and once in its
 * log, work resumes when it is over, leases end by their rule, and I1 to I4 hold. NET_LONG=1 runs
 * every fault; otherwise one of them, shorter, as test_cable.c pulls a cable too.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/net/outage.h"
#include "tests/net/proxy.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 300,
	SHORT_MS = 1700, /* longer than the lease */
	LONG_MS = 6000,
	HEAL_MS = 12000, /* the link waits up to 5 s, and a quarter, between two tries */
	PAUSE_MS = 40,
	STEP_MS = 16,
	LINES_MAX = 25, /* of the worker for one outage */
	URL = 64,
};

struct fault {
	const char *name;
	struct proxy_fault up, down;
	bool outage; /* nothing gets through; otherwise work goes on, if slowly */
	bool is_short;
};

static const struct fault faults[] = {
        {"cable cut",             {PROXY_STOP, 0},    {PROXY_STOP, 0},    true,  false},
        {"one way, up is dead",   {PROXY_STOP, 0},    {PROXY_PASS, 0},    true,  false},
        {"one way, down is dead", {PROXY_PASS, 0},    {PROXY_STOP, 0},    true,  false},
        {"1 byte/s up",           {PROXY_DRIP, 1},    {PROXY_PASS, 0},    true,  false},
        {"1 byte/s down",         {PROXY_PASS, 0},    {PROXY_DRIP, 1},    true,  false},
        {"reset inside a body",   {PROXY_PASS, 0},    {PROXY_RESET, 20},  true,  true },
        {"cut inside a head",     {PROXY_PASS, 0},    {PROXY_CUT, 60},    true,  false},
        {"cut inside a request",  {PROXY_CUT, 60},    {PROXY_PASS, 0},    true,  false},
        {"200 ms late both ways", {PROXY_DELAY, 200}, {PROXY_DELAY, 200}, false, false},
        {"half refused, cuts",    {PROXY_REFUSE, 50}, {PROXY_CUT, 8000},  false, false},
};

static const struct proxy_fault pass = {PROXY_PASS, 0};

struct run {
	struct rig rig;
	struct proxy *proxy;
	struct load *load;
	bool is_long;
	int worker;
};

static void
start(struct run *r)
{
	const uint64_t seed = rand_u64() % 1000000;
	char url[URL];

	*r = (struct run){.is_long = getenv("NET_LONG") != NULL, .proxy = proxy_new(seed)};
	(void)printf("net: seed %llu\n", (unsigned long long)seed);
	ck_assert_ptr_nonnull(r->proxy);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy_port(r->proxy));
	ck_assert_int_eq(setenv("TASKER_WORKER_LINK_URL", url, 1), 0);
	ck_assert(rig_start(&r->rig, false));
	proxy_to(r->proxy, r->rig.pair.orchestration.port);
	r->worker = r->rig.pair.worker.port;
	ck_assert_int_ge(outage_wait(r->worker, true, HEAL_MS), 0);
	r->load = load_start(&(struct load_settings){.port = r->rig.pair.orchestration.port,
	        .pause_ms = PAUSE_MS,
	        .step_ms = STEP_MS,
	        .seed = seed});
	ck_assert_ptr_nonnull(r->load);
}

static size_t
lines(const struct run *r, const char *text)
{
	return outage_lines(r->rig.pair.dir, "worker.log", text);
}

static int64_t
begun(const struct run *r)
{
	AUTO(book) struct book book = {.items = NULL};

	ck_assert(book_read(r->rig.pair.dir, RIG_BOOK, &book));
	return (int64_t)book.count;
}

static void
hold(struct run *r, const struct fault *f)
{
	const int ms = r->is_long ? LONG_MS : SHORT_MS;
	const int64_t from = clock_mono_us(), before = begun(r);
	const size_t downs = lines(r, "\"link.down\"");
	int seen_ms = 0, left;

	proxy_set(r->proxy, f->up, f->down);
	if (f->outage) {
		seen_ms = outage_wait(r->worker, false, OUTAGE_SEEN_MS);
		ck_assert_msg(seen_ms >= 0, "%s: not seen in time", f->name);
		ck_assert_msg(
		        lines(r, "\"link.down\"") == downs + 1, "%s: not in the log", f->name);
	}
	left = ms - (int)((clock_mono_us() - from) / 1000);
	(void)poll(NULL, 0, left > 0 ? left : 0);
	if (!f->outage)
		ck_assert_msg(begun(r) > before, "%s: work has ended", f->name);
	(void)printf("net: %s: %s%d ms", f->name, f->outage ? "seen after " : "", seen_ms);
}

static void
heal(struct run *r, const struct fault *f)
{
	const int64_t before = begun(r), from = clock_mono_us();
	int healed_ms;

	proxy_set(r->proxy, pass, pass);
	healed_ms = outage_wait(r->worker, true, HEAL_MS);
	ck_assert_msg(healed_ms >= 0, "%s: the link does not come back", f->name);
	while (begun(r) == before && clock_mono_us() - from < (int64_t)HEAL_MS * 1000)
		(void)poll(NULL, 0, 10);
	ck_assert_msg(begun(r) > before, "%s: work does not resume", f->name);
	(void)printf(", healed after %d ms\n", healed_ms);
	(void)fflush(stdout);
}

/* Short of a second a handler that is stopped, a step that is stale and a link that is down may say
 * so; none of it goes on for as long as the outage does (LM9). */
static void
check_log(const struct run *r, const struct fault *f, size_t before)
{
	const size_t after = lines(r, "");

	ck_assert_msg(after - before <= LINES_MAX, "%s: %zu lines in %s/worker.log", f->name,
	        after - before, r->rig.pair.dir);
}

START_TEST(work_resumes_after_every_fault_of_the_network_F7_F8)
{
	struct run r;
	struct findings f;
	size_t tried = 0;

	start(&r);
	for (size_t i = 0; i < COUNT(faults); i++) {
		const size_t before = lines(&r, "");

		if (!r.is_long && !faults[i].is_short)
			continue;
		hold(&r, &faults[i]);
		heal(&r, &faults[i]);
		check_log(&r, &faults[i], before);
		tried++;
	}
	ck_assert_uint_ge(tried, r.is_long ? COUNT(faults) : 1);
	outage_judge(&r.rig, r.load, &f);
	ck_assert_uint_gt(f.executions, 0);
	if (r.is_long) /* a short cut may hit nothing on a machine that is quick */
		ck_assert_uint_gt(f.lost + f.released, 0);
	proxy_free(r.proxy);
}
END_TEST

Suite *
link_suite(void)
{
	Suite *s = suite_create("link");
	TCase *tc = tcase_create("network");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, work_resumes_after_every_fault_of_the_network_F7_F8);
	suite_add_tcase(s, tc);
	return s;
}
