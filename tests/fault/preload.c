/*
 * Stands between a daemon and the libraries it calls, and kills it with SIGKILL at the point of
 * points.def that the control file names. Nothing in the product helps with it.
 *
 * Only the program of the armed row counts its hits, so that both daemons can share the file.
 * Statements are known by their text with values; bytes that have not been read yet are looked at
 * with MSG_PEEK on a socket and tee() on a pipe. What a transaction did is remembered by its
 * thread until its COMMIT.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shared/base/attr.h"
#include "tests/fault/preload.h"

#define EXPORT __attribute__((visibility("default")))
/* The function that would have been called without us. */
#define REAL(name) ((__typeof__(&(name)))next_of(#name))

enum { PEEK = 65536 };

struct point {
	const char *name, *pattern;
	enum preload_program program;
	enum preload_call call;
	enum preload_when when;
	int nth;
};

static const struct point points[] = {
#define POINT(name, program, scene, call, when, nth, pattern)                                      \
	{#name, pattern, program, call, when, nth},
#include "tests/fault/points.def"
#undef POINT
};

static _Thread_local bool touched; /* the statement was in this thread's transaction */

/* As an integer, because ISO C knows no way from an object's pointer to a function's. */
static uintptr_t
next_of(const char *name)
{
	return (uintptr_t)dlsym(RTLD_NEXT, name);
}

struct preload_control *
preload_control(void)
{
	static struct preload_control *mapped;
	static atomic_bool tried;
	const char *path;
	void *at;
	int fd;

	if (atomic_load(&tried))
		return mapped;
	path = getenv(PRELOAD_CONTROL);
	fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0) {
		at = mmap(NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		mapped = at != MAP_FAILED ? at : NULL;
		(void)close(fd);
	}
	atomic_store(&tried, true);
	return mapped;
}

/* ---- matching ---- */

static const struct point *
armed(enum preload_call call)
{
	static const char *const names[] = {
	        [ORCHESTRATION] = "tasker-orchestration", [WORKER] = "tasker-worker"};
	struct preload_control *c = preload_control();
	const int n = c != NULL ? atomic_load(&c->armed) : 0;
	const struct point *p = n > 0 && n <= (int)COUNT(points) ? &points[n - 1] : NULL;

	return p != NULL && p->call == call &&
	                       strcmp(names[p->program], program_invocation_short_name) == 0
	               ? p
	               : NULL;
}

static void
hit(const struct point *p)
{
	struct preload_control *c = preload_control();

	if (atomic_fetch_add(&c->hits, 1) + 1 != p->nth)
		return;
	atomic_store(&c->reached, 1);
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

static void
hit_if(const struct point *p, enum preload_when when, bool matches)
{
	if (p != NULL && p->when == when && matches)
		hit(p);
}

static bool
names_file(const struct point *p, int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return fnmatch(p->pattern, path, 0) == 0;
}

static bool
holds(const struct point *p, const void *bytes, size_t len)
{
	return memmem(bytes, len, p->pattern, strlen(p->pattern)) != NULL;
}

/* ---- the store ---- */

static bool
says(const struct point *p, sqlite3_stmt *s)
{
	char *text = sqlite3_expanded_sql(s);
	const bool matches = text != NULL && fnmatch(p->pattern, text, 0) == 0;

	sqlite3_free(text);
	return matches;
}

static bool
begins(sqlite3_stmt *s, const char *word)
{
	const char *text = sqlite3_sql(s);

	return text != NULL && strncmp(text, word, strlen(word)) == 0;
}

EXPORT int
sqlite3_step(sqlite3_stmt *s)
{
	const struct point *p = armed(CALL_STEP);
	bool matches, ends;
	int rc;

	if (p == NULL)
		return REAL(sqlite3_step)(s);
	if (begins(s, "BEGIN"))
		touched = false;
	matches = says(p, s);
	ends = touched && begins(s, "COMMIT");
	touched = touched || matches;
	hit_if(p, BEFORE, matches);
	hit_if(p, BEFORE_COMMIT, ends);
	rc = REAL(sqlite3_step)(s);
	hit_if(p, AFTER, matches);
	hit_if(p, AFTER_COMMIT, ends && rc == SQLITE_DONE);
	return rc;
}

EXPORT int
sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg,
        char **why)
{
	const struct point *p = armed(CALL_EXEC);
	const bool matches = p != NULL && fnmatch(p->pattern, sql, 0) == 0;
	int rc;

	hit_if(p, BEFORE, matches);
	rc = REAL(sqlite3_exec)(db, sql, row, arg, why);
	hit_if(p, AFTER, matches);
	return rc;
}

EXPORT int
sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *done)
{
	const struct point *p = armed(CALL_CHECKPOINT);
	int rc;

	hit_if(p, BEFORE, true);
	rc = REAL(sqlite3_wal_checkpoint_v2)(db, name, mode, log, done);
	hit_if(p, AFTER, true);
	return rc;
}

EXPORT int
sqlite3_close(sqlite3 *db)
{
	const struct point *p = armed(CALL_DB_CLOSE);
	int rc;

	hit_if(p, BEFORE, true);
	rc = REAL(sqlite3_close)(db);
	hit_if(p, AFTER, true);
	return rc;
}

/* ---- files ---- */

EXPORT ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	const struct point *p = armed(CALL_PAGE);
	const bool matches = p != NULL && names_file(p, fd);
	ssize_t n;

	hit_if(p, BEFORE, matches);
	n = REAL(pwrite64)(fd, bytes, len, at);
	hit_if(p, AFTER, matches);
	return n;
}

EXPORT int
fdatasync(int fd)
{
	const struct point *p = armed(CALL_SYNC);
	const bool matches = p != NULL && names_file(p, fd);
	int rc;

	hit_if(p, BEFORE, matches);
	rc = REAL(fdatasync)(fd);
	hit_if(p, AFTER, matches);
	return rc;
}

EXPORT int
fsync(int fd)
{
	const struct point *p = armed(CALL_SYNC);
	const bool matches = p != NULL && names_file(p, fd);
	int rc;

	hit_if(p, BEFORE, matches);
	rc = REAL(fsync)(fd);
	hit_if(p, AFTER, matches);
	return rc;
}

EXPORT int
unlink(const char *path)
{
	const struct point *p = armed(CALL_UNLINK);
	const bool matches = p != NULL && fnmatch(p->pattern, path, 0) == 0;
	int rc;

	hit_if(p, BEFORE, matches);
	rc = REAL(unlink)(path);
	hit_if(p, AFTER, matches);
	return rc;
}

EXPORT int
rename(const char *from, const char *to)
{
	const struct point *p = armed(CALL_RENAME);
	const bool matches = p != NULL && fnmatch(p->pattern, to, 0) == 0;
	int rc;

	hit_if(p, BEFORE, matches);
	rc = REAL(rename)(from, to);
	hit_if(p, AFTER, matches);
	return rc;
}

/* ---- bytes that go out ---- */

EXPORT ssize_t
write(int fd, const void *bytes, size_t len)
{
	const struct point *p = armed(CALL_OUT);
	const bool matches = p != NULL && holds(p, bytes, len);
	ssize_t n;

	hit_if(p, BEFORE, matches);
	n = REAL(write)(fd, bytes, len);
	hit_if(p, AFTER, matches && n > 0);
	return n;
}

EXPORT ssize_t
sendto(int fd, const void *bytes, size_t len, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
	const struct point *p = armed(CALL_OUT);
	const bool matches = p != NULL && holds(p, bytes, len);
	ssize_t n;

	hit_if(p, BEFORE, matches);
	n = REAL(sendto)(fd, bytes, len, flags, to, to_len);
	hit_if(p, AFTER, matches && n > 0);
	return n;
}

EXPORT ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	return sendto(fd, bytes, len, flags, NULL, 0);
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct point *p = armed(CALL_OUT);
	bool matches = false;
	ssize_t n;

	for (size_t i = 0; p != NULL && i < message->msg_iovlen; i++)
		matches = matches ||
		          holds(p, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
	hit_if(p, BEFORE, matches);
	n = REAL(sendmsg)(fd, message, flags);
	hit_if(p, AFTER, matches && n > 0);
	return n;
}

/* ---- bytes that come in ---- */

/* What the next read of fd would bring, which stays there. */
static ssize_t
peek(int fd, char *out, size_t size)
{
	const int before = errno;
	ssize_t n = REAL(recv)(fd, out, size, MSG_PEEK | MSG_DONTWAIT);
	int copy[2];

	if (n < 0 && errno == ENOTSOCK && pipe2(copy, O_CLOEXEC | O_NONBLOCK) == 0) {
		n = tee(fd, copy[1], size, SPLICE_F_NONBLOCK);
		n = n > 0 ? REAL(read)(copy[0], out, size) : n;
		(void)close(copy[0]);
		(void)close(copy[1]);
	}
	errno = before;
	return n;
}

static void
before_reading(const struct point *p, int fd, size_t size)
{
	char bytes[PEEK];
	ssize_t n;

	if (p == NULL || p->when != BEFORE)
		return;
	n = peek(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
	hit_if(p, BEFORE, n > 0 && holds(p, bytes, (size_t)n));
}

EXPORT ssize_t
read(int fd, void *out, size_t size)
{
	const struct point *p = armed(CALL_IN);
	ssize_t n;

	before_reading(p, fd, size);
	n = REAL(read)(fd, out, size);
	hit_if(p, AFTER, p != NULL && n > 0 && holds(p, out, (size_t)n));
	return n;
}

EXPORT ssize_t
recv(int fd, void *out, size_t size, int flags)
{
	const struct point *p = armed(CALL_IN);
	ssize_t n;

	before_reading(p, fd, size);
	n = REAL(recv)(fd, out, size, flags);
	hit_if(p, AFTER, p != NULL && n > 0 && holds(p, out, (size_t)n));
	return n;
}

/* ---- processes and connections ---- */

EXPORT int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
        const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
	const struct point *p = armed(CALL_SPAWN);
	int rc;

	hit_if(p, BEFORE, true);
	rc = REAL(posix_spawn)(pid, path, actions, attributes, argv, environment);
	hit_if(p, AFTER, true);
	return rc;
}

EXPORT int
accept4(int fd, __SOCKADDR_ARG from, socklen_t *len, int flags)
{
	const int got = REAL(accept4)(fd, from, len, flags);

	hit_if(armed(CALL_ACCEPT), AFTER, got >= 0);
	return got;
}

EXPORT int
listen(int fd, int backlog)
{
	const struct point *p = armed(CALL_LISTEN);
	int rc;

	hit_if(p, BEFORE, true);
	rc = REAL(listen)(fd, backlog);
	hit_if(p, AFTER, true);
	return rc;
}
