#include "shared/security/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/b64url.h"
#include "shared/base/json.h"
#include "shared/security/curve.h"
#include "shared/security/key_vet.h"

enum {
	EXPONENT_BYTES = 5, /* 2^32 and a little, so that key_vet can say what is wrong */
	MODULUS_BYTES = RSA_BITS_MAX / 8,
	MEMBER_CHARS = B64URL_ENCODED(MODULUS_BYTES),
	POINT_BYTES = 1 + 2 * CURVE_SIZE_MAX,
	UNCOMPRESSED = 4, /* SEC 1, 2.3.3 */
	KEY_OPS_MAX = 16
};

static const struct json_limits set_limits = {
        .bytes = JWK_SET_BYTES_MAX, .nodes = 8192, .depth = 8, .members = 64};

AUTO_DEFINE(bignum, BIGNUM, BN_free)
AUTO_DEFINE(evp_pkey, EVP_PKEY, EVP_PKEY_free)
AUTO_DEFINE(evp_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_DEFINE(param_bld, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
AUTO_DEFINE(param, OSSL_PARAM, OSSL_PARAM_free)

/* One JWK while it is read. Its texts go to buffers on the stack: such a buf is full at its max. */
struct source {
	const struct json *doc;
	const struct json_node *jwk;
};

static const struct json_node *
member(const struct source *s, const char *name)
{
	return json_member(s->doc, s->jwk, name);
}

static bool
is_text(const struct source *s, const char *name, const char *text)
{
	return json_string_is(s->doc, member(s, name), text);
}

/* Decodes a base64url member of at most max bytes. */
static bool
bytes_of(const struct source *s, const char *name, unsigned char *out, size_t max, size_t *len)
{
	char chars[MEMBER_CHARS];
	struct buf text = {.data = chars, .cap = sizeof(chars), .max = sizeof(chars)};
	unsigned char decoded[B64URL_DECODED(MEMBER_CHARS)];
	size_t n = 0;

	if (!json_string(s->doc, member(s, name), &text) || !buf_ok(&text) ||
	        !b64url_decode(text.data, text.len, decoded, &n) || n == 0 || n > max)
		return false;
	memcpy(out, decoded, n);
	*len = n;
	return true;
}

/* The shortest spelling, as RFC 7518 2 demands of a Base64urlUInt. */
static bool
number_of(const struct source *s, const char *name, size_t max, OWNED BIGNUM **out, struct err *e)
{
	unsigned char bytes[MODULUS_BYTES];
	size_t len = 0;

	if (!bytes_of(s, name, bytes, max, &len) || bytes[0] == 0)
		return err_set(e, ERR_FORMAT, "n or e is missing or misspelled");
	*out = BN_bin2bn(bytes, (int)len, NULL);
	return *out != NULL || err_set(e, ERR_NOMEM, "out of memory for n or e");
}

static bool
build(const char *type, OSSL_PARAM *params, const char *why, OWNED EVP_PKEY **out, struct err *e)
{
	AUTO(evp_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *made = NULL;
	bool ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	          EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) == 1;

	if (!ok)
		return key_vet_failed(e, why);
	*out = made;
	return true;
}

static bool
build_rsa(const struct source *s, OWNED EVP_PKEY **out, struct err *e)
{
	AUTO(bignum) BIGNUM *n = NULL;
	AUTO(bignum) BIGNUM *exponent = NULL;
	AUTO(param_bld) OSSL_PARAM_BLD *builder = NULL;
	AUTO(param) OSSL_PARAM *params = NULL;

	if (!number_of(s, "n", MODULUS_BYTES, &n, e) ||
	        !number_of(s, "e", EXPONENT_BYTES, &exponent, e))
		return false;
	builder = OSSL_PARAM_BLD_new();
	if (builder == NULL || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1 ||
	        (params = OSSL_PARAM_BLD_to_param(builder)) == NULL)
		return key_vet_failed(e, "OpenSSL could not take n and e");
	return build("RSA", params, "n and e make no RSA key", out, e);
}

static const struct curve *
curve_in(const struct source *s)
{
	static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_P521};

	for (size_t i = 0; i < COUNT(types); i++)
		if (is_text(s, "crv", curve_of(types[i])->jwk))
			return curve_of(types[i]);
	return NULL;
}

/* x and y have exactly the curve's length (RFC 7518 6.2.1.2). */
static bool
build_ec(const struct source *s, OWNED EVP_PKEY **out, struct err *e)
{
	const struct curve *curve = curve_in(s);
	unsigned char point[POINT_BYTES] = {UNCOMPRESSED};
	char group[32];
	size_t x_len = 0, y_len = 0;
	OSSL_PARAM params[3];

	if (curve == NULL)
		return err_set(e, ERR_CRYPTO, "its curve is none of ours");
	if (!bytes_of(s, "x", point + 1, curve->size, &x_len) || x_len != curve->size ||
	        !bytes_of(s, "y", point + 1 + x_len, curve->size, &y_len) || y_len != curve->size)
		return err_set(e, ERR_FORMAT, "x or y is missing or of the wrong length");
	memcpy(group, curve->openssl, strlen(curve->openssl) + 1);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	        OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * curve->size);
	params[2] = OSSL_PARAM_construct_end();
	return build("EC", params, "x and y are no point of the curve", out, e);
}

static bool
build_okp(const struct source *s, OWNED EVP_PKEY **out, struct err *e)
{
	unsigned char x[ED25519_BYTES];
	size_t len = 0;

	if (!is_text(s, "crv", "Ed25519"))
		return err_set(e, ERR_CRYPTO, "its curve is none of ours");
	if (!bytes_of(s, "x", x, sizeof(x), &len) || len != sizeof(x))
		return err_set(e, ERR_FORMAT, "x is missing or of the wrong length");
	*out = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, len);
	return *out != NULL || key_vet_failed(e, "x is no Ed25519 key");
}

static const struct kind {
	const char *kty;
	bool (*build)(const struct source *s, OWNED EVP_PKEY **out, struct err *e);
} kinds[] = {
        {"RSA", build_rsa},
        {"EC",  build_ec },
        {"OKP", build_okp}
};

/* key_ops, if there, is a list of strings and says "verify" (RFC 7517 4.3). */
static bool
may_verify(const struct source *s)
{
	const struct json_node *ops = member(s, "key_ops");
	bool verify = false;

	if (ops == NULL)
		return true;
	if (json_kind(ops) != JSON_ARRAY || json_count(ops) > KEY_OPS_MAX)
		return false;
	for (const struct json_node *op = json_first(s->doc, ops); op != NULL;
	        op = json_next(s->doc, op)) {
		if (json_kind(op) != JSON_STRING)
			return false;
		verify = verify || json_string_is(s->doc, op, "verify");
	}
	return verify;
}

static bool
is_for_signatures(const struct source *s, struct err *e)
{
	if (member(s, "use") != NULL && !is_text(s, "use", "sig"))
		return err_set(e, ERR_CRYPTO, "its use is not sig");
	if (!may_verify(s))
		return err_set(e, ERR_CRYPTO, "its key_ops do not list verify");
	return true;
}

static bool
declared_algorithm(const struct source *s, enum algorithm *out, struct err *e)
{
	char chars[32];
	struct buf name = {.data = chars, .cap = sizeof(chars), .max = sizeof(chars)};
	const struct json_node *alg = member(s, "alg");

	*out = ALGORITHM_NONE;
	if (alg == NULL)
		return true;
	if (json_string(s->doc, alg, &name) && buf_ok(&name))
		*out = algorithm_named(name.data, name.len);
	return *out != ALGORITHM_NONE || err_set(e, ERR_CRYPTO, "its alg is none of ours");
}

/* Room for a kid and its end. */
struct kid {
	char text[KEY_ID_MAX + 1];
	bool given;
};

static bool
kid_of(const struct source *s, struct kid *out, struct err *e)
{
	const struct json_node *kid = member(s, "kid");
	struct buf text = {.data = out->text, .cap = KEY_ID_MAX, .max = KEY_ID_MAX};

	out->given = kid != NULL;
	if (!out->given)
		return true;
	if (!json_string(s->doc, kid, &text) || !buf_ok(&text) ||
	        memchr(out->text, '\0', text.len) != NULL)
		return err_set(e, ERR_FORMAT, "its kid is no string of 1 to %d bytes", KEY_ID_MAX);
	out->text[text.len] = '\0';
	return text.len > 0 || err_set(e, ERR_FORMAT, "its kid is empty");
}

static bool
build_key(const struct source *s, OWNED EVP_PKEY **out, struct err *e)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (is_text(s, "kty", kinds[i].kty))
			return kinds[i].build(s, out, e);
	return err_set(e, ERR_CRYPTO, "its kty is none of ours");
}

static bool
import_one(
        const struct source *s, struct algorithm_set allowed, OWNED struct key **out, struct err *e)
{
	AUTO(evp_pkey) EVP_PKEY *pkey = NULL;
	struct kid kid;
	struct key_binding binding = {.allowed = allowed};

	ERR_clear_error();
	if (!is_for_signatures(s, e) || !declared_algorithm(s, &binding.declared, e) ||
	        !kid_of(s, &kid, e) || !build_key(s, &pkey, e))
		return false;
	binding.kid = kid.given ? kid.text : NULL;
	return key_new(pkey, &binding, out, e);
}

/* Members that only a private or a shared key has (RFC 7518 6.2.2, 6.3.2, 6.4.1; RFC 8037 2). */
static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

static bool
is_public(const struct source *s, struct err *e)
{
	if (json_kind(s->jwk) != JSON_OBJECT)
		return err_set(e, ERR_FORMAT, "a key that is no object");
	if (is_text(s, "kty", "oct"))
		return err_set(e, ERR_CRYPTO, "a symmetric key in a public set");
	for (size_t i = 0; i < COUNT(private_members); i++)
		if (member(s, private_members[i]) != NULL)
			return err_set(e, ERR_CRYPTO, "a private or symmetric key in a public set");
	return true;
}

/* Has a key after this one the same kid? Keys we would skip count too: names must be clear. */
static bool
has_namesake(const struct source *s)
{
	char chars[KEY_ID_MAX + 1];
	struct buf kid = {.data = chars, .cap = sizeof(chars), .max = sizeof(chars)};

	if (!json_string(s->doc, member(s, "kid"), &kid))
		return false;
	buf_char(&kid, '\0');
	if (!buf_ok(&kid))
		return false; /* too long a kid: that key will be left out anyway */
	for (const struct json_node *other = json_next(s->doc, s->jwk); other != NULL;
	        other = json_next(s->doc, other))
		if (json_string_is(s->doc, json_member(s->doc, other, "kid"), kid.data))
			return true;
	return false;
}

static bool
vet_set(const struct json *doc, const struct json_node *keys, struct err *e)
{
	struct source s = {.doc = doc};

	if (keys == NULL || json_kind(keys) != JSON_ARRAY)
		return err_set(e, ERR_FORMAT, "no list of keys in it");
	if (json_count(keys) > KEY_SET_MAX)
		return err_set(e, ERR_LIMIT, "more than %d keys", KEY_SET_MAX);
	for (s.jwk = json_first(doc, keys); s.jwk != NULL; s.jwk = json_next(doc, s.jwk)) {
		if (!is_public(&s, e))
			return false;
		if (has_namesake(&s))
			return err_set(e, ERR_CRYPTO, "two keys with one kid");
	}
	return true;
}

static bool
add_usable(struct key_set *set, const struct source *s, struct algorithm_set allowed,
        struct security_report *report, struct err *e)
{
	AUTO(key) struct key *key = NULL;
	struct err why = {0};

	/* A no is asked for twice: OpenSSL also calls a key wrong when a number found no memory. */
	if (!import_one(s, allowed, &key, &why) && !import_one(s, allowed, &key, &why)) {
		if (why.code == ERR_NOMEM)
			return err_set(e, ERR_NOMEM, "%s", why.text);
		security_report_add(report, "a key of the set is left out: %s", why.text);
		return true;
	}
	if (!key_set_add(set, key, e))
		return false;
	(void)TAKE(key);
	return true;
}

bool
jwk_set_import(const char *text, size_t len, struct algorithm_set allowed,
        OWNED struct key_set **out, struct security_report *report, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	AUTO(key_set) struct key_set *set = NULL;
	const struct json_node *keys;
	struct source s = {0};

	if (!json_parse(text, len, &set_limits, &doc, e))
		return err_while(e, "reading a JWK set");
	keys = json_member(doc, json_root(doc), "keys");
	if (!vet_set(doc, keys, e) || !key_set_new(&set, e))
		return err_while(e, "reading a JWK set");
	s.doc = doc;
	for (s.jwk = json_first(doc, keys); s.jwk != NULL; s.jwk = json_next(doc, s.jwk))
		if (!add_usable(set, &s, allowed, report, e))
			return err_while(e, "reading a JWK set");
	if (key_set_count(set) == 0)
		return err_set(e, ERR_CRYPTO, "reading a JWK set: no usable key in it");
	*out = TAKE(set);
	return true;
}
