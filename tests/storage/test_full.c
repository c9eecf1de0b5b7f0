/*
 * Real daemons on a disk that is full, and on one whose fsync fails (F3, ST4, ST5): everything they
 * have is on it, database, logs and the handlers' files.
 *
 * A flood of creates fills the disk; from then on they are refused with 503, what was acknowledged
 * can be read, and when there is room again work goes on by itself. Every request has a context of
 * its own, so one that was refused is sent again later: then it exists once.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/fault/checker.h"
#include "tests/storage/small_disk.h"
#include "tests/unit/unit.h"

enum {
	ROUNDS = 20,
	WISHES = 4000,
	FLOOD_MAX = 1500,          /* requests until the disk must be full */
	FULL_ASKS = 10,            /* more of them while it is */
	PAD = 160 * 1024,          /* of a context */
	ROOM_KIB = 320,            /* what a ballast leaves */
	GROWTH = 64 * 1024 * 1024, /* room after each round: its tasks and their results stay */
	RECOVER_MS = 5000,
	COMPLETE_MS = 90000,
	END_MS = 10000,
	LOG_TAIL = 6000,
	NOT_STARTED = 3, /* attempts without room for their files, more than the step may fail */
	TIMEOUT_S = 280,
};

#define KEY "X-API-Key: " PAIR_API_KEY "\r\n"

struct wish {
	char id[40]; /* "": not acknowledged */
};

struct flood {
	struct small_disk disk;
	struct pair pair;
	struct wish wishes[WISHES];
	size_t count, acked, refused;
	int recover_max_ms;
};

static struct flood flood;

static unsigned long
rounds(void)
{
	const char *text = getenv("STORAGE_ROUNDS");

	return text != NULL ? strtoul(text, NULL, 10) : ROUNDS;
}

static int
call(const struct flood *f, const char *path)
{
	struct wire_reply r = wire_call(f->pair.orchestration.port, "GET", path, KEY, NULL);
	const int status = r.status;

	wire_reply_free(&r);
	return status;
}

static int
look_at(const struct flood *f, size_t wish)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", f->wishes[wish].id);
	return call(f, path);
}

/* Asks for a task, the first time or again: 201, or 409 with its id if it is there, or 503. */
static int
create(struct flood *f, size_t wish)
{
	AUTO(buf) struct buf body = BUF(KIB(512));
	struct wire_reply r;
	char *id;
	int status;

	buf_format(&body,
	        "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\","
	        "\"initiator\":\"full\",\"source_system\":\"test\",\"reason\":\"flood\","
	        "\"context\":{\"wish\":%zu,\"pad\":\"",
	        wish);
	memset(buf_room(&body, PAD), 'x', PAD);
	body.len += PAD;
	buf_text(&body, "\"}}");
	buf_char(&body, '\0');
	ck_assert(buf_ok(&body));
	r = wire_call(f->pair.orchestration.port, "POST", "/v1/tasks", KEY, body.data);
	status = r.status;
	id = status == 201 || status == 409 ? pair_member(r.body, "task_uuid") : NULL;
	ck_assert_msg(status == 503 || id != NULL, "POST /v1/tasks: %d %s", status,
	        r.body != NULL ? r.body : "");
	if (id != NULL) {
		(void)snprintf(f->wishes[wish].id, sizeof(f->wishes[wish].id), "%s", id);
		f->acked++;
	} else {
		ck_assert_ptr_nonnull(wire_field(&r, "Retry-After"));
		f->refused++;
	}
	free(id);
	wire_reply_free(&r);
	return status;
}

static int
create_new(struct flood *f)
{
	ck_assert_uint_lt(f->count, WISHES);
	return create(f, f->count++);
}

/* Until one is refused, and some more while it is full; reads go on. */
static void
fill_up(struct flood *f)
{
	size_t sent = 0, last = f->count;

	while (create_new(f) == 201)
		ck_assert_uint_lt(++sent, FLOOD_MAX);
	for (int i = 0; i < FULL_ASKS; i++)
		(void)create_new(f);
	for (size_t i = last > 5 ? last - 5 : 0; i < f->count; i++)
		if (f->wishes[i].id[0] != '\0')
			ck_assert_int_eq(look_at(f, i), 200);
	ck_assert_int_eq(call(f, "/v1/tasks?per_page=5"), 200);
	ck_assert_int_eq(call(f, "/health/live"), 200);
}

/* What the orchestration said last, for who must find out why. */
static void
show_log(const struct flood *f)
{
	char *text = daemon_read(f->pair.dir, "orchestration.log");
	const size_t len = text != NULL ? strlen(text) : 0;

	(void)fprintf(stderr, "%s\n", len > LOG_TAIL ? text + len - LOG_TAIL : text);
	free(text);
}

/* There is room again: how long until a create succeeds. */
static void
await_recovery(struct flood *f)
{
	const int64_t from = clock_mono_us();
	const size_t wish = f->count++;
	int took;

	while (create(f, wish) == 503) {
		if (clock_mono_us() - from >= RECOVER_MS * 1000) {
			show_log(f);
			ck_abort_msg("no create succeeds %d ms after there is room", RECOVER_MS);
		}
		(void)poll(NULL, 0, 5);
	}
	took = (int)((clock_mono_us() - from) / 1000);
	if (took > f->recover_max_ms)
		f->recover_max_ms = took;
}

/* What was refused is asked for again: each is there once. */
static void
settle(struct flood *f, size_t from)
{
	for (size_t i = from; i < f->count; i++)
		if (f->wishes[i].id[0] == '\0')
			ck_assert_int_ne(create(f, i), 503);
}

/* With a worker every task is complete; without one nobody has touched any. */
static void
judge(struct flood *f, bool worker, unsigned long times)
{
	const char **ids = calloc(f->count, sizeof(*ids));
	struct findings findings;

	ck_assert_ptr_nonnull(ids);
	for (size_t i = 0; i < f->count; i++)
		ids[i] = f->wishes[i].id;
	ck_assert(checker_judge(&(struct evidence){.dir = f->pair.dir,
	                                .file = "tasker.db",
	                                .ids = ids,
	                                .id_count = worker ? f->count : 0,
	                                .open_ids = ids,
	                                .open_count = worker ? 0 : f->count,
	                                .no_others = true},
	        &findings));
	ck_assert_msg(checker_broken(&findings) == 0, "%s", findings.text);
	(void)printf("storage: disk full %lu times%s: %zu tasks acknowledged and there, %zu "
	             "refusals, %zu events; work went on within %d ms; 0 violations\n",
	        times, worker ? ", with a worker" : "", findings.tasks, f->refused, findings.events,
	        f->recover_max_ms);
	free(ids);
}

static void
start_flood(struct flood *f, bool worker)
{
	char root[PATH_MAX], own[PATH_MAX + 64];

	ck_assert_ptr_nonnull(getcwd(root, sizeof(root)));
	(void)snprintf(own, sizeof(own), "[templates]\npaths = [\"%s/config/templates\"]\n", root);
	ck_assert_int_eq(setenv("TMPDIR", f->disk.path, 1), 0);
	ck_assert(pair_start(&f->pair,
	        &(struct pair_settings){.orchestration = own, .without_worker = !worker}));
}

/* F3. In the first round the flood itself fills 8 MiB, and the disk grows; then a ballast comes and
 * goes, too. Once with a worker, who reports later what it could not report on a full disk. */
START_TEST(full_disk_refuses_and_recovers_by_itself)
{
	static const char *const check[] = {"--config", "orchestration.toml", "db", "check", NULL};
	const bool worker = _i == 1;
	const unsigned long times = worker ? 1 : rounds();
	struct flood *f = &flood;
	size_t size = SMALL_DISK_BYTES;

	if (!small_disk_mount(&f->disk))
		return;
	start_flood(f, worker);
	for (unsigned long round = 0; round < times; round++) {
		const size_t from = f->count;

		if (round > 0)
			ck_assert(small_disk_fill(&f->disk, (size_t)ROOM_KIB * 1024));
		fill_up(f);
		small_disk_free(&f->disk);
		size += GROWTH - small_disk_left(&f->disk);
		ck_assert(small_disk_grow(&f->disk, size));
		await_recovery(f);
		settle(f, from);
	}
	for (size_t i = 0; worker && i < f->count; i++)
		ck_assert_msg(pair_task_is(&f->pair, f->wishes[i].id, "complete", COMPLETE_MS),
		        "task %zu of %zu", i, f->count);
	if (worker)
		ck_assert_int_eq(daemon_stop(&f->pair.worker, END_MS), 0);
	ck_assert_int_eq(daemon_stop(&f->pair.orchestration, END_MS), 0);
	ck_assert_int_eq(daemon_run(f->pair.dir, "tasker-orchestration", "check", check), 0);
	judge(f, worker, times);
	small_disk_unmount(&f->disk);
}
END_TEST

static size_t
times_in(const char *dir, const char *log, const char *word)
{
	char *text = daemon_read(dir, log);
	size_t count = 0;

	for (const char *at = text; at != NULL && (at = strstr(at, word)) != NULL; at++)
		count++;
	free(text);
	return count;
}

/* The worker's side: no room for a handler's files. The step goes back unburnt, however often, and
 * is done when there is room. */
START_TEST(step_without_room_for_its_files_is_not_failed)
{
	struct flood *f = &flood;
	const int64_t until = clock_mono_us() + (int64_t)COMPLETE_MS * 1000;
	char *admin, *id;

	if (!small_disk_mount(&f->disk))
		return;
	ck_assert_int_eq(setenv("RUNTIME_DIRECTORY", f->disk.path, 1), 0);
	ck_assert(pair_start(&f->pair, &(struct pair_settings){.store = NULL}));
	ck_assert(pair_template(&f->pair, "/v1/templates/demo/shell/1.0.0"));
	ck_assert(small_disk_fill(&f->disk, 0));
	admin = pair_admin();
	id = pair_task(&f->pair, admin, "demo", "shell");
	ck_assert_ptr_nonnull(id);
	while (times_in(f->pair.dir, "worker.log", "handler.not_started") < NOT_STARTED) {
		ck_assert_int_lt(clock_mono_us(), until);
		(void)poll(NULL, 0, 20);
	}
	small_disk_free(&f->disk);
	ck_assert(pair_task_is(&f->pair, id, "complete", COMPLETE_MS));
	free(id);
	free(admin);
	pair_stop(&f->pair);
	small_disk_unmount(&f->disk);
}
END_TEST

/* The daemon's exit status, once it ends by itself; -1: it does not. */
static int
ends_with(struct daemon *d)
{
	const int64_t until = clock_mono_us() + (int64_t)END_MS * 1000;
	int status = 0;
	pid_t ended = 0;

	while (ended == 0 && clock_mono_us() < until) {
		ended = waitpid(d->pid, &status, WNOHANG);
		(void)poll(NULL, 0, 5);
	}
	if (ended != d->pid)
		return -1;
	d->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ST5: a failed fsync is a 503 and the daemon's end, with 74; what it acknowledged before is there
 * at the next start. */
START_TEST(failed_fsync_ends_the_daemon_with_74)
{
	struct flood *f = &flood;
	const char *library = getenv("STORAGE_BAD_SYNC");
	char name[96], root[256], path[384];

	ck_assert_ptr_nonnull(library);
	ck_assert_ptr_nonnull(getcwd(root, sizeof(root)));
	(void)snprintf(path, sizeof(path), "%s/%s", root, library);
	(void)snprintf(name, sizeof(name), "/tmp/tasker-bad-sync-%d", (int)getpid());
	ck_assert_int_eq(setenv("BAD_SYNC", name, 1), 0);
	ck_assert_int_eq(setenv("LD_PRELOAD", path, 1), 0);
	ck_assert(pair_start(&f->pair, &(struct pair_settings){.store = NULL}));
	ck_assert(pair_template(&f->pair, "/v1/templates/demo/linear/1.0.0"));
	ck_assert_int_eq(create_new(f), 201);
	ck_assert(daemon_file("/tmp", strrchr(name, '/') + 1, ""));
	ck_assert_int_eq(create_new(f), 503);
	ck_assert_int_eq(ends_with(&f->pair.orchestration), 74);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert(daemon_start(&f->pair.orchestration, f->pair.dir, "orchestration", NULL));
	ck_assert_int_eq(look_at(f, 0), 200);
	ck_assert_int_ne(create(f, 1), 503);
	ck_assert_int_eq(look_at(f, 1), 200);
	pair_stop(&f->pair);
}
END_TEST

Suite *
storage_full_suite(void)
{
	Suite *s = suite_create("storage full");
	TCase *tc = tcase_create("disks");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_loop_test(tc, full_disk_refuses_and_recovers_by_itself, 0, 2);
	tcase_add_test(tc, step_without_room_for_its_files_is_not_failed);
	tcase_add_test(tc, failed_fsync_ends_the_daemon_with_74);
	suite_add_tcase(s, tc);
	return s;
}
