/*
 * A TLS client whose bytes on the wire the test holds in its hands: what OpenSSL wants sent goes
 * out in pieces of a chosen size, or not at all.
 */
#ifndef TESTS_LIB_TLS_PEER_H
#define TESTS_LIB_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct ssl_ctx_st;

struct tls_wish {
	const char *ca_path;                     /* trusts these; NULL: verifies nothing */
	const char *host;                        /* the certificate has to be for it; NULL: any */
	const char *ciphers;                     /* of TLS 1.2 and before; NULL: OpenSSL's own */
	int least, most;                         /* TLS1_2_VERSION ...; 0: OpenSSL's own */
	const char *certificate_path, *key_path; /* shows that one; NULL: none */
	const char *protocols; /* offered by ALPN: "\x02h2\x08http/1.1"; NULL: none */
	size_t piece;          /* bytes a send; 0: all at once */
};

struct tls_peer {
	int fd;
	struct ssl_ctx_st *ctx;
	struct ssl_st *ssl;
	size_t piece;
	bool ended; /* the socket has */
};

enum { TLS_PEER_MS = 5000 };

/* On a connected socket, taken. False: OpenSSL does not do as wished. */
bool tls_peer_open(struct tls_peer *p, int fd, const struct tls_wish *w);
void tls_peer_close(struct tls_peer *p); /* without a word to the other side */

bool tls_peer_handshake(struct tls_peer *p);
bool tls_peer_say(struct tls_peer *p, const void *bytes, size_t len);
bool tls_peer_say_text(struct tls_peer *p, const char *text);
void tls_peer_say_end(struct tls_peer *p); /* close_notify */
/* Up to len bytes; 0: the other side said that it ended; -1: anything else, or nothing in time. */
ssize_t tls_peer_read(struct tls_peer *p, void *bytes, size_t len, int wait_ms);
/* Are there bytes to read, so that the socket need not have any? */
bool tls_peer_pending(const struct tls_peer *p);

/* What OpenSSL wants sent: into bytes, instead of to the socket. */
size_t tls_peer_take(struct tls_peer *p, void *bytes, size_t len);
/* Encrypts without sending. */
bool tls_peer_encrypt(struct tls_peer *p, const void *bytes, size_t len);

/* A plain socket whose bytes go through TLS, by a thread of its own, to 127.0.0.1:port; -1 if that
 * is not to be had. A failed handshake looks like a close. wish is borrowed for ever. */
int tls_relay(int port, const struct tls_wish *wish);

#endif
