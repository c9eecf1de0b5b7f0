/*
 * One descriptor watched by a loop, for code that is neither HTTP nor a timer: pipes to child
 * processes, pidfds. Level triggered: fn runs again as long as the descriptor stays ready.
 */
#ifndef SHARED_RUNTIME_FD_EVENT_H
#define SHARED_RUNTIME_FD_EVENT_H

#include "shared/runtime/loop.h"

struct fd_event;

enum { FD_READABLE = 1, FD_WRITABLE = 2 };

/* ready holds FD_READABLE, FD_WRITABLE or both. The event may be freed from inside. */
typedef void (*fd_event_fn)(unsigned ready, void *arg);

/* Watches for nothing yet. fd stays the caller's, who frees the event before closing it. */
MUST_CHECK bool fd_event_new(struct loop *loop, int fd, fd_event_fn fn, void *arg,
        OWNED struct fd_event **out, struct err *e);
void fd_event_free(struct fd_event *ev); /* NULL is fine */

/* What to be told of from now on; 0 is nothing. ERR_NOMEM changes nothing. */
MUST_CHECK bool fd_event_watch(struct fd_event *ev, unsigned wanted, struct err *e);

AUTO_DEFINE(fd_event, struct fd_event, fd_event_free)

#endif
