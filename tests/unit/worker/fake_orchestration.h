/*
 * The other end of the link, played by the test itself: it takes the next request from any
 * connection, looks at it, and answers it when and how the test likes, or never.
 */
#ifndef TESTS_UNIT_WORKER_FAKE_ORCHESTRATION_H
#define TESTS_UNIT_WORKER_FAKE_ORCHESTRATION_H

#include "tests/unit/unit.h"

enum { FAKE_CONNECTIONS = 16, FAKE_BODY = 262144, FAKE_WAIT_MS = 8000 };

struct fake;

struct fake_request {
	int connection;
	char path[128], authorization[512]; /* authorization "": none was sent */
	char *body;                         /* dies with the next request */
};

struct fake *fake_new(void);
void fake_free(struct fake *f);
const char *fake_url(struct fake *f);

/* The next whole request; false when none comes within the time. */
bool fake_try(struct fake *f, int timeout_ms, struct fake_request *out);
/* The same; the test ends if none comes. */
struct fake_request fake_next(struct fake *f);
void fake_answer(struct fake *f, int connection, int status, const char *body);
void fake_drop(struct fake *f, int connection); /* closes it without an answer */
/* Has the client gone from it? */
bool fake_is_gone(struct fake *f, int connection);

/* ---- what most tests do ---- */
/* Takes a registration and accepts it. */
void fake_register(struct fake *f, const char *session, int lease_ms, int beat_ms);
/* Takes the next poll of that session. */
struct fake_request fake_poll(struct fake *f, const char *session);
/* Answers a poll: each of the four is the inside of an array, "" for none. */
void fake_answer_poll(struct fake *f, const struct fake_request *r, const char *results,
        const char *steps, const char *cancel, const char *lost);
/* The text of the first string member of that name in the body; static. */
const char *fake_member(const struct fake_request *r, const char *name);

#endif
