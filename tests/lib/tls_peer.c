#include "tests/lib/tls_peer.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/patience.h"
#include "tests/lib/wire.h"

enum { CHUNK = 16384, RECEIVE_MS = 60000 };

static bool
configure(SSL_CTX *ctx, const struct tls_wish *w)
{
	SSL_CTX_set_security_level(ctx, 0); /* what is refused, the other side has to refuse */
	if (w->ca_path != NULL && SSL_CTX_load_verify_file(ctx, w->ca_path) != 1)
		return false;
	SSL_CTX_set_verify(ctx, w->ca_path != NULL ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (w->certificate_path != NULL &&
	        (SSL_CTX_use_certificate_chain_file(ctx, w->certificate_path) != 1 ||
	                SSL_CTX_use_PrivateKey_file(ctx, w->key_path, SSL_FILETYPE_PEM) != 1))
		return false;
	return SSL_CTX_set_min_proto_version(ctx, w->least) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, w->most) == 1 &&
	       (w->ciphers == NULL || SSL_CTX_set_cipher_list(ctx, w->ciphers) == 1) &&
	       (w->protocols == NULL ||
	               SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)w->protocols,
	                       (unsigned)strlen(w->protocols)) == 0);
}

static bool
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	return host == NULL || X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ||
	       SSL_set1_host(ssl, host) == 1;
}

bool
tls_peer_open(struct tls_peer *p, int fd, const struct tls_wish *w)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	*p = (struct tls_peer){.fd = fd, .piece = w->piece};
	p->ctx = SSL_CTX_new(TLS_client_method());
	if (p->ctx != NULL && configure(p->ctx, w))
		p->ssl = SSL_new(p->ctx);
	if (p->ssl == NULL || in == NULL || out == NULL || !expect_host(p->ssl, w->host)) {
		(void)BIO_free(in);
		(void)BIO_free(out);
		return false;
	}
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(p->ssl, in, out);
	SSL_set_connect_state(p->ssl);
	return true;
}

void
tls_peer_close(struct tls_peer *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	if (p->fd >= 0)
		(void)close(p->fd);
	*p = (struct tls_peer){.fd = -1};
	ERR_clear_error();
}

size_t
tls_peer_take(struct tls_peer *p, void *bytes, size_t len)
{
	int n = BIO_read(SSL_get_wbio(p->ssl), bytes, (int)len);

	return n > 0 ? (size_t)n : 0;
}

static bool
flush(struct tls_peer *p)
{
	char bytes[CHUNK];
	size_t n;

	while ((n = tls_peer_take(p, bytes, p->piece > 0 && p->piece < CHUNK ? p->piece : CHUNK)) >
	        0)
		if (!wire_send(p->fd, bytes, n))
			return false;
	return true;
}

/* More from the socket; false at its end or when the time is over. */
static bool
receive(struct tls_peer *p, int64_t until_us)
{
	const int64_t left_ms = (until_us - clock_mono_us()) / 1000;
	struct pollfd ready = {.fd = p->fd, .events = POLLIN};
	char bytes[CHUNK];
	ssize_t n;

	if (p->ended || left_ms < 0 || poll(&ready, 1, (int)left_ms) <= 0)
		return false;
	n = recv(p->fd, bytes, sizeof(bytes), 0);
	if (n <= 0)
		p->ended = true;
	return n > 0 && BIO_write(SSL_get_rbio(p->ssl), bytes, (int)n) == (int)n;
}

static int64_t
until(int ms)
{
	return clock_mono_us() + (int64_t)patience_ms(ms) * 1000;
}

bool
tls_peer_handshake(struct tls_peer *p)
{
	const int64_t until_us = until(TLS_PEER_MS);

	for (;;) {
		int rc, why;

		ERR_clear_error();
		rc = SSL_do_handshake(p->ssl);
		why = SSL_get_error(p->ssl, rc);
		if (!flush(p) && rc != 1)
			return false;
		if (rc == 1)
			return true;
		if (why != SSL_ERROR_WANT_READ || !receive(p, until_us))
			return false;
	}
}

bool
tls_peer_encrypt(struct tls_peer *p, const void *bytes, size_t len)
{
	ERR_clear_error();
	return SSL_write(p->ssl, bytes, (int)len) == (int)len;
}

bool
tls_peer_say(struct tls_peer *p, const void *bytes, size_t len)
{
	return tls_peer_encrypt(p, bytes, len) && flush(p);
}

bool
tls_peer_say_text(struct tls_peer *p, const char *text)
{
	return tls_peer_say(p, text, strlen(text));
}

void
tls_peer_say_end(struct tls_peer *p)
{
	(void)SSL_shutdown(p->ssl);
	(void)flush(p);
}

ssize_t
tls_peer_read(struct tls_peer *p, void *bytes, size_t len, int wait_ms)
{
	const int64_t until_us = until(wait_ms);

	for (;;) {
		int n, why;

		ERR_clear_error();
		n = SSL_read(p->ssl, bytes, (int)len);
		why = SSL_get_error(p->ssl, n);
		(void)flush(p);
		if (n > 0)
			return n;
		if (why == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (why != SSL_ERROR_WANT_READ || !receive(p, until_us))
			return -1;
	}
}

bool
tls_peer_pending(const struct tls_peer *p)
{
	return SSL_pending(p->ssl) > 0 || BIO_pending(SSL_get_rbio(p->ssl)) > 0;
}

/* ---- the relay ---- */

struct relay {
	struct tls_peer tls;
	int plain;
	bool said_end; /* the plain side has closed its sending side */
};

/* From the plain side to the other; false: nothing goes on. */
static bool
carry_out(struct relay *r)
{
	char bytes[CHUNK];
	const ssize_t n = recv(r->plain, bytes, sizeof(bytes), 0);

	if (n < 0)
		return false;
	if (n > 0)
		return tls_peer_say(&r->tls, bytes, (size_t)n);
	r->said_end = true;
	tls_peer_say_end(&r->tls);
	return true;
}

static bool
carry_in(struct relay *r)
{
	char bytes[CHUNK];

	do {
		const ssize_t n = tls_peer_read(&r->tls, bytes, sizeof(bytes), 0);

		if (n == 0 || (n < 0 && r->tls.ended))
			return false;
		if (n < 0)
			return true; /* not a whole record yet */
		if (!wire_send(r->plain, bytes, (size_t)n))
			return false;
	} while (tls_peer_pending(&r->tls));
	return true;
}

static void *
relay_run(void *arg)
{
	struct relay *r = arg;
	bool goes_on = tls_peer_handshake(&r->tls);

	while (goes_on) {
		struct pollfd ready[2] = {
		        {.fd = r->said_end ? -1 : r->plain, .events = POLLIN},
		        {.fd = r->tls.fd,                   .events = POLLIN}
                };

		goes_on = poll(ready, 2, RECEIVE_MS) > 0;
		if (goes_on && ready[1].revents != 0)
			goes_on = carry_in(r);
		if (goes_on && ready[0].revents != 0)
			goes_on = carry_out(r);
	}
	tls_peer_close(&r->tls);
	(void)close(r->plain);
	free(r);
	return NULL;
}

int
tls_relay(int port, const struct tls_wish *wish)
{
	struct relay *r = calloc(1, sizeof(*r));
	int ends[2] = {-1, -1}, fd = wire_connect_plain(port);
	pthread_t thread;

	if (r == NULL || fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
	        !tls_peer_open(&r->tls, fd, wish)) {
		free(r);
		return -1;
	}
	r->plain = ends[1];
	if (pthread_create(&thread, NULL, relay_run, r) != 0)
		return -1;
	(void)pthread_detach(thread);
	return ends[0];
}
