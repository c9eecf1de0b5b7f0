/*
 * A server on loopback with an owner of its requests that does what the path says, and a client.
 *
 *   /now…        200 with the path, at once            /late…       the same at kit_release()
 *   /body        echoes the body                       /late-body   reads it after kit_release()
 *   /large       the same, of up to LARGE bytes
 *   /deny        401, the body is not read             /empty       204
 *   /big         BIG bytes                             /bye         200 and close
 *   /fail        a body whose buffer failed            /peer        the client's address
 *
 * What the owner sees is written to a journal: "head /now;" "body 3;" "gone;" "done 200;"
 * "refused 400;".
 */
#ifndef TESTS_UNIT_HTTP_KIT_H
#define TESTS_UNIT_HTTP_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "shared/http/connection.h"
#include "shared/http/endpoint.h"
#include "shared/http/server.h"

enum {
	KIT_HELD = 64,
	KIT_BODY_MAX = 65536,
	KIT_LARGE = 2 * 1024 * 1024,
	KIT_BIG = 16 * 1024 * 1024,
	KIT_WAIT_MS = 5000
};

struct kit {
	struct loop *loop;
	struct http_server *server;
	struct http_endpoint *ep;
	int port;
	pthread_mutex_t lock; /* of the journal */
	struct buf journal;
	struct exchange *held[KIT_HELD]; /* on the loop only */
	size_t held_count;
	bool manual;         /* no thread: kit_turn() */
	atomic_uint drained; /* times */
};

/* The limits of most tests: the defaults, with deadlines that no test reaches by chance. */
struct http_limits kit_limits(void);

void kit_start(struct kit *k, const struct http_limits *limits);
void kit_start_manual(struct kit *k, const struct http_limits *limits);
/* On another address, or on a socket that listens already. */
void kit_start_at(
        struct kit *k, const struct http_limits *limits, const char *address, int listening_fd);
/* Speaks TLS, with that, taken. */
void kit_start_tls(struct kit *k, const struct http_limits *limits, struct tls_context *tls);
void kit_stop(struct kit *k);

/* One turn of a manual kit's loop, without waiting. */
void kit_turn(struct kit *k);

/* Runs fn on the loop and waits for it. */
void kit_on_loop(struct kit *k, void (*fn)(struct kit *k, void *arg), void *arg);
/* Replies to all that is held, in the order of arrival; later ones are held again. */
void kit_release(struct kit *k);
void kit_release_here(struct kit *k, void *arg); /* on the loop already */
void kit_drain(struct kit *k, bool force);

/* Waits until the journal contains text; false after KIT_WAIT_MS. */
bool kit_sees(struct kit *k, const char *text);
/* How often it does now. */
size_t kit_count(struct kit *k, const char *text);
/* Waits until so many connections are open. */
bool kit_has_connections(struct kit *k, uint64_t n);

/* ---- a transport that misbehaves, for manual kits ---- */

struct kit_wire {
	size_t write_most;                            /* bytes a write takes; 0: no limit */
	enum transport_verdict next_read, next_write; /* not OK: what the next one says, once */
	bool other_way;                               /* AGAIN waits for the other direction */
};
/* From now on the only connection reads and writes like that. */
void kit_misbehave(struct kit *k, const struct kit_wire *how);
/* The only connection. */
struct connection *kit_connection(struct kit *k);

/* ---- clients ---- */

struct client {
	int fd;
	struct buf in;
	char *body; /* of the last reply */
	char *head;
};

struct client client_adopt(int fd);
struct client client_open(const struct kit *k);
struct client client_open_small(const struct kit *k); /* with a tiny receive buffer */
void client_close(struct client *c);
void client_reset(struct client *c); /* closes with a reset */
void client_say(struct client *c, const char *text);
/* Sends as much of it as is taken within wait_ms; how much was. */
size_t client_push(struct client *c, const char *bytes, size_t len, int wait_ms);
/* The status of the next reply; 0 if the connection ends or nothing comes. */
int client_reply(struct client *c);
int client_reply_to_head(struct client *c);
/* Is the end of the connection what comes next? */
bool client_ended(struct client *c);
/* Does nothing come for that time? */
bool client_silent(struct client *c, int wait_ms);

/* Request heads, ready to send. */
#define REQ(method, path) method " " path " HTTP/1.1\r\nHost: a\r\n"
#define GET(path) REQ("GET", path) "\r\n"

#endif
