/*
 * tasker-exec: what must happen in a handler's process before its program runs.
 *
 *     tasker-exec [-p parent] [-k fds] [-d folder] [-o score] [-l name=n] [-s name=n] -- program
 * ...
 *
 *  -p  pid of the worker: the process dies with it, also if it is dead already
 *  -k  descriptors 0 .. fds-1 stay open, all others are closed (default 3)
 *  -d  folder to run in
 *  -o  oom_score_adj: handlers are killed before the daemon that supervises them
 *  -l  a limit, soft and hard; -s only the soft one: core nofile nproc fsize cpu data as
 *
 * The worker starts it by posix_spawn in a session of its own, with all signals at their defaults,
 * so that a large worker is never forked. It allocates nothing. Exit codes are a shell's: 127 the
 * program is not there, 126 it cannot be run; 125 the shim itself was refused something.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/attr.h"

enum { EXIT_SHIM = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const struct {
	const char *name;
	__rlimit_resource_t which;
} limits[] = {
        {"as",     RLIMIT_AS    },
        {"core",   RLIMIT_CORE  },
        {"cpu",    RLIMIT_CPU   },
        {"data",   RLIMIT_DATA  },
        {"fsize",  RLIMIT_FSIZE },
        {"nofile", RLIMIT_NOFILE},
        {"nproc",  RLIMIT_NPROC },
};

static void
complain(const char *doing, const char *what)
{
	(void)fprintf(stderr, "tasker-exec: %s %s: %s\n", doing, what, strerror(errno));
}

static bool
number(const char *text, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || *text == '-')
		errno = EINVAL;
	return errno == 0;
}

static bool
limit(const char *setting, bool hard)
{
	const char *value = strchr(setting, '=');
	struct rlimit now;
	unsigned long n;

	if (value == NULL || !number(value + 1, &n))
		return false;
	for (size_t i = 0; i < COUNT(limits); i++) {
		const size_t len = strlen(limits[i].name);

		if (len != (size_t)(value - setting) || memcmp(limits[i].name, setting, len) != 0)
			continue;
		if (getrlimit(limits[i].which, &now) != 0)
			return false;
		now.rlim_cur = now.rlim_max < n ? now.rlim_max : n;
		if (hard)
			now.rlim_max = now.rlim_cur;
		return setrlimit(limits[i].which, &now) == 0;
	}
	errno = EINVAL;
	return false;
}

/* The parent may have died before prctl was heard: then somebody else is the parent by now. */
static bool
follow(const char *parent)
{
	unsigned long pid;

	if (!number(parent, &pid) || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return false;
	errno = ESRCH;
	return (unsigned long)getppid() == pid;
}

/* Best effort: a container may forbid it, and the step runs as well without. */
static void
score(const char *points)
{
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, points, strlen(points)) < 0)
		errno = 0;
	(void)close(fd);
}

static bool
option(int letter, const char *value, unsigned long *keep)
{
	switch (letter) {
	case 'p':
		return follow(value);
	case 'k':
		return number(value, keep);
	case 'd':
		return chdir(value) == 0;
	case 'o':
		score(value);
		return true;
	case 'l':
	case 's':
		return limit(value, letter == 'l');
	default:
		errno = EINVAL;
		return false;
	}
}

int
main(int argc, char **argv)
{
	unsigned long keep = 3;
	int letter;

	(void)umask(077);
	while ((letter = getopt(argc, argv, "+p:k:d:o:l:s:")) != -1) {
		if (!option(letter, optarg, &keep)) {
			complain("option", optarg != NULL ? optarg : "?");
			return EXIT_SHIM;
		}
	}
	if (optind >= argc) {
		errno = EINVAL;
		complain("no program", "given");
		return EXIT_SHIM;
	}
	if (close_range((unsigned)keep, ~0U, 0) != 0) {
		complain("closing", "descriptors");
		return EXIT_SHIM;
	}
	(void)execvp(argv[optind], argv + optind);
	complain("running", argv[optind]);
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}
