#include "worker/runner/exec_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/runtime/fd_event.h"

enum {
	CHUNK = 65536,
	READS_A_TURN = 8,
	READS_AT_END = 256,
	PATH_BYTES = 4096,
	STATUS_SHIM = 125,
};

/* EX_TEMPFAIL needs no row: whatever is not listed may be tried again. */
static const int permanent[] = {65 /* EX_DATAERR */, 78 /* EX_CONFIG */};

struct exec_run {
	struct attempt *attempt;
	exec_gone_fn gone;
	void *arg;
	char folder[PATH_BYTES]; /* "" until it is made */
	int folder_fd, log_fd;
	struct child child;
	struct fd_event *log_event, *end_event;
};

static const char input_name[] = "input.json", frame_name[] = "frame.json",
                  result_name[] = "result.json";

/* ---- its folder ---- */

static bool
write_file(
        const struct exec_run *run, const char *name, const char *text, size_t len, struct err *e)
{
	const int fd = openat(
	        run->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n = 0;

	if (fd < 0)
		return err_set(e, ERR_IO, "%s/%s: %s", run->folder, name, strerror(errno));
	while (len > 0 && (n = write(fd, text, len)) > 0) {
		text += n;
		len -= (size_t)n;
	}
	if (close(fd) != 0 || len > 0)
		return err_set(e, ERR_IO, "writing %s/%s: %s", run->folder, name, strerror(errno));
	return true;
}

static bool
folder_make(struct exec_run *run, struct err *e)
{
	const struct step *s = run->attempt->step;
	char path[PATH_BYTES];

	if (snprintf(path, sizeof(path), "%s/tasker-XXXXXX",
	            run->attempt->shop->settings->scratch) >= (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "the scratch folder's name is too long");
	if (mkdtemp(path) == NULL)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	memcpy(run->folder, path, sizeof(path));
	run->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run->folder_fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return write_file(run, input_name, s->frame + s->input_at, s->input_len, e) &&
	       write_file(run, frame_name, s->frame, s->frame_len, e);
}

/* By name, which needs no memory: what we wrote, and the result that we asked for. */
static void
folder_empty_known(int fd)
{
	static const char *const names[] = {input_name, frame_name, result_name};

	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(fd, names[i], 0);
}

/*
 * Files the handler put beside its result go too, if there is memory to list them. What still
 * stays behind, such as a folder in it, is said: the service manager clears its RUNTIME_DIRECTORY,
 * and elsewhere nobody but the operator knows what else is below a shared TMPDIR.
 */
static void
folder_remove(struct exec_run *run)
{
	DIR *folder = NULL;
	const struct dirent *entry;

	if (run->folder_fd >= 0) {
		folder_empty_known(run->folder_fd);
		folder = fdopendir(run->folder_fd);
	}
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		(void)closedir(folder);
	else if (run->folder_fd >= 0)
		(void)close(run->folder_fd);
	if (run->folder[0] != '\0' && rmdir(run->folder) != 0)
		LOG(WARN, "handler.folder_left", TEXT_F("folder", run->folder));
}

/* ---- its end ---- */

static void
run_free(struct exec_run *run)
{
	fd_event_free(run->log_event);
	fd_event_free(run->end_event);
	if (run->log_fd >= 0)
		(void)close(run->log_fd);
	folder_remove(run);
	free(run);
}

static void
read_log(struct exec_run *run, unsigned reads)
{
	char chunk[CHUNK];

	while (reads-- > 0) {
		const ssize_t n = read(run->log_fd, chunk, sizeof(chunk));

		if (n == 0)
			fd_event_free(TAKE(run->log_event));
		if (n <= 0)
			return;
		output_add(&run->attempt->output, chunk, (size_t)n);
	}
}

/* Reads the result file whole; false with the reason when it cannot be used. */
static bool
read_result(const struct exec_run *run, struct buf *out, struct step_report *r)
{
	const size_t most = run->attempt->shop->settings->result_bytes;
	const int fd =
	        openat(run->folder_fd, result_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		step_report_error(r, "INVALID_RESULT", false, "the result is no readable file");
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while (n > 0 && out->len <= most) {
		char *room = buf_room(out, 65536);

		n = room == NULL ? -1 : read(fd, room, 65536);
		out->len += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	if (out->len > most)
		step_report_error(
		        r, "RESULT_TOO_LARGE", false, "the result is larger than %zu bytes", most);
	else if (n < 0)
		step_report_error(r, "handler_error", true, "the result could not be read");
	return out->len <= most && n == 0;
}

static void
succeed(struct exec_run *run)
{
	const struct runner_settings *s = run->attempt->shop->settings;
	const struct json_limits limits = {
	        .bytes = s->result_bytes, .nodes = s->json_nodes, .depth = s->json_depth};
	AUTO(buf) struct buf text = BUF(s->result_bytes + 65536 + 1);
	AUTO(json) struct json *doc = NULL;
	struct err e;
	size_t blank = 0;

	if (!read_result(run, &text, run->attempt->report))
		return;
	while (blank < text.len && strchr(" \t\r\n", text.data[blank]) != NULL)
		blank++;
	if (blank == text.len)
		attempt_result(run->attempt, NULL, NULL);
	else if (json_parse(text.data, text.len, &limits, &doc, &e))
		attempt_result(run->attempt, doc, json_root(doc));
	else
		step_report_error(run->attempt->report, "INVALID_RESULT", false, "%s", e.text);
}

static void
fail(struct exec_run *run, int status)
{
	bool retryable = true;

	for (size_t i = 0; i < COUNT(permanent); i++)
		if (status == permanent[i])
			retryable = false;
	step_report_error(run->attempt->report, "handler_error", retryable,
	        "the handler exited with status %d", status);
}

static void
on_end(unsigned ready, void *arg)
{
	struct exec_run *run = arg;
	struct attempt *a = run->attempt;
	struct child_end end;
	bool shim_failed;

	(void)ready;
	fd_event_free(TAKE(run->end_event));
	read_log(run, READS_AT_END);
	end = children_reap(a->shop->children, &run->child);
	shim_failed = end.signal == 0 && end.status == STATUS_SHIM;
	if (end.signal == 0 && end.status == 0)
		succeed(run);
	else if (a->stop == STOP_NONE && end.signal != 0)
		attempt_crashed(a, end.status, end.signal);
	else if (a->stop == STOP_NONE && !shim_failed)
		fail(run, end.status);
	if (shim_failed)
		LOG(WARN, "handler.not_started", TEXT_F("handler", a->handler->name));
	a->holder = NULL;
	run->gone(TAKE(run->attempt), shim_failed, run->arg);
	run_free(run);
}

static void
on_log(unsigned ready, void *arg)
{
	(void)ready;
	read_log(arg, READS_A_TURN);
}

/* Its timeout, or the end of its grace. */
static void
on_due(void *arg)
{
	struct exec_run *run = arg;

	if (run->attempt->stop == STOP_NONE)
		exec_run_stop(run, STOP_TIMED_OUT, run->attempt->handler->grace_us);
	else
		child_signal(&run->child, SIGKILL);
}

void
exec_run_stop(struct exec_run *run, enum stop why, int64_t grace_us)
{
	if (attempt_stop(run->attempt, why, grace_us))
		child_signal(&run->child, SIGTERM);
}

/* ---- its start ---- */

static void
describe(const struct exec_run *run, struct environment *env)
{
	const struct attempt *a = run->attempt;
	const struct step *s = a->step;
	char text[PATH_BYTES + 32], deadline[CLOCK_TEXT];
	const struct {
		const char *name, *value;
	} texts[] = {
	        {"TASKER_TASK_ID",         s->task     },
	        {"TASKER_STEP_ID",         s->uuid     },
	        {"TASKER_NAMESPACE",       s->namespace},
	        {"TASKER_TEMPLATE",        s->template },
	        {"TASKER_STEP",            s->name     },
	        {"TASKER_HANDLER",         s->handler  },
	        {"TASKER_IDEMPOTENCY_KEY", s->key      },
	};
	const struct {
		const char *name, *file;
	} files[] = {
	        {"TASKER_INPUT",  input_name },
	        {"TASKER_FRAME",  frame_name },
	        {"TASKER_RESULT", result_name},
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		environment_put(env, texts[i].name, texts[i].value);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(text, sizeof(text), "%s/%s", run->folder, files[i].file);
		environment_put(env, files[i].name, text);
	}
	(void)snprintf(text, sizeof(text), "%" PRId64, s->attempt);
	environment_put(env, "TASKER_ATTEMPT", text);
	(void)snprintf(text, sizeof(text), "%" PRId64, s->max_attempts);
	environment_put(env, "TASKER_MAX_ATTEMPTS", text);
	clock_text(attempt_deadline_wall_us(a), deadline);
	environment_put(env, "TASKER_DEADLINE", deadline);
}

static bool
launch(struct exec_run *run, struct err *e)
{
	AUTO(environment) struct environment env = {0};
	struct child_start start = {
	        .handler = run->attempt->handler,
	        .env = &env,
	        .fds = {-1, -1, -1, -1, -1},
	        .fd_count = 3
        };
	int input;
	bool ok;

	environment_inherit(&env);
	environment_put_all(&env, run->attempt->handler->env);
	describe(run, &env);
	input = openat(run->folder_fd, input_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (input < 0)
		return err_set(e, ERR_IO, "%s/%s: %s", run->folder, input_name, strerror(errno));
	start.fds[0] = fcntl(input, F_DUPFD_CLOEXEC, 10);
	(void)close(input);
	if (start.fds[0] < 0)
		return err_set(e, ERR_IO, "a handler's stdin: %s", strerror(errno));
	ok = child_pipe(false, &run->log_fd, &start.fds[1], e);
	start.fds[2] = start.fds[1];
	ok = ok && children_start(run->attempt->shop->children, &start, &run->child, e);
	for (size_t i = 0; i < 2; i++)
		if (start.fds[i] >= 0)
			(void)close(start.fds[i]);
	return ok;
}

static bool
watch(struct exec_run *run, struct err *e)
{
	struct loop *loop = run->attempt->shop->loop;

	return fd_event_new(loop, run->log_fd, on_log, run, &run->log_event, e) &&
	       fd_event_new(loop, run->child.pidfd, on_end, run, &run->end_event, e) &&
	       fd_event_watch(run->log_event, FD_READABLE, e) &&
	       fd_event_watch(run->end_event, FD_READABLE, e);
}

static bool
begin(struct exec_run *run, struct err *e)
{
	if (!folder_make(run, e) || !attempt_start(run->attempt, on_due, run, e) || !launch(run, e))
		return false;
	if (watch(run, e))
		return true;
	child_signal(&run->child, SIGKILL);
	(void)children_reap(run->attempt->shop->children, &run->child);
	return false;
}

bool
exec_run_new(
        struct attempt *a, exec_gone_fn gone, void *arg, OWNED struct exec_run **out, struct err *e)
{
	struct exec_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a run");
	run->attempt = a;
	run->gone = gone;
	run->arg = arg;
	run->folder_fd = run->log_fd = run->child.pidfd = -1;
	a->holder = run;
	if (!begin(run, e)) {
		loop_timer_free(TAKE(a->timer));
		a->holder = NULL;
		run_free(run);
		return false;
	}
	*out = run;
	return true;
}
