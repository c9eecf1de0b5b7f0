/* How a daemon ends (LM11), and the port file. */
#include "shared/runtime/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct daemon {
	struct loop *loop;
	struct process *process;
	unsigned drains, forces, reloads;
	bool draining_in_drain;
};

static void
on_drain(void *arg)
{
	struct daemon *d = arg;

	d->drains++;
	d->draining_in_drain = process_draining(d->process);
}

static void
on_force(void *arg)
{
	struct daemon *d = arg;

	d->forces++;
	loop_stop(d->loop);
}

static void
on_reload(void *arg)
{
	struct daemon *d = arg;

	d->reloads++;
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
}

static void
daemon_open(struct daemon *d, int64_t grace_us)
{
	struct process_hooks hooks = {on_drain, on_force, on_reload, d, grace_us};
	struct err e = {0};

	process_prepare();
	ck_assert(loop_new("service", &d->loop, &e));
	ck_assert_msg(process_new(d->loop, &hooks, &d->process, &e), "%s", e.text);
}

static void
daemon_close(struct daemon *d)
{
	process_free(d->process);
	loop_free(d->loop);
}

static void
on_drain_twice(void *arg)
{
	on_drain(arg);
	ck_assert_int_eq(kill(getpid(), SIGINT), 0); /* the second signal */
}

START_TEST(a_second_signal_forces_the_end_at_once)
{
	struct daemon d = {0};
	struct process_hooks hooks = {on_drain_twice, on_force, NULL, &d, INT64_C(3600000000)};
	struct err e = {0};

	process_prepare();
	ck_assert(loop_new("service", &d.loop, &e));
	ck_assert(process_new(d.loop, &hooks, &d.process, &e));
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0); /* nobody reloads: ignored */
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	loop_run(d.loop);
	ck_assert_uint_eq(d.drains, 1);
	ck_assert_uint_eq(d.forces, 1);
	ck_assert(d.draining_in_drain);
	daemon_close(&d);
}
END_TEST

START_TEST(a_drain_that_takes_too_long_is_forced_once)
{
	struct daemon d = {0};

	daemon_open(&d, 20000);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	loop_run(d.loop);
	ck_assert_uint_eq(d.drains, 1);
	ck_assert_uint_eq(d.forces, 1);
	daemon_close(&d);
}
END_TEST

START_TEST(hangup_reloads_and_a_broken_pipe_kills_nobody)
{
	struct daemon d = {0};

	daemon_open(&d, 1000);
	ck_assert_int_eq(raise(SIGPIPE), 0);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	loop_run(d.loop);
	ck_assert_uint_eq(d.reloads, 1);
	ck_assert_uint_eq(d.drains, 1);
	daemon_close(&d);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
/* CF6 */
START_TEST(secrets_stay_out_of_core_files)
{
	struct rlimit core;

	process_prepare();
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_uint_eq(core.rlim_cur, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}
END_TEST
#endif

START_TEST(the_port_file_appears_whole)
{
	char path[64], line[16] = "";
	struct err e = {0};
	FILE *file;

	(void)snprintf(path, sizeof(path), "/tmp/tasker-port-%ld", (long)getpid());
	ck_assert_msg(process_port_file(path, 80, &e), "%s", e.text);
	ck_assert(process_port_file(path, 40123, &e)); /* again: replaced */
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	ck_assert_str_eq(line, "40123\n");
	ck_assert_int_eq(fgetc(file), EOF);
	(void)fclose(file);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_port_file_that_cannot_be_written_leaves_nothing_behind)
{
	char folder[64], other[128];
	struct err e = {0};

	ck_assert(!process_port_file("/nonexistent/port", 1, &e));
	ck_assert_int_eq(e.code, ERR_IO);
	(void)snprintf(folder, sizeof(folder), "/tmp/tasker-folder-%ld", (long)getpid());
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert(!process_port_file(folder, 1, &e)); /* rename over a folder fails */
	ck_assert_int_eq(e.code, ERR_IO);
	(void)snprintf(other, sizeof(other), "%s.%ld", folder, (long)getpid());
	ck_assert_int_ne(access(other, F_OK), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_port_file_name_beyond_the_limit_is_refused)
{
	static char path[5000];
	struct err e = {0};

	memset(path, 'p', sizeof(path) - 1);
	ck_assert(!process_port_file(path, 1, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(every_allocation_of_a_process_may_fail)
{
	const struct process_hooks hooks = {on_drain, on_force, NULL, NULL, 1};
	unsigned nth = 0;
	bool built = false;

	process_prepare();
	while (!built) {
		AUTO(loop) struct loop *loop = NULL;
		AUTO(process) struct process *p = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 20);
		ck_assert(loop_new("service", &loop, &e));
		fault_allocation(++nth);
		built = process_new(loop, &hooks, &p, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert_uint_eq(nth, 6); /* itself, a timer and three watches */
}
END_TEST

Suite *
process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *tc = tcase_create("process");

	tcase_add_test(tc, a_second_signal_forces_the_end_at_once);
	tcase_add_test(tc, a_drain_that_takes_too_long_is_forced_once);
	tcase_add_test(tc, hangup_reloads_and_a_broken_pipe_kills_nobody);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
	tcase_add_test(tc, secrets_stay_out_of_core_files);
#endif
	tcase_add_test(tc, the_port_file_appears_whole);
	tcase_add_test(tc, a_port_file_that_cannot_be_written_leaves_nothing_behind);
	tcase_add_test(tc, a_port_file_name_beyond_the_limit_is_refused);
	tcase_add_test(tc, every_allocation_of_a_process_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
