/*
 * Where TLS differs from a socket:
 *
 * - A record is decrypted whole. What of it was not asked for stays with OpenSSL, where no event
 *   tells of it: t->pending.
 * - A read may have to write first, and a write to read (a handshake, a change of keys): which, the
 *   two flags of t say. Any call clears its own.
 * - A record that the socket did not take whole is kept encrypted. The next write goes on with it,
 *   so it has to begin with the same bytes, wherever they are now: t->held.
 * - One call of OpenSSL makes one record of one buffer. Head and body of a reply are copied
 * together so that the usual reply is one record; the rest of a long body is not copied.
 * - The peer says that it ends. An end without that is no end but a broken connection: somebody may
 *   have cut off what follows (TL10).
 *
 * OpenSSL's list of errors is the thread's. It is empty before a call, else SSL_get_error() would
 * tell of another's failure, and after it.
 */
#include "shared/http/tls_transport.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

enum {
	RECORD = 16384, /* the most one record holds (RFC 8446 §5.1) */
	RECORDS = 16    /* a write's share, then other connections go first */
};

/* The sockets' functions, for what TLS does not change. */
static const struct transport_kind *
plain(void)
{
	return transport_plain(-1).kind;
}

static enum transport_verdict
verdict(struct transport *t, int rc, bool *other_way, int other)
{
	const int why = SSL_get_error(t->state, rc);

	ERR_clear_error();
	if (why == other)
		*other_way = true;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return TRANSPORT_AGAIN;
	return why == SSL_ERROR_ZERO_RETURN ? TRANSPORT_EOF : TRANSPORT_BROKEN;
}

static enum transport_verdict
tls_read(struct transport *t, void *bytes, size_t len, size_t *done)
{
	int n;

	ERR_clear_error();
	t->read_wants_write = false;
	n = SSL_read(t->state, bytes, len < INT_MAX ? (int)len : INT_MAX);
	t->ready = t->ready || SSL_is_init_finished(t->state);
	t->pending = (size_t)SSL_pending(t->state);
	if (n <= 0)
		return verdict(t, n, &t->read_wants_write, SSL_ERROR_WANT_WRITE);
	*done = (size_t)n;
	return TRANSPORT_OK;
}

/* The next record's bytes: those of the only part that is left, or a copy of the first of all. */
static const char *
next_record(const struct iovec *parts, int count, char copy[RECORD], size_t *len)
{
	*len = 0;
	if (count == 1 || parts[0].iov_len >= RECORD) {
		*len = parts[0].iov_len < RECORD ? parts[0].iov_len : RECORD;
		return parts[0].iov_base;
	}
	for (int i = 0; i < count && *len < RECORD; i++) {
		const size_t room = RECORD - *len;
		const size_t n = parts[i].iov_len < room ? parts[i].iov_len : room;

		if (n > 0)
			memcpy(copy + *len, parts[i].iov_base, n);
		*len += n;
	}
	return copy;
}

static void
advance(struct iovec **parts, int *count, size_t n)
{
	while (*count > 0 && n >= (*parts)->iov_len) {
		n -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (*count > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + n;
		(*parts)->iov_len -= n;
	}
}

static enum transport_verdict
tls_write(struct transport *t, struct iovec *parts, int count, size_t *done)
{
	char copy[RECORD];
	size_t written = 0;

	for (int record = 0; record < RECORDS && count > 0; record++) {
		enum transport_verdict v;
		const char *bytes;
		size_t len;
		int n;

		bytes = next_record(parts, count, copy, &len);
		ERR_clear_error();
		t->write_wants_read = t->held = false;
		n = SSL_write(t->state, bytes, (int)len);
		if (n <= 0) {
			v = verdict(t, n, &t->write_wants_read, SSL_ERROR_WANT_READ);
			t->held = v == TRANSPORT_AGAIN;
			if (v != TRANSPORT_AGAIN || written == 0)
				return v == TRANSPORT_AGAIN ? v : TRANSPORT_BROKEN;
			break;
		}
		written += (size_t)n;
		advance(&parts, &count, (size_t)n);
	}
	*done = written;
	return TRANSPORT_OK;
}

/* Says that nothing follows; who does not take even that finds out by the socket's end. */
static void
say_end(struct transport *t)
{
	if (SSL_is_init_finished(t->state) && (SSL_get_shutdown(t->state) & SSL_SENT_SHUTDOWN) == 0)
		(void)SSL_shutdown(t->state);
	ERR_clear_error();
}

static void
tls_shut(struct transport *t)
{
	say_end(t);
	plain()->shut(t);
}

static void
tls_discard(struct transport *t)
{
	plain()->discard(t);
}

static size_t
tls_untaken(const struct transport *t)
{
	return plain()->untaken(t);
}

static void
tls_close(struct transport *t)
{
	say_end(t);
	SSL_free(t->state);
	t->state = NULL;
	plain()->close(t);
}

struct transport
transport_tls(OWNED SSL *ssl, int fd)
{
	static const struct transport_kind tls = {
	        tls_read, tls_write, tls_shut, tls_discard, tls_untaken, tls_close};

	return (struct transport){.kind = &tls, .state = ssl, .fd = fd};
}
