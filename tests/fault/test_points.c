/*
 * F1 and F2 of security.md §5 at named points: a row of points.def is armed, a scene brings its
 * daemon there, it dies, lives again, and nothing may be missing, done in vain or done twice.
 * A point that no daemon reaches fails: then the row is wrong, or what it names is gone.
 *
 * FAULT_POINTS=N takes every so manieth row, so that about N are left; FAULT_POINT=name one alone;
 * FAULT_SHARD=i/n a part, so that n processes may share the table.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/checker.h"
#include "tests/fault/control.h"
#include "tests/fault/load.h"
#include "tests/fault/rig.h"
#include "tests/lib/patience.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 120,
	REACH_MS = 15000, /* from arming until it is dead */
	READY_MAX_MS = 2000,
	COMPLETE_MS = 60000,
	AFTERWARDS_MS = 50, /* clients go on for so long */
	LOAD_TASKS = 12,    /* there before the point is armed */
	CANCELS_MAX = 20,
	LONG_MS = 60000, /* a step that only a cancel ends */
	SLOW_MS = 300,   /* between two requests of a client, where steps take long */
	RELEASED_MS = RIG_SHUTDOWN_MS + 400, /* a step that a leaving worker cannot finish */
};

struct stage {
	struct preload_control *control;
	struct rig rig;
	struct daemon *victim;
	struct load *load;
	int row;
	size_t cancelled; /* tasks that no load knows */
};

static const struct {
	const char *name;
	enum preload_program program;
	enum preload_scene scene;
} points[] = {
#define POINT(name, program, scene, call, when, nth, pattern) {#name, program, scene},
#include "tests/fault/points.def"
#undef POINT
};

/* ---- death ---- */

static bool
is_dead(struct stage *s)
{
	return atomic_load(&s->control->reached) != 0;
}

static void
await_death(struct stage *s)
{
	const int64_t until = clock_mono_us() + (int64_t)REACH_MS * 1000;

	while (!is_dead(s) && clock_mono_us() < until)
		(void)poll(NULL, 0, 2);
	ck_assert_msg(is_dead(s), "%s was never reached (%d hits)", points[s->row].name,
	        atomic_load(&s->control->hits));
}

/* Its next life, in time. It may have died so early that nobody holds its pid any more. */
static int
revive(struct stage *s)
{
	int ready_ms;

	control_disarm(s->control);
	if (s->victim->pid > 0)
		ck_assert_int_eq(waitpid(s->victim->pid, NULL, 0), s->victim->pid);
	s->victim->pid = -1;
	ready_ms = rig_revive(&s->rig, s->victim);
	ck_assert_msg(ready_ms >= 0 && ready_ms <= patience_ms(READY_MAX_MS),
	        "%s: ready again after %d ms", points[s->row].name, ready_ms);
	return ready_ms;
}

/* ---- scenes ---- */

static void
begin_load(struct stage *s, int pause_ms, int step_ms, int failures)
{
	const int64_t until = clock_mono_us() + (int64_t)REACH_MS * 1000;

	s->load = load_start(&(struct load_settings){.port = s->rig.pair.orchestration.port,
	        .pause_ms = pause_ms,
	        .step_ms = step_ms,
	        .failures = failures,
	        .seed = rand_u64() % 1000000});
	ck_assert_ptr_nonnull(s->load);
	while (load_numbers(s->load).acknowledged < LOAD_TASKS && clock_mono_us() < until)
		(void)poll(NULL, 0, 2);
}

static void
under_load(struct stage *s, int pause_ms, int step_ms, int failures)
{
	begin_load(s, pause_ms, step_ms, failures);
	control_arm(s->control, s->row);
	await_death(s);
}

static void
scene_load(struct stage *s)
{
	under_load(s, 5, 5, 0);
}

static void
scene_bulk(struct stage *s)
{
	under_load(s, 0, 0, 0);
}

static void
scene_fail(struct stage *s)
{
	under_load(s, 5, 5, 1);
}

/* Asks until it is answered, with 400 where it was cancelled already; the daemon may die of it. */
static void
cancel(const struct stage *s, const char *id)
{
	const int64_t until = clock_mono_us() + (int64_t)REACH_MS * 1000;
	char path[80];
	int status;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	do {
		struct wire_reply r = rig_call(&s->rig, "DELETE", path, NULL);

		status = r.status;
		wire_reply_free(&r);
		if (status == 0 && is_dead((struct stage *)(uintptr_t)s))
			return;
	} while (status != 200 && status != 400 && clock_mono_us() < until);
	ck_assert_msg(status == 200 || status == 400, "DELETE %s: %d", path, status);
}

/* A task at work and cancelled, until the daemon dies of it; then whoever is left is asked again.
 */
static void
scene_cancel(struct stage *s)
{
	for (int i = 0; i < CANCELS_MAX && !is_dead(s); i++) {
		char *id = rig_linear(&s->rig, LONG_MS);

		ck_assert_ptr_nonnull(id);
		ck_assert(rig_begins(&s->rig, id, "one", 0, REACH_MS));
		s->cancelled++;
		control_arm(s->control, s->row);
		cancel(s, id);
		for (int wait = 0; wait < 100 && !is_dead(s); wait++)
			(void)poll(NULL, 0, 5);
		if (is_dead(s)) {
			(void)revive(s);
			cancel(s, id);
		}
		ck_assert(pair_task_is(&s->rig.pair, id, "cancelled", REACH_MS));
		free(id);
	}
}

static void
scene_sleep(struct stage *s)
{
	const pid_t worker = s->rig.pair.worker.pid;

	begin_load(s, SLOW_MS, RIG_LEASE_MS / 2, 0);
	control_arm(s->control, s->row);
	if (s->victim == &s->rig.pair.worker) { /* it is its own beats that are met */
		await_death(s);
		return;
	}
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	await_death(s);
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
}

static void
scene_leave(struct stage *s)
{
	struct daemon *worker = &s->rig.pair.worker;

	begin_load(s, SLOW_MS, RELEASED_MS, 0);
	control_arm(s->control, s->row);
	ck_assert_int_eq(kill(worker->pid, SIGTERM), 0);
	await_death(s);
	if (s->victim != worker) {
		(void)revive(s);
		ck_assert_int_ne(daemon_stop(worker, REACH_MS), -1);
		ck_assert(rig_start_worker(&s->rig));
	}
}

static void
scene_end(struct stage *s)
{
	begin_load(s, 5, 5, 0);
	control_arm(s->control, s->row);
	ck_assert_int_eq(kill(s->victim->pid, SIGTERM), 0);
	await_death(s);
}

/* It may die before it listens; then the start says that it failed. */
static void
scene_reboot(struct stage *s)
{
	begin_load(s, 5, 50, 0);
	ck_assert_uint_eq(rig_kill_worker(&s->rig), 0);
	control_arm(s->control, s->row);
	if (!rig_start_worker(&s->rig))
		s->rig.pair.worker.pid = -1;
	await_death(s);
}

static void
start_orchestration(struct stage *s)
{
	control_arm(s->control, s->row);
	if (!daemon_start(s->victim, s->rig.pair.dir, "orchestration", NULL))
		s->victim->pid = -1;
	await_death(s);
}

static void
scene_restart(struct stage *s)
{
	begin_load(s, 5, 5, 0);
	daemon_kill(s->victim);
	start_orchestration(s);
}

static void
scene_template(struct stage *s)
{
	static const char template[] = "name: another\nnamespace_name: demo\nversion: \"1.0.0\"\n"
	                               "steps:\n  - name: one\n    handler:\n"
	                               "      callable: nobody.waits\n";
	char *text = daemon_read(s->rig.pair.dir, "orchestration.toml"), *end, *longer = NULL;

	ck_assert_ptr_nonnull(text);
	end = strrchr(text, ']'); /* of templates.paths */
	ck_assert_ptr_nonnull(end);
	ck_assert_int_gt(
	        asprintf(&longer, "%.*s, \"another.yaml\"%s", (int)(end - text), text, end), 0);
	ck_assert(daemon_file(s->rig.pair.dir, "another.yaml", template));
	ck_assert(daemon_file(s->rig.pair.dir, "orchestration.toml", longer));
	free(longer);
	free(text);
	scene_restart(s);
}

static void
scene_fresh(struct stage *s)
{
	static const char *const files[] = {"tasker.db", "tasker.db-wal", "tasker.db-shm"};
	char path[128];

	daemon_kill(s->victim);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", s->rig.pair.dir, files[i]);
		(void)unlink(path);
	}
	start_orchestration(s);
	(void)revive(s);
	begin_load(s, 5, 5, 0);
}

static void
scene_idle(struct stage *s)
{
	control_arm(s->control, s->row);
	await_death(s);
}

/* ---- judging ---- */

static void
settle(struct stage *s)
{
	if (s->load == NULL)
		return;
	(void)poll(NULL, 0, AFTERWARDS_MS);
	load_stop(s->load);
	ck_assert(load_resolve(s->load));
	ck_assert(load_completes(s->load, COMPLETE_MS));
	ck_assert_uint_eq(load_numbers(s->load).wrong, 0);
}

static void
judge(struct stage *s)
{
	AUTO(book) struct book book = {.items = NULL};
	const char **ids = NULL;
	size_t count = 0;
	struct findings f;

	if (s->load != NULL)
		ids = load_ids(s->load, &count);
	ck_assert(book_read(s->rig.pair.dir, RIG_BOOK, &book));
	ck_assert(checker_judge(&(struct evidence){.dir = s->rig.pair.dir,
	                                .file = "tasker.db",
	                                .book = &book,
	                                .ids = ids,
	                                .id_count = count},
	        &f));
	ck_assert_msg(checker_broken(&f) == 0, "%s, folder %s:\n%s", points[s->row].name,
	        s->rig.pair.dir, f.text);
	ck_assert_uint_eq(f.tasks, count + s->cancelled);
	ck_assert(s->load == NULL || count > 0);
	free(ids);
}

/* ---- which points ---- */

static int chosen[COUNT(points)];

static bool
is_chosen(int row)
{
	const char *many = getenv("FAULT_POINTS"), *one = getenv("FAULT_POINT");
	const char *shard = getenv("FAULT_SHARD");
	const int wanted = many != NULL ? (int)strtol(many, NULL, 10) : 0;
	int part = 0, parts = 1;

	if (shard != NULL && (sscanf(shard, "%d/%d", &part, &parts) != 2 || parts < 1))
		return true;
	if (row % parts != part)
		return false;
	if (one != NULL && *one != '\0')
		return strcmp(one, points[row].name) == 0;
	return wanted <= 0 || row % (((int)COUNT(points) + wanted - 1) / wanted) == 0;
}

START_TEST(death_there_loses_nothing)
{
	static void (*const scenes[])(struct stage *) = {
	        [SCENE_LOAD] = scene_load,
	        [SCENE_BULK] = scene_bulk,
	        [SCENE_FAIL] = scene_fail,
	        [SCENE_CANCEL] = scene_cancel,
	        [SCENE_SLEEP] = scene_sleep,
	        [SCENE_LEAVE] = scene_leave,
	        [SCENE_END] = scene_end,
	        [SCENE_REBOOT] = scene_reboot,
	        [SCENE_RESTART] = scene_restart,
	        [SCENE_TEMPLATE] = scene_template,
	        [SCENE_FRESH] = scene_fresh,
	        [SCENE_IDLE] = scene_idle,
	};
	struct stage s = {.row = chosen[_i]};

	s.control = control_open();
	ck_assert_ptr_nonnull(s.control);
	ck_assert(rig_start(&s.rig, false));
	s.victim = points[s.row].program == WORKER ? &s.rig.pair.worker : &s.rig.pair.orchestration;
	scenes[points[s.row].scene](&s);
	await_death(&s);
	if (atomic_load(&s.control->armed) != 0)
		(void)revive(&s);
	settle(&s);
	ck_assert(rig_stop(&s.rig));
	ck_assert_int_eq(rig_check(&s.rig), 0);
	judge(&s);
	load_free(s.load);
	rig_remove(&s.rig);
}
END_TEST

/* Else a name that is written wrong would be a run that finds nothing. */
START_TEST(the_point_asked_for_is_in_the_table)
{
	const char *one = getenv("FAULT_POINT");
	bool found = one == NULL || *one == '\0';

	for (size_t row = 0; !found && row < COUNT(points); row++)
		found = strcmp(one, points[row].name) == 0;
	ck_assert_msg(found, "%s is no row of points.def", one);
}
END_TEST

Suite *
points_suite(void)
{
	Suite *s = suite_create("points");
	TCase *tc = tcase_create("kill -9 at a point");
	int count = 0;

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	for (int row = 0; row < (int)COUNT(points); row++)
		if (is_chosen(row))
			chosen[count++] = row;
	tcase_add_test(tc, the_point_asked_for_is_in_the_table);
	tcase_add_loop_test(tc, death_there_loses_nothing, 0, count);
	suite_add_tcase(s, tc);
	return s;
}
