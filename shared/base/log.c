/*
 * Who writes what, and who waits for whom.
 *
 * A calling thread formats its line and puts it into a ring of its own (log_ring.h), which it
 * takes at its first line: one that an ended thread gave back, else a new one. The list of rings
 * only grows, to as many as there ever were threads at once, so walking it needs no lock.
 *
 * The writer thread moves whole lines from the rings to the sink. It is the only one that ever
 * waits for the sink: it writes when poll() promises room, and to a pipe no more than PIPE_BUF
 * bytes at a time, for which that promise holds. Meanwhile rings fill up and callers drop and
 * count (CF9). It sleeps on an eventfd; only the caller that finds it asleep pays for waking it,
 * and a nap after waking collects the lines of many requests into one write.
 *
 * When a write fails, the rest of its lines is lost and counted; a line that got half out is
 * closed with a newline before the next one, so that a reader's lines stay whole.
 */
#include "shared/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log_limit.h"
#include "shared/base/log_line.h"
#include "shared/base/log_ring.h"

enum {
	BATCH = 65536,      /* bytes the writer takes from one ring at a time */
	NAP_MS = 2,         /* for more lines to come, after the first has woken the writer */
	LOOK_MS = 100,      /* how long a stuck sink may hide from the writer that it shall stop */
	STOP_US = 1000000,  /* for the writer to empty the rings once log_stop() is called */
	JOIN_S = 2,         /* for it to end then, unless a write is stuck */
	DIRECT_US = 100000, /* for a line without a writer thread */
	COMPONENT = 32,
};

static struct {
	_Atomic int fd, format, least;
	char component[COMPONENT];
	struct log_limit limit;
	_Atomic uint64_t dropped;
	_Atomic(struct log_ring *) rings;
	_Atomic bool running, sleeping;
	_Atomic int64_t deadline; /* of the writer; INT64_MAX until it shall stop */
	_Atomic bool torn;        /* the sink's last byte is no newline */
	int wake;
	pthread_t writer;
	pthread_key_t ring; /* the calling thread's */
	pthread_once_t once;
} state = {.fd = -1, .once = PTHREAD_ONCE_INIT};

static const char *const names[] = {[LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info",
        [LEVEL_WARN] = "warn",
        [LEVEL_ERROR] = "error"};

bool
log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*out = (enum log_level)i;
		return true;
	}
	return false;
}

void
log_level_set(enum log_level least)
{
	atomic_store(&state.least, (int)least);
}

bool
log_wants(enum log_level level)
{
	return atomic_load_explicit(&state.fd, memory_order_relaxed) >= 0 &&
	       (int)level >= atomic_load_explicit(&state.least, memory_order_relaxed);
}

uint64_t
log_dropped(void)
{
	return atomic_load(&state.dropped);
}

void
log_open(int fd, enum log_format format, enum log_level least, const char *component)
{
	if (format == LOG_AUTO)
		format = isatty(fd) == 1 ? LOG_TEXT : LOG_JSON;
	/* Threads may be reading the name; a reopened log has the same one. */
	if (strncmp(state.component, component, COMPONENT - 1) != 0)
		memcpy(state.component, component, strnlen(component, COMPONENT - 1));
	atomic_store(&state.format, (int)format);
	atomic_store(&state.least, (int)least);
	atomic_store(&state.fd, fd);
}

static size_t
lines_in(const char *bytes, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += bytes[i] == '\n';
	return lines;
}

/* Waits until fd takes bytes or the deadline (which may be moved meanwhile) has passed. */
static bool
writable(int fd, const _Atomic int64_t *deadline)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	while (poll(&ready, 1, 0) <= 0) {
		if (clock_mono_us() >= atomic_load(deadline))
			return false;
		(void)poll(&ready, 1, LOOK_MS);
	}
	return true; /* also of a broken fd: write() will say what is wrong */
}

/* The bytes that got out. */
static size_t
write_some(int fd, const char *bytes, size_t len, const _Atomic int64_t *deadline)
{
	struct stat is = {0};
	size_t most = fstat(fd, &is) == 0 && S_ISREG(is.st_mode) ? BATCH : PIPE_BUF;
	size_t done = 0;

	while (done < len && writable(fd, deadline)) {
		ssize_t n = write(fd, bytes + done, len - done < most ? len - done : most);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			break;
		done += n < 0 ? 0 : (size_t)n;
	}
	return done;
}

/* Writes whole lines, or counts those that did not get out. */
static bool
write_lines(const char *lines, size_t len, const _Atomic int64_t *deadline)
{
	int fd = atomic_load(&state.fd);
	size_t done;

	if (state.torn && write_some(fd, "\n", 1, deadline) == 1)
		state.torn = false;
	done = state.torn ? 0 : write_some(fd, lines, len, deadline);
	if (done == len)
		return true;
	state.torn |= done > 0 && lines[done - 1] != '\n';
	atomic_fetch_add(&state.dropped, lines_in(lines + done, len - done));
	return false;
}

/* Tells the reader that lines are missing here. */
static void
report_dropped(uint64_t *reported)
{
	uint64_t dropped = log_dropped();
	const struct log_field fields[] = {INT_F("dropped", dropped - *reported), INT_F(NULL, 0)};
	const struct log_line line = {.level = LEVEL_WARN,
	        .wall_us = clock_wall_us(),
	        .component = state.component,
	        .event = "log.dropped",
	        .fields = fields};
	AUTO(buf) struct buf text = BUF(LOG_LINE);

	if (dropped == *reported)
		return;
	log_line_put(&text, &line, (enum log_format)atomic_load(&state.format));
	if (buf_ok(&text) && write_lines(text.data, text.len, &state.deadline))
		*reported = dropped;
}

/* Empties the rings, as far as the deadline allows. */
static void
drain(char *batch, uint64_t *reported)
{
	bool moved = true;

	while (moved && clock_mono_us() < atomic_load(&state.deadline)) {
		moved = false;
		for (struct log_ring *r = atomic_load(&state.rings); r != NULL; r = r->next) {
			size_t len = log_ring_take(r, batch, BATCH);

			moved |= len > 0;
			if (len > 0 && write_lines(batch, len, &state.deadline))
				report_dropped(reported);
		}
	}
}

static bool
all_empty(void)
{
	struct log_ring *r = atomic_load(&state.rings);

	while (r != NULL && log_ring_empty(r))
		r = r->next;
	return r == NULL;
}

static bool
stopping(void)
{
	return atomic_load(&state.deadline) != INT64_MAX;
}

static void *
write_until_stopped(void *batch)
{
	struct pollfd wake = {.fd = state.wake, .events = POLLIN};
	uint64_t reported = 0, count;

	while (!stopping()) {
		/* First say that we sleep, then look: who puts a line in between wakes us. */
		atomic_store(&state.sleeping, true);
		if (all_empty() && !stopping())
			(void)poll(&wake, 1, -1);
		atomic_store(&state.sleeping, false);
		if (read(state.wake, &count, sizeof(count)) > 0 && !stopping())
			(void)poll(&wake, 1, NAP_MS);
		drain(batch, &reported);
	}
	drain(batch, &reported);
	free(batch);
	return NULL;
}

static void
wake_writer(void)
{
	const uint64_t one = 1;

	/* Fails only when the counter is full, that is when the writer has been woken. */
	if (write(state.wake, &one, sizeof(one)) < 0)
		return;
}

/* At the end of a thread: the next new thread may have its ring. */
static void
give_back(void *ring)
{
	atomic_store(&((struct log_ring *)ring)->taken, false);
}

static void
make_key(void)
{
	int failed = pthread_key_create(&state.ring, give_back);

	assert(failed == 0); /* the first key of the process */
}

/* The calling thread's ring; NULL without memory. */
static struct log_ring *
ring_of_thread(void)
{
	struct log_ring *ring = pthread_getspecific(state.ring);
	bool given = false;

	if (ring != NULL)
		return ring;
	for (ring = atomic_load(&state.rings); ring != NULL; ring = ring->next) {
		given = false;
		if (atomic_compare_exchange_strong(&ring->taken, &given, true))
			break;
	}
	if (ring == NULL) {
		ring = calloc(1, sizeof(*ring));
		if (ring == NULL)
			return NULL;
		atomic_store(&ring->taken, true);
		ring->next = atomic_load(&state.rings);
		while (!atomic_compare_exchange_weak(&state.rings, &ring->next, ring))
			continue;
	}
	if (pthread_setspecific(state.ring, ring) == 0)
		return ring;
	give_back(ring);
	return NULL;
}

static void
queue(const struct buf *line)
{
	struct log_ring *ring = ring_of_thread();

	if (ring == NULL || !log_ring_put(ring, line->data, line->len))
		atomic_fetch_add(&state.dropped, 1);
	if (atomic_load(&state.sleeping) && atomic_exchange(&state.sleeping, false))
		wake_writer();
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	struct log_line line = {
	        .level = level, .component = state.component, .event = event, .fields = fields};
	AUTO(buf) struct buf text = BUF(LOG_LINE);
	_Atomic int64_t deadline;

	if (!log_wants(level))
		return;
	if (level >= LEVEL_WARN &&
	        !log_limit_pass(&state.limit, event, clock_mono_us(), &line.suppressed))
		return;
	line.wall_us = clock_wall_us();
	log_line_put(&text, &line, (enum log_format)atomic_load(&state.format));
	if (!buf_ok(&text)) {
		atomic_fetch_add(&state.dropped, 1);
	} else if (atomic_load(&state.running)) {
		queue(&text);
	} else {
		atomic_init(&deadline, clock_mono_us() + DIRECT_US);
		(void)write_lines(text.data, text.len, &deadline);
	}
}

/* The writer takes no signal: those are for the loops, and SIGPIPE is for nobody. */
static int
start_thread(char *batch)
{
	sigset_t all, before;
	int failed;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&state.writer, NULL, write_until_stopped, batch);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

bool
log_start(struct err *e)
{
	char *batch;
	int failed;

	assert(!atomic_load(&state.running));
	(void)pthread_once(&state.once, make_key);
	batch = malloc(BATCH);
	if (batch == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the log writer");
	state.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (state.wake < 0) {
		free(batch);
		return err_set(
		        e, ERR_IO, "cannot make an eventfd for the log: %s", strerror(errno));
	}
	atomic_store(&state.deadline, INT64_MAX);
	failed = start_thread(batch);
	if (failed != 0) {
		(void)close(state.wake);
		free(batch);
		return err_set(e, ERR_IO, "cannot start the log writer: %s", strerror(failed));
	}
	(void)pthread_setname_np(state.writer, "log");
	atomic_store(&state.running, true);
	return true;
}

void
log_stop(void)
{
	struct timespec limit = {0};

	if (!atomic_load(&state.running))
		return;
	atomic_store(&state.running, false);
	atomic_store(&state.deadline, clock_mono_us() + STOP_US);
	wake_writer();
	(void)clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += JOIN_S;
	/* A writer stuck in write() is left behind, with what it uses; the process is ending. */
	if (pthread_timedjoin_np(state.writer, NULL, &limit) != 0) {
		(void)pthread_detach(state.writer);
		return;
	}
	(void)close(state.wake);
}
