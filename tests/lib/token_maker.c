#include "tests/lib/token_maker.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/b64url.h"

enum { RSA_BITS = 2048, SIGNATURE_MAX = 1024, COORDINATE_MAX = 66 };

static EVP_PKEY *keys[TOKEN_KEY__COUNT];

static void
need(bool held, const char *what)
{
	if (held)
		return;
	(void)fprintf(stderr, "token_maker: %s failed\n", what);
	abort();
}

static void *
allocate(size_t size)
{
	void *made = malloc(size);

	need(made != NULL, "malloc");
	return made;
}

static EVP_PKEY *
generate(enum token_key which)
{
	static const char *const groups[TOKEN_KEY__COUNT] = {[TOKEN_KEY_P256] = "P-256",
	        [TOKEN_KEY_P384] = "P-384",
	        [TOKEN_KEY_P521] = "P-521",
	        [TOKEN_KEY_K1] = "secp256k1"};

	if (which == TOKEN_KEY_RSA || which == TOKEN_KEY_RSA_OTHER)
		return EVP_RSA_gen(RSA_BITS);
	if (which == TOKEN_KEY_ED25519)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(groups[which]);
}

struct evp_pkey_st *
token_key(enum token_key which)
{
	if (keys[which] == NULL)
		keys[which] = generate(which);
	need(keys[which] != NULL, "making a key");
	return keys[which];
}

void
token_maker_prepare(void)
{
	for (unsigned which = 0; which < TOKEN_KEY__COUNT; which++)
		(void)token_key((enum token_key)which);
}

/* Empties and frees bio. */
static char *
text_of(BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = allocate((size_t)len + 1);

	memcpy(text, bytes, (size_t)len);
	text[len] = '\0';
	BIO_free(bio);
	return text;
}

static BIO *
memory(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(bio != NULL, "BIO_new");
	return bio;
}

char *
token_key_pem(enum token_key which)
{
	BIO *bio = memory();

	need(PEM_write_bio_PUBKEY(bio, token_key(which)) == 1, "writing SPKI");
	return text_of(bio);
}

char *
token_key_pem_pkcs1(enum token_key which)
{
	BIO *bio = memory();
	unsigned char *der = NULL;
	int len = i2d_PublicKey(token_key(which), &der);

	need(len > 0 && PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, len) > 0, "writing PKCS#1");
	OPENSSL_free(der);
	return text_of(bio);
}

char *
token_key_pem_private(enum token_key which)
{
	BIO *bio = memory();

	need(PEM_write_bio_PrivateKey(bio, token_key(which), NULL, NULL, 0, NULL, NULL) == 1,
	        "writing PKCS#8");
	return text_of(bio);
}

static void
encode_number(const EVP_PKEY *key, const char *name, int size, char *out)
{
	unsigned char bytes[SIGNATURE_MAX];
	BIGNUM *number = NULL;
	int len;

	need(EVP_PKEY_get_bn_param(key, name, &number) == 1, "reading a number");
	len = size > 0 ? BN_bn2binpad(number, bytes, size) : BN_bn2bin(number, bytes);
	need(len > 0, "writing a number");
	out[b64url_encode(bytes, (size_t)len, out)] = '\0';
	BN_free(number);
}

static char *
printed(const char *format, const char *a, const char *b, const char *c, const char *d)
{
	size_t size = strlen(format) + strlen(a) + strlen(b) + strlen(c) + strlen(d) + 1;
	char *text = allocate(size);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(text, size, format, a, b, c, d);
#pragma GCC diagnostic pop
	return text;
}

static char *
jwk_rsa(EVP_PKEY *key, const char *extra)
{
	char n[2 * SIGNATURE_MAX], exponent[16];

	encode_number(key, OSSL_PKEY_PARAM_RSA_N, 0, n);
	encode_number(key, OSSL_PKEY_PARAM_RSA_E, 0, exponent);
	return printed("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s%s}", n, exponent,
	        extra[0] != '\0' ? "," : "", extra);
}

static char *
jwk_ec(EVP_PKEY *key, const char *crv, const char *extra)
{
	int size = (EVP_PKEY_get_bits(key) + 7) / 8;
	char x[2 * COORDINATE_MAX], y[2 * COORDINATE_MAX], *tail, *jwk;

	encode_number(key, OSSL_PKEY_PARAM_EC_PUB_X, size, x);
	encode_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size, y);
	tail = printed("%s%s%s%s", extra[0] != '\0' ? "," : "", extra, "", "");
	jwk = printed(
	        "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", crv, x, y, tail);
	free(tail);
	return jwk;
}

static char *
jwk_okp(EVP_PKEY *key, const char *extra)
{
	unsigned char raw[32];
	size_t len = sizeof(raw);
	char x[64];

	need(EVP_PKEY_get_raw_public_key(key, raw, &len) == 1, "reading an Ed25519 key");
	x[b64url_encode(raw, len, x)] = '\0';
	return printed("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s%s%s}", x,
	        extra[0] != '\0' ? "," : "", extra, "");
}

char *
token_key_jwk(enum token_key which, const char *extra)
{
	static const char *const curves[TOKEN_KEY__COUNT] = {[TOKEN_KEY_P256] = "P-256",
	        [TOKEN_KEY_P384] = "P-384",
	        [TOKEN_KEY_P521] = "P-521",
	        [TOKEN_KEY_K1] = "secp256k1"};

	if (curves[which] != NULL)
		return jwk_ec(token_key(which), curves[which], extra);
	if (which == TOKEN_KEY_ED25519)
		return jwk_okp(token_key(which), extra);
	return jwk_rsa(token_key(which), extra);
}

static const char *
digest_name(const char *alg)
{
	if (strcmp(alg, "EdDSA") == 0)
		return NULL;
	if (strcmp(alg + 2, "384") == 0)
		return "SHA384";
	return strcmp(alg + 2, "512") == 0 ? "SHA512" : "SHA256";
}

static size_t
sign(EVP_PKEY *key, const struct token_signing *how, const char *text, unsigned char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	size_t len = SIGNATURE_MAX;
	int salt = how->salted ? how->salt_len : RSA_PSS_SALTLEN_DIGEST;

	need(ctx != NULL && EVP_DigestSignInit_ex(ctx, &options, digest_name(how->alg), NULL, NULL,
	                            key, NULL) == 1,
	        "EVP_DigestSignInit");
	if (how->alg[0] == 'P')
		need(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt) == 1,
		        "PSS");
	need(EVP_DigestSign(ctx, out, &len, (const unsigned char *)text, strlen(text)) == 1,
	        "EVP_DigestSign");
	EVP_MD_CTX_free(ctx);
	return len;
}

/* ECDSA's DER into r || s of fixed length (RFC 7518 3.4). */
static size_t
flatten(EVP_PKEY *key, unsigned char *signature, size_t len)
{
	const unsigned char *at = signature;
	ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)len);
	int size = (EVP_PKEY_get_bits(key) + 7) / 8;

	need(parts != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, size) == size &&
	                BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + size, size) == size,
	        "splitting r and s");
	ECDSA_SIG_free(parts);
	return 2 * (size_t)size;
}

static char *
encoded(const void *bytes, size_t len)
{
	char *text = allocate(B64URL_ENCODED(len) + 1);

	text[b64url_encode(bytes, len, text)] = '\0';
	return text;
}

char *
token_join(const char *header, const void *payload, size_t payload_len, const void *signature,
        size_t signature_len)
{
	char *first = encoded(header, strlen(header)), *second = encoded(payload, payload_len);
	char *third = encoded(signature, signature_len);
	char *joined = printed("%s.%s.%s%s", first, second, third, "");

	free(first);
	free(second);
	free(third);
	return joined;
}

char *
token_make_signed(enum token_key which, const struct token_signing *how, const char *header,
        const char *payload)
{
	unsigned char signature[SIGNATURE_MAX];
	char *text = token_join(header, payload, strlen(payload), "", 0), *token;
	size_t len;

	text[strlen(text) - 1] = '\0'; /* the second dot is not signed */
	len = sign(token_key(which), how, text, signature);
	if (how->alg[0] == 'E' && how->alg[1] == 'S' && !how->der)
		len = flatten(token_key(which), signature, len);
	token = token_join(header, payload, strlen(payload), signature, len);
	free(text);
	return token;
}

char *
token_make(enum token_key which, const char *alg, const char *payload)
{
	char *header = printed("{\"alg\":\"%s\",\"typ\":\"JWT\"%s%s%s}", alg, "", "", "");
	char *token =
	        token_make_signed(which, &(struct token_signing){.alg = alg}, header, payload);

	free(header);
	return token;
}

char *
token_make_hmac(const void *secret, size_t secret_len, const char *header, const char *payload)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char *text = token_join(header, payload, strlen(payload), "", 0), *token;
	unsigned len = 0;

	text[strlen(text) - 1] = '\0';
	need(HMAC(EVP_sha256(), secret, (int)secret_len, (const unsigned char *)text, strlen(text),
	             mac, &len) != NULL,
	        "HMAC");
	token = token_join(header, payload, strlen(payload), mac, len);
	free(text);
	return token;
}

void
token_spoil(char *token)
{
	char *at = token + strlen(token) - 8;

	*at = *at == 'A' ? 'B' : 'A';
}

/* "a b" as ["a","b"]. */
static char *
as_list(const char *words)
{
	char *list = allocate(3 * strlen(words) + 3), *at = list;

	*at++ = '[';
	for (; *words != '\0'; words += *words == ' ') {
		size_t len = strcspn(words, " ");

		if (at > list + 1)
			*at++ = ',';
		*at++ = '"';
		memcpy(at, words, len);
		at += len;
		*at++ = '"';
		words += len;
	}
	*at++ = ']';
	*at = '\0';
	return list;
}

static char *
claims(const char *who, const char *rights, int64_t now_s)
{
	char times[96];

	(void)snprintf(times, sizeof(times), "\"iat\":%lld,\"exp\":%lld", (long long)now_s,
	        (long long)now_s + 3600);
	return printed("{\"iss\":\"tasker-core\",%s,%s,%s%s}", who, times, rights, "");
}

char *
token_user_claims(const char *subject, const char *permissions, int64_t now_s)
{
	char *list = as_list(permissions);
	char *who = printed("\"aud\":\"tasker-api\",\"sub\":\"%s\"%s%s%s", subject, "", "", "");
	char *rights = printed("\"permissions\":%s%s%s%s", list, "", "", "");
	char *payload = claims(who, rights, now_s);

	free(list);
	free(who);
	free(rights);
	return payload;
}

char *
token_worker_claims(const char *worker, const char *namespaces, int64_t now_s)
{
	char *list = as_list(namespaces);
	char *who =
	        printed("\"aud\":\"tasker-internal\",\"sub\":\"wrk:%s\"%s%s%s", worker, "", "", "");
	char *rights = printed("\"worker_namespaces\":%s%s%s%s", list, "", "", "");
	char *payload = claims(who, rights, now_s);

	free(list);
	free(who);
	free(rights);
	return payload;
}
