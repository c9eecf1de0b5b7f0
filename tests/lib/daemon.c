#include "tests/lib/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/patience.h"

enum { START_MS = 10000, RUN_MS = 180000, WORDS = 32, SHOWN = 64 * 1024 };

static void
path_in(const char *dir, const char *name, const char *suffix, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/%s%s", dir, name, suffix);
}

static void
nap(void)
{
	(void)poll(NULL, 0, 5);
}

bool
daemon_dir(char out[64])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(
	        out, 64, "%s/tasker-e2e-XXXXXX", tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	return mkdtemp(out) != NULL;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	(void)remove(path);
	return 0;
}

void
daemon_dir_remove(const char *dir)
{
	if (getenv("TASKER_KEEP") == NULL) /* set it to look at what a failed test left */
		(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool
daemon_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	size_t len = strlen(text);
	FILE *file;
	bool whole;

	path_in(dir, name, "", path);
	file = fopen(path, "we");
	if (file == NULL)
		return false;
	(void)fchmod(fileno(file), 0600);
	whole = fwrite(text, 1, len, file) == len;
	return fclose(file) == 0 && whole;
}

char *
daemon_read(const char *dir, const char *name)
{
	char path[PATH_MAX];
	char *text = NULL;
	size_t room = 0;
	FILE *file;

	path_in(dir, name, "", path);
	file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	(void)fclose(file);
	return text;
}

static void
redirect(const char *dir, const char *name, const char *suffix, int onto)
{
	char path[PATH_MAX];
	int fd;

	path_in(dir, name, suffix, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, onto) < 0)
		_exit(126);
}

/* exec, behind the words of TASKER_WRAPPER if it is set and the program is not TASKER_UNWRAPPED. */
static void
execute(char *path, char *const argv[])
{
	const char *wrapper = getenv("TASKER_WRAPPER"), *bare = getenv("TASKER_UNWRAPPED");
	const bool is_bare = bare != NULL && strcmp(strrchr(path, '/') + 1, bare) == 0;
	char *words = wrapper != NULL && !is_bare ? strdup(wrapper) : NULL;
	char *all[2 * WORDS] = {NULL};
	size_t n = 0;

	if (words == NULL) {
		(void)execv(path, argv);
		return;
	}
	for (char *rest = words, *word = strsep(&rest, " "); word != NULL && n < WORDS;
	        word = strsep(&rest, " "))
		if (*word != '\0')
			all[n++] = word;
	all[n++] = path;
	for (size_t i = 1; argv[i] != NULL && n + 1 < COUNT(all); i++)
		all[n++] = argv[i];
	(void)execvp(all[0], all);
}

/* The child's half: in dir, output in files, ended with its parent. */
static void
become(const char *dir, const char *program, const char *out, const char *err, char *const argv[])
{
	const char *bin = getenv("TASKER_BIN");
	char path[PATH_MAX];

	if (bin == NULL || realpath(bin, path) == NULL)
		_exit(125);
	(void)strncat(path, "/", sizeof(path) - strlen(path) - 1);
	(void)strncat(path, program, sizeof(path) - strlen(path) - 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	redirect(dir, out, ".out", STDOUT_FILENO);
	redirect(dir, out, err, STDERR_FILENO);
	if (chdir(dir) != 0)
		_exit(124);
	execute(path, argv);
	_exit(127);
}

static bool
port_read(struct daemon *d)
{
	char name[48];
	char *text;

	(void)snprintf(name, sizeof(name), "%s.port", d->role);
	text = daemon_read(d->dir, name);
	d->port = text != NULL ? (int)strtol(text, NULL, 10) : 0;
	free(text);
	return d->port > 0;
}

bool
daemon_start(struct daemon *d, const char *dir, const char *role, const char *toml)
{
	char program[64], config[PATH_MAX], port[PATH_MAX], name[48];
	char with_config[] = "--config", with_port[] = "--port-file";
	char *argv[] = {program, with_config, config, with_port, port, NULL};
	int64_t until = clock_mono_us() + (int64_t)patience_ms(START_MS) * 1000;

	*d = (struct daemon){.pid = -1};
	(void)snprintf(d->dir, sizeof(d->dir), "%s", dir);
	(void)snprintf(d->role, sizeof(d->role), "%s", role);
	(void)snprintf(program, sizeof(program), "tasker-%s", role);
	(void)snprintf(name, sizeof(name), "%s.toml", role);
	path_in(dir, name, "", config);
	path_in(dir, role, ".port", port);
	if (toml != NULL && !daemon_file(dir, name, toml))
		return false;
	(void)unlink(port);
	d->pid = fork();
	if (d->pid == 0)
		become(dir, program, role, ".log", argv);
	while (d->pid > 0 && clock_mono_us() < until) {
		if (port_read(d))
			return true;
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid)
			break;
		nap();
	}
	d->pid = -1;
	return false;
}

/* What a sanitizer or valgrind wrote about the process, beside the test that ran it. */
static void
show_report(const char *role, pid_t pid)
{
	const char *reports = getenv("TASKER_REPORTS");
	DIR *dir = reports != NULL ? opendir(reports) : NULL;
	char suffix[16], *text;

	if (dir == NULL)
		return;
	(void)snprintf(suffix, sizeof(suffix), ".%d", (int)pid);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		const char *dot = strrchr(e->d_name, '.');

		if (dot == NULL || strcmp(dot, suffix) != 0)
			continue;
		text = daemon_read(reports, e->d_name);
		if (text != NULL && *text != '\0')
			(void)fprintf(stderr, "report about tasker-%s:\n%.*s\n", role, SHOWN, text);
		free(text);
	}
	(void)closedir(dir);
}

static int
reap(pid_t pid, int timeout_ms)
{
	int64_t until = clock_mono_us() + (int64_t)patience_ms(timeout_ms) * 1000;
	int status;

	do {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		nap();
	} while (clock_mono_us() < until);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return -1;
}

int
daemon_stop(struct daemon *d, int timeout_ms)
{
	int status;

	if (d->pid <= 0)
		return -1;
	(void)kill(d->pid, SIGTERM);
	status = reap(d->pid, timeout_ms);
	show_report(d->role, d->pid);
	d->pid = -1;
	return status;
}

void
daemon_kill(struct daemon *d)
{
	if (d->pid <= 0)
		return;
	(void)kill(d->pid, SIGKILL);
	(void)waitpid(d->pid, NULL, 0);
	show_report(d->role, d->pid);
	d->pid = -1;
}

int
daemon_run(const char *dir, const char *program, const char *name, const char *const *args)
{
	char *argv[32] = {(char *)(uintptr_t)program};
	pid_t pid;

	for (size_t i = 0; args[i] != NULL && i + 2 < COUNT(argv); i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	pid = fork();
	if (pid == 0)
		become(dir, program, name, ".err", argv);
	return pid > 0 ? reap(pid, RUN_MS) : -1;
}
