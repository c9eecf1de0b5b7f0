/*
 * What TLS connections of a server begin with: certificate chain, key, and whom to ask for a
 * certificate. Immutable; a connection keeps what it began with, so a context may be replaced and
 * freed while connections made from it go on (TL6).
 *
 * The policy is fixed, but for the least version: TLS 1.2 with ECDHE and AEAD only, or 1.3; ALPN
 * http/1.1; no renegotiation, compression, resumption or early data (TL1, TL3).
 */
#ifndef SHARED_HTTP_TLS_CONTEXT_H
#define SHARED_HTTP_TLS_CONTEXT_H

#include <stdint.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

struct tls_context;
struct transport;

struct tls_settings {
	const char *certificate_path; /* PEM: the server's own first, then its issuers' */
	const char *key_path;         /* PEM, not encrypted; group and others must have no access */
	const char *client_ca_path; /* PEM: who may issue clients' certificates; NULL: none asked */
	bool only_1_3;
};

enum { TLS_KEY_FILE_MAX = 65536 };

/* Reads the files. ERR_FORMAT: the key's mode (TL4); ERR_CRYPTO: not what they should be, or key
 * and certificate are no pair. The error names the file. */
MUST_CHECK bool tls_context_new(
        const struct tls_settings *settings, OWNED struct tls_context **out, struct err *e);
void tls_context_free(struct tls_context *t); /* NULL is fine */

/* Since the epoch: from when on clients refuse the server's certificate. */
int64_t tls_context_expires_s(const struct tls_context *t);

/* A server's side on fd, which is non-blocking and the transport's from now on; false without
 * memory, and fd is the caller's still. The process has to ignore SIGPIPE. */
MUST_CHECK bool tls_context_accept(struct tls_context *t, int fd, struct transport *out);

AUTO_DEFINE(tls_context, struct tls_context, tls_context_free)

#endif
