#include "worker/runner/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buf.h"

enum { COMMAND_MAX = 256, ENVIRON_MAX = 256 * 1024, FD_ABOVE = 10 };

static const char mark_name[] = "TASKER_RUN";

struct running {
	pid_t pid;
	uint64_t run;
};

struct children {
	const struct runner_settings *settings;
	struct running *list;
	size_t count, cap;
	uint64_t next_run;
	bool sweep_due;
};

bool
children_new(const struct runner_settings *settings, OWNED struct children **out, struct err *e)
{
	struct children *c;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return err_set(e, ERR_IO, "becoming a subreaper: %s", strerror(errno));
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the list of processes");
	c->settings = settings;
	c->next_run = 1;
	*out = c;
	return true;
}

void
children_free(struct children *c)
{
	if (c == NULL)
		return;
	free(c->list);
	free(c);
}

bool
child_pipe(bool we_write, int *ours, int *theirs, struct err *e)
{
	int ends[2], high;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(e, ERR_IO, "a pipe to a handler: %s", strerror(errno));
	high = fcntl(ends[we_write ? 0 : 1], F_DUPFD_CLOEXEC, FD_ABOVE);
	(void)close(ends[we_write ? 0 : 1]);
	if (high < 0 || fcntl(ends[we_write ? 1 : 0], F_SETFL, O_NONBLOCK) != 0) {
		const int why = errno;

		(void)close(ends[we_write ? 1 : 0]);
		if (high >= 0)
			(void)close(high);
		return err_set(e, ERR_IO, "a pipe to a handler: %s", strerror(why));
	}
	*ours = ends[we_write ? 1 : 0];
	*theirs = high;
	return true;
}

static bool
room(struct children *c, struct err *e)
{
	const size_t cap = c->cap == 0 ? 16 : c->cap * 2;
	struct running *list;

	if (c->count < c->cap)
		return true;
	if (c->cap >= CHILDREN_MAX)
		return err_set(e, ERR_LIMIT, "more than %d handler processes", CHILDREN_MAX);
	list = realloc(c->list, cap * sizeof(*list));
	if (list == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the list of processes");
	c->list = list;
	c->cap = cap;
	return true;
}

/* The shim's command line: its options, then the handler's own words. */
static bool
command_line(const struct children *c, const struct child_start *start, char parent[24],
        const char *argv[COMMAND_MAX], struct err *e)
{
	const char *const options[] = {c->settings->shim, "-p", parent, "-k",
	        start->fd_count > 3 ? "5" : "3", "-o", "500", "-l", "core=0", "-s", "nofile=1024"};
	size_t n = 0;

	(void)snprintf(parent, 24, "%ld", (long)getpid());
	for (; n < COUNT(options); n++)
		argv[n] = options[n];
	if (start->handler->cwd != NULL) {
		argv[n++] = "-d";
		argv[n++] = start->handler->cwd;
	}
	argv[n++] = "--";
	for (size_t i = 0; start->handler->command[i] != NULL; i++) {
		if (n + 1 == COMMAND_MAX)
			return err_set(
			        e, ERR_LIMIT, "a command of more than %d words", COMMAND_MAX);
		argv[n++] = start->handler->command[i];
	}
	argv[n] = NULL;
	return true;
}

static int
actions_fill(posix_spawn_file_actions_t *actions, const struct child_start *start)
{
	int rc = 0;

	if (start->fds[0] < 0)
		rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	for (size_t i = 0; i < start->fd_count && rc == 0; i++)
		if (start->fds[i] >= 0)
			rc = posix_spawn_file_actions_adddup2(actions, start->fds[i], (int)i);
	return rc;
}

static int
attributes_fill(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int rc;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	rc = posix_spawnattr_setflags(
	        attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &all);
	return rc != 0 ? rc : posix_spawnattr_setsigmask(attributes, &none);
}

static int
launch(const char *const *argv, const struct child_start *start, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc == 0) {
		rc = actions_fill(&actions, start);
		if (rc == 0)
			rc = attributes_fill(&attributes);
		if (rc == 0) /* argv is not written to; POSIX only could not say so */
			rc = posix_spawn(pid, argv[0], &actions, &attributes,
			        (char *const *)(uintptr_t)argv, start->env->items);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

bool
children_start(
        struct children *c, const struct child_start *start, struct child *out, struct err *e)
{
	const char *argv[COMMAND_MAX];
	char parent[24], mark[96];
	struct child child;
	int rc;

	if (!room(c, e) || !command_line(c, start, parent, argv, e))
		return false;
	(void)snprintf(mark, sizeof(mark), "%s.%" PRIu64, c->settings->boot, c->next_run);
	environment_put(start->env, mark_name, mark);
	if (start->env->failed)
		return err_set(
		        e, ERR_NOMEM, "no room for the environment of %s", start->handler->name);
	rc = launch(argv, start, &child.pid);
	if (rc != 0)
		return err_set(e, ERR_IO, "starting %s: %s", c->settings->shim, strerror(rc));
	child.pidfd = pidfd_open(child.pid, 0);
	if (child.pidfd < 0) {
		(void)kill(-child.pid, SIGKILL);
		(void)waitpid(child.pid, NULL, 0);
		return err_set(e, ERR_IO, "watching a handler: %s", strerror(errno));
	}
	c->list[c->count++] = (struct running){.pid = child.pid, .run = c->next_run++};
	*out = child;
	return true;
}

void
child_signal(const struct child *child, int signal_number)
{
	(void)kill(-child->pid, signal_number);
}

struct child_end
children_reap(struct children *c, struct child *child)
{
	struct child_end end = {0};
	siginfo_t info = {0};
	int rc;

	/* Until it is collected its pid, and so the group's number, cannot be anybody else's. */
	(void)kill(-child->pid, SIGKILL);
	do {
		rc = waitid(P_PID, (id_t)child->pid, &info, WEXITED);
	} while (rc != 0 && errno == EINTR);
	if (rc == 0 && info.si_code == CLD_EXITED)
		end.status = info.si_status;
	else
		end.signal = rc == 0 ? info.si_status : SIGKILL;
	(void)close(child->pidfd);
	c->sweep_due = true;
	for (size_t i = 0; i < c->count; i++) {
		if (c->list[i].pid == child->pid) {
			c->list[i] = c->list[--c->count];
			break;
		}
	}
	*child = (struct child){.pidfd = -1};
	return end;
}

/* ---- orphans ---- */

static bool
read_proc(pid_t pid, const char *what, struct buf *out)
{
	char path[64];
	int fd;
	ssize_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	buf_clear(out);
	do {
		char *room_for = buf_room(out, 4096);

		if (room_for == NULL)
			break;
		n = read(fd, room_for, 4096);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0);
	(void)close(fd);
	return n == 0;
}

/* Field 3 and 4 of stat, after the last parenthesis of the name: is it our child, and a zombie? */
static bool
is_child(pid_t pid, struct buf *text, bool *zombie)
{
	const char *after;
	char state;
	long parent;

	if (!read_proc(pid, "stat", text))
		return false;
	buf_char(text, '\0');
	if (!buf_ok(text))
		return false;
	after = strrchr(text->data, ')');
	if (after == NULL || sscanf(after + 1, " %c %ld", &state, &parent) != 2)
		return false;
	*zombie = state == 'Z';
	return parent == (long)getpid();
}

/* The number of the run whose mark stands in the environment, or 0. */
static uint64_t
mark_of(const struct children *c, pid_t pid, struct buf *text)
{
	char mark[96];
	const int len = snprintf(mark, sizeof(mark), "%s=%s.", mark_name, c->settings->boot);

	if (!read_proc(pid, "environ", text))
		return 0;
	buf_char(text, '\0');
	if (!buf_ok(text))
		return 0;
	for (size_t at = 0; at < text->len; at += strlen(text->data + at) + 1)
		if (strncmp(text->data + at, mark, (size_t)len) == 0)
			return strtoull(text->data + at + len, NULL, 10);
	return 0;
}

static bool
is_known(const struct children *c, pid_t pid)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->list[i].pid == pid)
			return true;
	return false;
}

static bool
is_running(const struct children *c, uint64_t run)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->list[i].run == run)
			return true;
	return false;
}

static bool
sweep_one(const struct children *c, pid_t pid, struct buf *text)
{
	bool zombie;
	uint64_t run;

	if (is_known(c, pid) || !is_child(pid, text, &zombie))
		return false;
	if (zombie)
		return waitpid(pid, NULL, WNOHANG) == pid;
	run = mark_of(c, pid, text);
	if (run == 0 || is_running(c, run))
		return false;
	(void)kill(pid, SIGKILL);
	return true;
}

bool
children_sweep(struct children *c, bool always)
{
	AUTO(buf) struct buf text = BUF(ENVIRON_MAX);
	DIR *proc = always || c->sweep_due ? opendir("/proc") : NULL;
	const struct dirent *entry;
	bool found = false;

	if (proc == NULL)
		return false;
	while ((entry = readdir(proc)) != NULL) {
		char *end;
		const long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && *end == '\0' && sweep_one(c, (pid_t)pid, &text))
			found = true;
	}
	(void)closedir(proc);
	c->sweep_due = found;
	return found;
}
