#include "shared/security/key_pair.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/key_vet.h"

AUTO_DEFINE(bio, BIO, BIO_vfree)
AUTO_DEFINE(evp_pkey, EVP_PKEY, EVP_PKEY_free)

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

bool
key_pair_make(
        unsigned bits, OWNED struct secret **private_pem, OWNED char **public_pem, struct err *e)
{
	AUTO(evp_pkey) EVP_PKEY *pair = NULL;
	AUTO(secret) struct secret *made = NULL;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(e, ERR_LIMIT, "an RSA key has %d to %d bits here", RSA_BITS_MIN,
		        RSA_BITS_MAX);
	pair = EVP_RSA_gen(bits);
	if (pair == NULL)
		return crypto_failed(e, "OpenSSL cannot make an RSA key");
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

bool
key_pair_public(const struct secret *private_pem, OWNED char **public_pem, struct err *e)
{
	AUTO(bio)
	BIO *bio = BIO_new_mem_buf(secret_bytes(private_pem), (int)secret_len(private_pem));
	AUTO(evp_pkey) EVP_PKEY *pair = NULL;
	enum key_type type;
	bool encrypted = false;

	if (bio == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a private key");
	pair = PEM_read_bio_PrivateKey(bio, NULL, no_password, &encrypted);
	if (encrypted)
		return crypto_failed(e, "the private key is encrypted; give one that is not");
	if (pair == NULL)
		return crypto_failed(e, "it is no private key in PEM");
	if (EVP_PKEY_get_base_id(pair) != EVP_PKEY_RSA)
		return crypto_failed(e, "it is no RSA key; tokens are signed with RS256");
	return key_vet(pair, &type, e) && public_text(pair, public_pem, e);
}
