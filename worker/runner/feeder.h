/*
 * The writing end of a pipe: lines are appended, and go out as the reader takes them. A slow reader
 * costs memory up to the ceiling, never a blocked loop.
 */
#ifndef WORKER_RUNNER_FEEDER_H
#define WORKER_RUNNER_FEEDER_H

#include "shared/base/buf.h"
#include "shared/runtime/loop.h"

struct feeder;

/* broken is called (perhaps inside feeder_push) when nothing more can be written: the reader is
 * gone, or there is no memory. fd is taken on success, must not block. */
MUST_CHECK bool feeder_new(struct loop *loop, int fd, size_t ceiling, loop_fn broken, void *arg,
        OWNED struct feeder **out, struct err *e);
void feeder_free(struct feeder *f); /* closes the descriptor; NULL is fine */

/* Append here, then push. */
BORROWED struct buf *feeder_buf(struct feeder *f);
void feeder_push(struct feeder *f);
/* How many bytes were ever appended, and how many of those the reader has taken. */
uint64_t feeder_appended(const struct feeder *f);
uint64_t feeder_taken(const struct feeder *f);
/* Closes the pipe when all is out, so the reader sees its end. */
void feeder_finish(struct feeder *f);

#endif
