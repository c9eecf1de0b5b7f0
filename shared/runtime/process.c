#include "shared/runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct process {
	struct process_hooks hooks;
	struct loop_timer *grace;
	bool draining, forced;
};

void
process_prepare(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct rlimit none = {0, 0};
	sigset_t ours;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGINT);
	(void)sigaddset(&ours, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (!SANITIZED) {
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
}

static void
force(void *arg)
{
	struct process *p = arg;

	if (p->forced)
		return;
	p->forced = true;
	p->hooks.force(p->hooks.arg);
}

static void
on_end(void *arg)
{
	struct process *p = arg;

	if (p->draining) {
		force(p);
		return;
	}
	p->draining = true;
	loop_timer_set(p->grace, p->hooks.grace_us);
	p->hooks.drain(p->hooks.arg);
}

static void
on_hangup(void *arg)
{
	struct process *p = arg;

	if (p->hooks.reload != NULL && !p->draining)
		p->hooks.reload(p->hooks.arg);
}

bool
process_new(struct loop *loop, const struct process_hooks *hooks, OWNED struct process **out,
        struct err *e)
{
	AUTO(process) struct process *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the process's signals");
	p->hooks = *hooks;
	/* The timer comes first: a signal watch lives as long as the loop and has no taking back.
	 */
	if (!loop_timer_new(loop, force, p, &p->grace, e) ||
	        !loop_signal(loop, SIGTERM, on_end, p, e) ||
	        !loop_signal(loop, SIGINT, on_end, p, e) ||
	        !loop_signal(loop, SIGHUP, on_hangup, p, e))
		return err_while(e, "watching signals");
	*out = TAKE(p);
	return true;
}

void
process_free(struct process *p)
{
	if (p == NULL)
		return;
	loop_timer_free(p->grace);
	free(p);
}

bool
process_draining(const struct process *p)
{
	return p->draining;
}

/* Writes and closes; false with errno set. */
static bool
write_whole(int fd, const char *text)
{
	const size_t len = strlen(text);
	const bool ok = write(fd, text, len) == (ssize_t)len;

	return close(fd) == 0 && ok;
}

bool
process_port_file(const char *path, int port, struct err *e)
{
	char text[16], other[4096];
	int fd, n;

	n = snprintf(other, sizeof(other), "%s.%ld", path, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(other))
		return err_set(e, ERR_LIMIT, "the port file's name is too long");
	(void)snprintf(text, sizeof(text), "%d\n", port);
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, ERR_IO, "port file %s: %s", path, strerror(errno));
	if (!write_whole(fd, text) || rename(other, path) != 0) {
		(void)err_set(e, ERR_IO, "port file %s: %s", path, strerror(errno));
		(void)unlink(other);
		return false;
	}
	return true;
}
