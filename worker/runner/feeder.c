#include "worker/runner/feeder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shared/runtime/fd_event.h"

struct feeder {
	int fd; /* -1 after its end */
	bool finishing;
	loop_fn broken;
	void *arg;
	struct fd_event *event;
	struct buf pending;
	size_t sent;    /* of pending */
	uint64_t total; /* bytes that were in pending and are all sent */
	uint64_t taken; /* after its end: what the reader had taken by then */
};

uint64_t
feeder_appended(const struct feeder *f)
{
	return f->total + f->pending.len;
}

uint64_t
feeder_taken(const struct feeder *f)
{
	int unread = 0;

	if (f->fd < 0)
		return f->taken;
	(void)ioctl(f->fd, FIONREAD, &unread);
	return f->total + f->sent - (uint64_t)unread;
}

static void
end(struct feeder *f)
{
	f->taken = feeder_taken(f);
	fd_event_free(TAKE(f->event));
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	f->sent = 0;
	buf_free(&f->pending);
}

static void
broke(struct feeder *f)
{
	end(f);
	f->broken(f->arg);
}

static bool
watch(struct feeder *f, unsigned wanted)
{
	struct err e;

	return fd_event_watch(f->event, wanted, &e);
}

/* Writes what the pipe takes; the rest waits until it is writable. */
static void
flush(struct feeder *f)
{
	while (f->sent < f->pending.len) {
		const ssize_t n = write(f->fd, f->pending.data + f->sent, f->pending.len - f->sent);

		if (n > 0) {
			f->sent += (size_t)n;
		} else if (errno == EAGAIN && watch(f, FD_WRITABLE)) {
			return;
		} else if (errno != EINTR) {
			broke(f);
			return;
		}
	}
	f->total += f->sent;
	f->sent = 0;
	buf_free(&f->pending);
	if (f->finishing)
		end(f);
	else if (!watch(f, 0))
		broke(f);
}

static void
on_writable(unsigned ready, void *arg)
{
	(void)ready;
	flush(arg);
}

bool
feeder_new(struct loop *loop, int fd, size_t ceiling, loop_fn broken, void *arg,
        OWNED struct feeder **out, struct err *e)
{
	struct feeder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a pipe");
	if (!fd_event_new(loop, fd, on_writable, f, &f->event, e)) {
		free(f);
		return false;
	}
	f->fd = fd;
	f->broken = broken;
	f->arg = arg;
	f->pending = BUF(ceiling);
	*out = f;
	return true;
}

void
feeder_free(struct feeder *f)
{
	if (f == NULL)
		return;
	end(f);
	free(f);
}

struct buf *
feeder_buf(struct feeder *f)
{
	return &f->pending;
}

void
feeder_push(struct feeder *f)
{
	if (f->fd < 0)
		buf_free(&f->pending);
	else if (!buf_ok(&f->pending))
		broke(f);
	else
		flush(f);
}

void
feeder_finish(struct feeder *f)
{
	f->finishing = true;
	if (f->fd >= 0)
		flush(f);
}
