#include "shared/runtime/fd_event.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

struct fd_event {
	struct event_base *base;
	int fd;
	unsigned wanted;
	fd_event_fn fn;
	void *arg;
	struct event event;
};

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	const struct fd_event *ev = arg;
	const unsigned ready = ((what & EV_READ) != 0 ? (unsigned)FD_READABLE : 0) |
	                       ((what & EV_WRITE) != 0 ? (unsigned)FD_WRITABLE : 0);

	(void)fd;
	ev->fn(ready, ev->arg);
}

bool
fd_event_new(struct loop *loop, int fd, fd_event_fn fn, void *arg, OWNED struct fd_event **out,
        struct err *e)
{
	struct fd_event *ev = calloc(1, sizeof(*ev));

	if (ev == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a descriptor's event");
	ev->base = loop_base(loop);
	ev->fd = fd;
	ev->fn = fn;
	ev->arg = arg;
	*out = ev;
	return true;
}

void
fd_event_free(struct fd_event *ev)
{
	if (ev == NULL)
		return;
	if (ev->wanted != 0)
		(void)event_del(&ev->event);
	free(ev);
}

static bool
arm(struct fd_event *ev, unsigned wanted)
{
	const short what = (short)(EV_PERSIST | ((wanted & FD_READABLE) != 0 ? EV_READ : 0) |
	                           ((wanted & FD_WRITABLE) != 0 ? EV_WRITE : 0));

	return event_assign(&ev->event, ev->base, ev->fd, what, on_ready, ev) == 0 &&
	       event_add(&ev->event, NULL) == 0;
}

bool
fd_event_watch(struct fd_event *ev, unsigned wanted, struct err *e)
{
	const unsigned before = ev->wanted;

	if (wanted == before)
		return true;
	if (before != 0)
		(void)event_del(&ev->event);
	if (wanted == 0 || arm(ev, wanted)) {
		ev->wanted = wanted;
		return true;
	}
	ev->wanted = before != 0 && arm(ev, before) ? before : 0;
	return err_set(e, ERR_NOMEM, "libevent cannot watch descriptor %d", ev->fd);
}
