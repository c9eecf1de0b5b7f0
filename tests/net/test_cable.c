/*
 * F7 of security.md §5: the worker on another host whose cable is pulled. Two network namespaces of
 * this test's own, joined by a virtual cable; the worker runs in the far one. A link that is down
 * sends neither FIN nor RST, so only deadlines can tell, on both sides. Needs root and `ip`; where
 * the machine forbids it, that is said and nothing is proven.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/net/meter.h"
#include "tests/net/outage.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 120,
	STEP_MS = 900, /* ends while the cable is out, before the worker gives up its steps */
	HEAL_MS = 12000,
	AGAIN_MS = 8000,
	LINES_MAX = 25,
	COMMAND = 256,
};

#define NEAR "10.117.0.1"
#define FAR "10.117.0.2"

struct hosts {
	pid_t holder; /* keeps the far namespace */
	int near, far;
};

static bool
run(const char *command)
{
	return system(command) == 0; /* NOLINT: a fixed text of ours */
}

/* A child that has a network of its own and waits to be killed. */
static pid_t
hold_namespace(void)
{
	int pipe_fds[2];
	char told = 'n';
	pid_t pid;

	if (pipe(pipe_fds) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		told = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
		if (write(pipe_fds[1], &told, 1) == 1 && told == 'y')
			for (;;)
				(void)pause();
		_exit(1);
	}
	if (pid > 0 && read(pipe_fds[0], &told, 1) != 1)
		told = 'n';
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	return told == 'y' ? pid : -1;
}

static int
namespace_of(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* This process moves into the near namespace. */
static bool
build(struct hosts *h)
{
	char cable[COMMAND];

	if (unshare(CLONE_NEWNET) != 0)
		return false;
	h->holder = hold_namespace();
	h->near = namespace_of(getpid());
	h->far = h->holder > 0 ? namespace_of(h->holder) : -1;
	if (h->near < 0 || h->far < 0)
		return false;
	(void)snprintf(cable, sizeof(cable),
	        "ip link set lo up && ip link add near type veth peer name far netns %d && "
	        "ip addr add " NEAR "/24 dev near && ip link set near up",
	        (int)h->holder);
	return run(cable) && setns(h->far, CLONE_NEWNET) == 0 &&
	       run("ip link set lo up && ip addr add " FAR "/24 dev far && ip link set far up") &&
	       setns(h->near, CLONE_NEWNET) == 0;
}

static void
tear_down(const struct hosts *h)
{
	(void)kill(h->holder, SIGKILL);
	(void)waitpid(h->holder, NULL, 0);
	(void)close(h->near);
	(void)close(h->far);
}

/* The orchestration listens on every address, and the worker of the far host polls the near one. */
static void
part(struct rig *rig, const struct hosts *h)
{
	const int port = rig->pair.orchestration.port;
	char text[64];

	(void)snprintf(text, sizeof(text), "0.0.0.0:%d", port);
	ck_assert_int_eq(setenv("TASKER_ORCHESTRATION_WEB_BIND_ADDRESS", text, 1), 0);
	ck_assert_uint_eq(rig_kill_worker(rig), 0);
	ck_assert_int_ge(rig_restart_orchestration(rig), 0);
	(void)snprintf(text, sizeof(text), "http://" NEAR ":%d", port);
	ck_assert_int_eq(setenv("TASKER_WORKER_LINK_URL", text, 1), 0);
	ck_assert_int_eq(setns(h->far, CLONE_NEWNET), 0);
	ck_assert(rig_start_worker(rig));
	ck_assert_int_ge(outage_wait(rig->pair.worker.port, true, HEAL_MS), 0);
	ck_assert_int_eq(setns(h->near, CLONE_NEWNET), 0);
	(void)snprintf(text, sizeof(text), "http://127.0.0.1:%d", port);
	ck_assert_int_eq(setenv("TASKER_WORKER_LINK_URL", text, 1), 0); /* a second one is near */
}

/* How long until the far worker is ready, or not. */
static int
far_wait(const struct rig *rig, const struct hosts *h, bool ready, int within_ms)
{
	int ms;

	ck_assert_int_eq(setns(h->far, CLONE_NEWNET), 0);
	ms = outage_wait(rig->pair.worker.port, ready, within_ms);
	ck_assert_int_eq(setns(h->near, CLONE_NEWNET), 0);
	return ms;
}

static long
far_metric(const struct rig *rig, const struct hosts *h, const char *name)
{
	long value;

	ck_assert_int_eq(setns(h->far, CLONE_NEWNET), 0);
	value = meter_metric(rig->pair.worker.port, name);
	ck_assert_int_eq(setns(h->near, CLONE_NEWNET), 0);
	return value;
}

static long
stale_within(const struct rig *rig, const struct hosts *h, int within_ms)
{
	const int64_t until = clock_mono_us() + (int64_t)within_ms * 1000;
	long stale;

	do {
		stale = far_metric(rig, h, "tasker_worker_results_stale_total");
		(void)poll(NULL, 0, 20);
	} while (stale <= 0 && clock_mono_us() < until);
	return stale;
}

/* The far worker's step ends while it cannot say so; the near one takes it again; then the cable is
 * plugged in, and what the far one has to say is too late. */
static void
pull(struct rig *rig, const struct hosts *h)
{
	char *task = rig_linear(rig, STEP_MS);
	const size_t lines = outage_lines(rig->pair.dir, "worker.log", "");
	int seen_ms, healed_ms;

	ck_assert_ptr_nonnull(task);
	ck_assert(rig_begins(rig, task, "one", 1, AGAIN_MS));
	ck_assert(run("ip link set near down"));
	seen_ms = far_wait(rig, h, false, OUTAGE_SEEN_MS);
	ck_assert_int_ge(seen_ms, 0);
	ck_assert(rig_second_worker(rig));
	ck_assert(rig_begins(rig, task, "one", 2, AGAIN_MS));
	ck_assert_int_eq(far_metric(rig, h, "tasker_worker_results_stale_total"), 0);
	ck_assert(run("ip link set near up"));
	healed_ms = far_wait(rig, h, true, HEAL_MS);
	ck_assert_int_ge(healed_ms, 0);
	ck_assert_int_ge(stale_within(rig, h, HEAL_MS), 1);
	ck_assert(pair_task_is(&rig->pair, task, "complete", AGAIN_MS * 2));
	ck_assert_uint_le(outage_lines(rig->pair.dir, "worker.log", "") - lines, LINES_MAX);
	(void)printf(
	        "net: cable pulled: seen after %d ms, healed after %d ms\n", seen_ms, healed_ms);
	(void)fflush(stdout);
	free(task);
}

START_TEST(pulled_cable_is_noticed_and_a_zombies_result_is_stale_F7)
{
	struct hosts h = {.holder = -1, .near = -1, .far = -1};
	struct findings f;
	struct load *load;
	struct rig rig;

	if (!build(&h)) {
		(void)printf("net: SKIPPED: no network namespace here: it needs root and ip\n");
		return;
	}
	ck_assert(rig_start(&rig, false));
	part(&rig, &h);
	pull(&rig, &h);
	load = load_start(&(struct load_settings){
	        .port = rig.pair.orchestration.port, .pause_ms = 20, .step_ms = 4, .seed = 1});
	ck_assert_ptr_nonnull(load);
	(void)poll(NULL, 0, 300);
	outage_judge(&rig, load, &f);
	ck_assert_uint_ge(f.lost, 1);
	tear_down(&h);
}
END_TEST

Suite *
cable_suite(void)
{
	Suite *s = suite_create("cable");
	TCase *tc = tcase_create("namespaces");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, pulled_cable_is_noticed_and_a_zombies_result_is_stale_F7);
	suite_add_tcase(s, tc);
	return s;
}
