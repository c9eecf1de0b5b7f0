/* One kept connection to a daemon, for programs that measure; requests go out one after the other.
 */
#ifndef TESTS_BENCH_BENCH_CLIENT_H
#define TESTS_BENCH_BENCH_CLIENT_H

#include "shared/base/buf.h"
#include "tests/lib/wire.h"

struct bench_client {
	int fd;
	char *token; /* without its newline; owned */
	struct buf out;
};

/* Connects; the token is the first line of the file. False says why on stderr. */
bool bench_client_open(struct bench_client *c, int port, const char *folder, const char *token);
void bench_client_close(struct bench_client *c);

/* A bearer from now on; copied. */
bool bench_client_bearer(struct bench_client *c, const char *token);

/* One request and its reply, which the caller frees; body may be NULL. */
struct wire_reply bench_client_call(
        struct bench_client *c, const char *method, const char *path, const char *body, size_t len);

/* The value at share (0.5, 0.99) of count sorted ones. */
double bench_share(const double *sorted, size_t count, double share);
int bench_ascending(const void *a, const void *b); /* of doubles, for qsort() */

#endif
