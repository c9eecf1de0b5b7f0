/*
 * The other end: a thread on a loopback port that plays a script. For each line of the script it
 * reads one whole request, notes it and answers with the bytes given, as wrong as they may be.
 */
#ifndef TESTS_UNIT_FETCH_PEER_H
#define TESTS_UNIT_FETCH_PEER_H

#include <pthread.h>

#include "shared/fetch/fetch.h"

enum { PEER_REQUESTS = 8, PEER_REQUEST_MAX = 4096 };

enum peer_end {
	PEER_KEEP,  /* the connection, for the next request */
	PEER_CLOSE, /* it after the answer */
	PEER_HOLD,  /* it open without another word until the client goes */
};

struct peer_line {
	const char *answer; /* "" for none */
	enum peer_end end;
	bool unasked;                   /* answer without reading a request */
	void (*heard)(struct fetch *f); /* called once the request is there; NULL: nothing */
};

struct peer {
	int listener;
	char url[64];
	const struct peer_line *script;
	size_t lines;
	struct fetch *fetch; /* what heard() is given */
	pthread_t thread;
	/* Read these after peer_end(). */
	size_t requests, connections;
	char request[PEER_REQUESTS][PEER_REQUEST_MAX];
};

/* Listens and starts playing. script must outlive the peer. */
void peer_start(struct peer *p, struct fetch *f, const struct peer_line *script, size_t lines);
/* Waits until the script has been played, or the client has gone. */
void peer_end(struct peer *p);

/* A loopback port where nobody listens. */
int peer_dead_port(void);

#endif
