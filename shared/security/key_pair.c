#include "shared/security/key_pair.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/curve.h"
#include "shared/security/key_vet.h"

AUTO_DEFINE(bio, BIO, BIO_vfree)
AUTO_DEFINE(evp_pkey, EVP_PKEY, EVP_PKEY_free)
AUTO_DEFINE(evp_md_ctx, EVP_MD_CTX, EVP_MD_CTX_free)

static bool
crypto_failed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_CRYPTO, "%s", what);
}

/* A memory BIO whose bytes OpenSSL wipes when it frees them. */
static BIO *
secret_bio(void)
{
	return BIO_new(BIO_s_secmem());
}

static bool
private_text(EVP_PKEY *pair, OWNED struct secret **out, struct err *e)
{
	AUTO(bio) BIO *bio = secret_bio();
	char *bytes = NULL;
	long len;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) != 1)
		return crypto_failed(e, "OpenSSL cannot write the private key");
	len = BIO_get_mem_data(bio, &bytes);
	return secret_new(bytes, (size_t)len, out, e);
}

static bool
public_text(EVP_PKEY *pair, OWNED char **out, struct err *e)
{
	AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL, *copy;
	long len;

	if (bio == NULL || PEM_write_bio_PUBKEY(bio, pair) != 1)
		return crypto_failed(e, "OpenSSL cannot write the public key");
	len = BIO_get_mem_data(bio, &bytes);
	copy = strndup(bytes, (size_t)len);
	if (copy == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a public key");
	*out = copy;
	return true;
}

static EVP_PKEY *
generate(enum key_type type, unsigned bits)
{
	const struct curve *curve = curve_of(type);

	if (type == KEY_RSA)
		return EVP_RSA_gen(bits);
	if (curve != NULL)
		return EVP_EC_gen(curve->openssl);
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

bool
key_pair_make(enum algorithm algorithm, unsigned bits, OWNED struct secret **private_pem,
        OWNED char **public_pem, struct err *e)
{
	AUTO(evp_pkey) EVP_PKEY *pair = NULL;
	AUTO(secret) struct secret *made = NULL;
	enum key_type type = algorithm_key_type(algorithm);

	if (type == KEY_NONE)
		return err_set(e, ERR_FORMAT, "no algorithm is chosen");
	if (type == KEY_RSA && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		return err_set(e, ERR_LIMIT, "an RSA key has %d to %d bits here", RSA_BITS_MIN,
		        RSA_BITS_MAX);
	pair = generate(type, bits);
	if (pair == NULL)
		return crypto_failed(e, "OpenSSL cannot make such a key");
	if (!private_text(pair, &made, e) || !public_text(pair, public_pem, e))
		return false;
	*private_pem = TAKE(made);
	return true;
}

/* Without it OpenSSL would ask the terminal for a password. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)writing;
	if (size > 0)
		buf[0] = '\0';
	*(bool *)arg = true;
	return -1;
}

static bool
read_private(const struct secret *private_pem, OWNED EVP_PKEY **out, struct err *e)
{
	AUTO(bio)
	BIO *bio = BIO_new_mem_buf(secret_bytes(private_pem), (int)secret_len(private_pem));
	bool encrypted = false;
	EVP_PKEY *pair;

	if (bio == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a private key");
	pair = PEM_read_bio_PrivateKey(bio, NULL, no_password, &encrypted);
	if (encrypted) {
		EVP_PKEY_free(pair);
		return crypto_failed(e, "the private key is encrypted; give one that is not");
	}
	if (pair == NULL)
		return crypto_failed(e, "it is no private key in PEM");
	*out = pair;
	return true;
}

bool
key_pair_public(const struct secret *private_pem, enum key_type *type, OWNED char **public_pem,
        struct err *e)
{
	AUTO(evp_pkey) EVP_PKEY *pair = NULL;
	enum key_type found = KEY_NONE;

	if (!read_private(private_pem, &pair, e) || !key_vet(pair, &found, e) ||
	        !public_text(pair, public_pem, e))
		return false;
	*type = found;
	return true;
}

static bool
set_padding(EVP_PKEY_CTX *options, enum padding padding)
{
	return padding == PADDING_NONE ||
	       (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
	               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool
key_pair_sign(const struct secret *private_pem, enum algorithm algorithm, const struct buf *text,
        struct buf *signature, struct err *e)
{
	unsigned char made[RSA_BITS_MAX / 8];
	AUTO(evp_pkey) EVP_PKEY *pair = NULL;
	AUTO(evp_md_ctx) EVP_MD_CTX *ctx = NULL;
	EVP_PKEY_CTX *options = NULL;
	enum key_type type = KEY_NONE;
	size_t len = sizeof(made);

	if (!read_private(private_pem, &pair, e) || !key_vet(pair, &type, e))
		return false;
	if (algorithm_key_type(algorithm) != type ||
	        (algorithm_padding(algorithm) != PADDING_PSS && type != KEY_ED25519))
		return err_set(
		        e, ERR_CRYPTO, "the key does not sign %s here", algorithm_name(algorithm));
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL ||
	        EVP_DigestSignInit_ex(
	                ctx, &options, algorithm_digest(algorithm), NULL, NULL, pair, NULL) != 1 ||
	        !set_padding(options, algorithm_padding(algorithm)) ||
	        EVP_DigestSign(ctx, made, &len, (const unsigned char *)text->data, text->len) != 1)
		return crypto_failed(e, "OpenSSL cannot sign with the key");
	buf_add(signature, (const char *)made, len);
	return true;
}
