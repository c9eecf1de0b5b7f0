#include "shared/http/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/secret.h"
#include "shared/http/tls_transport.h"

enum { CLIENT_CHAIN_MAX = 16384, SECURITY_LEVEL = 2 };

static const char ciphers_1_2[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct tls_context {
	SSL_CTX *ctx;
	int64_t expires_s;
};

AUTO_DEFINE(bio, BIO, BIO_vfree)
AUTO_DEFINE(evp_pkey, EVP_PKEY, EVP_PKEY_free)

/* What OpenSSL says of its last failure, and forgets it. */
static bool
refuse(const char *path, const char *what, struct err *e)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(e, ERR_CRYPTO, "%s: %s: %s", path, what,
	        reason != NULL ? reason : "it cannot be read");
}

/* ---- the files ---- */

/* The descriptor that is read is the one whose mode is looked at. */
static bool
open_key(const char *path, int *out, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_set(
		        e, errno == ENOENT ? ERR_MISSING : ERR_IO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) == 0) {
		*out = fd;
		return true;
	}
	(void)close(fd);
	return err_set(e, ERR_FORMAT,
	        "%s: a private key has to be a file that nobody but its owner can reach: "
	        "chmod 600 it",
	        path);
}

static bool
read_key(const char *path, char text[TLS_KEY_FILE_MAX], size_t *len, struct err *e)
{
	size_t got = 0;
	ssize_t n = 1;
	int fd = -1;

	if (!open_key(path, &fd, e))
		return false;
	while (n > 0 && got < TLS_KEY_FILE_MAX) {
		n = read(fd, text + got, TLS_KEY_FILE_MAX - got);
		got += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	if (n < 0)
		return err_set(e, ERR_IO, "%s: it cannot be read", path);
	if (n > 0)
		return err_set(e, ERR_LIMIT, "%s: more than %d bytes", path, TLS_KEY_FILE_MAX - 1);
	*len = got;
	return true;
}

/* Instead of asking at a terminal. */
static int
no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool
use_key_text(SSL_CTX *ctx, const char *path, const char *text, size_t len, struct err *e)
{
	AUTO(bio) BIO *in = BIO_new_mem_buf(text, (int)len);
	AUTO(evp_pkey) EVP_PKEY *key = NULL;

	if (in == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key");
	key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	if (key == NULL)
		return refuse(path, "no private key without a password in it", e);
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return refuse(path, "it does not belong to the certificate", e);
	return true;
}

static bool
use_key(SSL_CTX *ctx, const char *path, struct err *e)
{
	char *text = malloc(TLS_KEY_FILE_MAX);
	size_t len = 0;
	bool used;

	if (text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key");
	used = read_key(path, text, &len, e) && use_key_text(ctx, path, text, len, e);
	secret_wipe(text, TLS_KEY_FILE_MAX);
	free(text);
	return used;
}

static bool
use_certificate(struct tls_context *t, const char *path, struct err *e)
{
	struct tm end = {0};

	if (SSL_CTX_use_certificate_chain_file(t->ctx, path) != 1)
		return refuse(path, "no certificate to serve with", e);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(t->ctx)), &end) != 1)
		return refuse(path, "a certificate without an end", e);
	t->expires_s = (int64_t)timegm(&end);
	return true;
}

/* Whoever shows no certificate of theirs gets no connection. */
static bool
ask_clients(SSL_CTX *ctx, const char *path, struct err *e)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);

	if (names == NULL)
		return refuse(path, "no authorities in it", e);
	SSL_CTX_set_client_CA_list(ctx, names); /* takes them */
	if (SSL_CTX_load_verify_file(ctx, path) != 1)
		return refuse(path, "no authorities in it", e);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

/* ---- the policy ---- */

/* RFC 7301 §3.2: who offers only what we do not speak is told so. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
        const unsigned char *offered, unsigned len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, len) !=
	        OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
set_policy(SSL_CTX *ctx, bool only_1_3)
{
	const int least = only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                       SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, least) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, ciphers_1_2) == 1;
}

bool
tls_context_new(const struct tls_settings *settings, OWNED struct tls_context **out, struct err *e)
{
	AUTO(tls_context) struct tls_context *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->ctx = SSL_CTX_new(TLS_server_method());
	if (t == NULL || t->ctx == NULL) {
		ERR_clear_error();
		return err_set(e, ERR_NOMEM, "out of memory for TLS");
	}
	if (!set_policy(t->ctx, settings->only_1_3)) {
		ERR_clear_error();
		return err_set(e, ERR_CRYPTO, "OpenSSL does not take the policy of TLS");
	}
	if (!use_certificate(t, settings->certificate_path, e) ||
	        !use_key(t->ctx, settings->key_path, e) ||
	        (settings->client_ca_path != NULL &&
	                !ask_clients(t->ctx, settings->client_ca_path, e)))
		return err_while(e, "setting up TLS");
	*out = TAKE(t);
	return true;
}

void
tls_context_free(struct tls_context *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

int64_t
tls_context_expires_s(const struct tls_context *t)
{
	return t->expires_s;
}

bool
tls_context_accept(struct tls_context *t, int fd, struct transport *out)
{
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return false;
	}
	SSL_set_accept_state(ssl);
	*out = transport_tls(ssl, fd);
	return true;
}
