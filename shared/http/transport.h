/*
 * What a connection reads from and writes to. Plain sockets today; TLS is another row of
 * functions behind the same connection.
 */
#ifndef SHARED_HTTP_TRANSPORT_H
#define SHARED_HTTP_TRANSPORT_H

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
	int fd;
};

struct transport_kind {
	/* *done, on OK, is at least 1; otherwise untouched. Never raise SIGPIPE. */
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
