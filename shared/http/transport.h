/*
 * What a connection reads from and writes to: a plain socket, or TLS (tls_transport.h) on one,
 * behind the same connection.
 */
#ifndef SHARED_HTTP_TRANSPORT_H
#define SHARED_HTTP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum transport_verdict {
	TRANSPORT_BROKEN = 0, /* reset, or any other error: nothing more comes or goes */
	TRANSPORT_OK,
	TRANSPORT_AGAIN, /* wait for the descriptor */
	TRANSPORT_EOF    /* read only: the peer has closed its sending side */
};

struct transport {
	const struct transport_kind *kind;
	void *state;    /* the kind's own; NULL on a plain socket */
	size_t pending; /* bytes that have left the socket and were not read: no event tells of them
	                 */
	int fd;
	bool ready; /* it carries bytes: with TLS, after the handshake */
	/* AGAIN was said, and it is the other direction that has to be waited for. */
	bool read_wants_write, write_wants_read;
	bool held; /* a write said AGAIN, but has kept its bytes: the next begins with the same */
};

struct transport_kind {
	/* *done, on OK, is at least 1; otherwise untouched. parts may be changed. */
	enum transport_verdict (*read)(struct transport *t, void *bytes, size_t len, size_t *done);
	enum transport_verdict (*write)(
	        struct transport *t, struct iovec *parts, int count, size_t *done);
	void (*shut)(struct transport *t); /* ends our sending side */
	/* What the peer has not taken is thrown away at the close, with a reset, instead of being
	 * kept by the kernel for as long as it likes. */
	void (*discard)(struct transport *t);
	size_t (*untaken)(const struct transport *t); /* bytes sent that the peer has not taken */
	void (*close)(struct transport *t);           /* releases the descriptor */
};

/* fd is non-blocking and the transport's from now on. */
struct transport transport_plain(int fd);

#endif
