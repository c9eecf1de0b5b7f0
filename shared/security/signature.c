#include "shared/security/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/curve.h"

enum {
	DER_LONG_FORM = 0x81, /* "one byte of length follows" */
	DER_SHORT_MAX = 0x7f,
	DER_SIZE = 3 + 2 * (3 + CURVE_SIZE_MAX) /* SEQUENCE of two INTEGERs */
};

struct signature_checker {
	const struct key *key;
	const struct curve *curve; /* NULL unless the key is on one of ours */
	EVP_MD *method;            /* NULL: Ed25519, which hashes itself */
	EVP_MD_CTX *digest;
	EVP_PKEY_CTX *verify;
};

static bool
set_padding(struct signature_checker *c, enum padding padding)
{
	if (padding == PADDING_NONE)
		return true;
	if (padding == PADDING_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(c->verify, RSA_PKCS1_PADDING) == 1;
	/* RFC 7518 3.5: MGF1 with the same hash, a salt as long as it; OpenSSL would take any. */
	return EVP_PKEY_CTX_set_rsa_padding(c->verify, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(c->verify, c->method) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(c->verify, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
prepare_verify(struct signature_checker *c, enum algorithm a)
{
	c->method = EVP_MD_fetch(NULL, algorithm_digest(a), NULL);
	c->verify = EVP_PKEY_CTX_new_from_pkey(NULL, key_openssl(c->key), NULL);
	return c->method != NULL && c->verify != NULL && EVP_PKEY_verify_init(c->verify) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(c->verify, c->method) == 1 &&
	       set_padding(c, algorithm_padding(a));
}

bool
signature_checker_new(const struct key *key, OWNED struct signature_checker **out, struct err *e)
{
	AUTO(signature_checker) struct signature_checker *c = calloc(1, sizeof(*c));
	enum algorithm a = key_algorithm(key);

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a signature check");
	c->key = key;
	c->curve = curve_of(algorithm_key_type(a));
	c->digest = EVP_MD_CTX_new();
	if (c->digest == NULL || (algorithm_digest(a) != NULL && !prepare_verify(c, a))) {
		ERR_clear_error();
		return err_set(e, ERR_CRYPTO, "OpenSSL could not prepare %s", algorithm_name(a));
	}
	*out = TAKE(c);
	return true;
}

void
signature_checker_free(struct signature_checker *c)
{
	if (c == NULL)
		return;
	EVP_PKEY_CTX_free(c->verify);
	EVP_MD_CTX_free(c->digest);
	EVP_MD_free(c->method);
	free(c);
}

/* Writes number (len bytes, not zero) as a DER INTEGER; returns what follows it. */
static unsigned char *
put_integer(unsigned char *at, const unsigned char *number, size_t len)
{
	size_t pad;

	while (number[0] == 0) {
		number++;
		len--;
	}
	pad = number[0] >> 7; /* a leading 1 bit would read as a sign */
	*at++ = 0x02;
	*at++ = (unsigned char)(len + pad);
	if (pad > 0)
		*at++ = 0;
	memcpy(at, number, len);
	return at + len;
}

/*
 * r and s, both known to be in 1..n-1, as the SEQUENCE OpenSSL reads. Both have the curve's fixed
 * size, so der cannot overflow whatever the token says.
 */
static size_t
to_der(const struct curve *curve, const unsigned char *raw, unsigned char der[DER_SIZE])
{
	unsigned char integers[DER_SIZE];
	unsigned char *end = put_integer(integers, raw, curve->size);
	unsigned char *at = der;
	size_t len;

	end = put_integer(end, raw + curve->size, curve->size);
	len = (size_t)(end - integers);
	*at++ = 0x30;
	if (len > DER_SHORT_MAX)
		*at++ = DER_LONG_FORM;
	*at++ = (unsigned char)len;
	memcpy(at, integers, len);
	return (size_t)(at - der) + len;
}

static bool
holds_prehashed(struct signature_checker *c, const void *message, size_t len,
        const unsigned char *signature, size_t signature_len)
{
	unsigned char hash[EVP_MAX_MD_SIZE], der[DER_SIZE];
	unsigned hash_len = 0;

	if (c->curve != NULL) {
		if (!curve_scalar_in_range(c->curve, signature) ||
		        !curve_scalar_in_range(c->curve, signature + c->curve->size))
			return false;
		signature_len = to_der(c->curve, signature, der);
		signature = der;
	}
	return EVP_DigestInit_ex2(c->digest, c->method, NULL) == 1 &&
	       EVP_DigestUpdate(c->digest, message, len) == 1 &&
	       EVP_DigestFinal_ex(c->digest, hash, &hash_len) == 1 &&
	       EVP_PKEY_verify(c->verify, signature, signature_len, hash, hash_len) == 1;
}

static bool
holds_whole(struct signature_checker *c, const void *message, size_t len,
        const unsigned char *signature, size_t signature_len)
{
	return EVP_MD_CTX_reset(c->digest) == 1 &&
	       EVP_DigestVerifyInit_ex(
	               c->digest, NULL, NULL, NULL, NULL, key_openssl(c->key), NULL) == 1 &&
	       EVP_DigestVerify(c->digest, signature, signature_len, message, len) == 1;
}

bool
signature_checker_holds(struct signature_checker *c, const void *message, size_t len,
        const unsigned char *signature, size_t signature_len)
{
	bool holds;

	if (signature_len != key_signature_len(c->key))
		return false;
	holds = c->method != NULL ? holds_prehashed(c, message, len, signature, signature_len)
	                          : holds_whole(c, message, len, signature, signature_len);
	if (!holds)
		ERR_clear_error(); /* else the thread's queue would speak of it much later */
	return holds;
}
