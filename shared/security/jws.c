#include "shared/security/jws.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/base/json.h"
#include "shared/security/key_vet.h"
#include "shared/security/signature.h"

enum { TYP_MAX = 64, ALG_MAX = 16, SIGNATURE_MAX = RSA_BITS_MAX / 8 };

static const struct json_limits header_limits = {
        .bytes = JWS_HEADER_MAX, .nodes = 128, .depth = 8, .members = 64};

/*
 * Members that change what the rest means. We understand none of them, so their mere presence
 * refuses (RFC 7515 4.1.11, RFC 7797, RFC 8725 3.11). jku, x5u, jwk and x5c are read by nobody:
 * a token does not choose its key (JT6).
 */
static const char *const refused_members[] = {"crit", "b64", "zip", "cty"};

struct header {
	const struct json *doc;
	const struct json_node *root;
};

/* Copies a string of at most max bytes into text, with a NUL; a buf on the stack never allocates.
 */
static bool
copy_text(const struct header *h, const struct json_node *value, char *text, size_t max)
{
	struct buf out = {.data = text, .cap = max, .max = max};

	if (!json_string(h->doc, value, &out) || !buf_ok(&out))
		return false;
	text[out.len] = '\0';
	return true;
}

static enum verdict
read_algorithm(const struct header *h, enum algorithm *out)
{
	char name[ALG_MAX + 1];

	if (!copy_text(h, json_member(h->doc, h->root, "alg"), name, ALG_MAX))
		return VERDICT_DENY_ALGORITHM;
	*out = algorithm_named(name, strlen(name));
	return *out != ALGORITHM_NONE ? VERDICT_GRANT : VERDICT_DENY_ALGORITHM;
}

/* A kid is a name and nothing else: never a path, a query or a URL to follow (JT7). */
static bool
read_kid(const struct header *h, struct jws *out)
{
	const struct json_node *kid = json_member(h->doc, h->root, "kid");

	out->has_kid = kid != NULL;
	if (kid == NULL)
		return true;
	if (!copy_text(h, kid, out->kid, KEY_ID_MAX) || out->kid[0] == '\0')
		return false;
	for (const char *c = out->kid; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return true;
}

static bool
read_typ(const struct header *h, struct jws *out)
{
	static const char *const ours[] = {"JWT", "at+jwt", "application/at+jwt"};
	const struct json_node *typ = json_member(h->doc, h->root, "typ");
	char text[TYP_MAX + 1];

	out->typ = JWS_TYP_ABSENT;
	if (typ == NULL)
		return true;
	if (!copy_text(h, typ, text, TYP_MAX))
		return false;
	out->typ = JWS_TYP_OTHER;
	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcasecmp(text, ours[i]) == 0)
			out->typ = JWS_TYP_JWT;
	return true;
}

static enum verdict
read_members(const struct header *h, struct jws *out)
{
	if (json_kind(h->root) != JSON_OBJECT)
		return VERDICT_DENY_MALFORMED;
	for (size_t i = 0; i < COUNT(refused_members); i++)
		if (json_member(h->doc, h->root, refused_members[i]) != NULL)
			return VERDICT_DENY_MALFORMED;
	if (!read_kid(h, out) || !read_typ(h, out))
		return VERDICT_DENY_MALFORMED;
	return read_algorithm(h, &out->algorithm);
}

static enum verdict
read_header(const char *text, size_t len, struct jws *out)
{
	AUTO(json) struct json *doc = NULL;
	char json[B64URL_DECODED(B64URL_ENCODED(JWS_HEADER_MAX))];
	size_t json_len = 0;
	struct header h = {0};
	struct err e = {0};

	if (len > B64URL_ENCODED(JWS_HEADER_MAX) ||
	        !b64url_decode(text, len, (unsigned char *)json, &json_len))
		return VERDICT_DENY_MALFORMED;
	if (!json_parse(json, json_len, &header_limits, &doc, &e))
		return e.code == ERR_NOMEM ? VERDICT_DENY_UNAVAILABLE : VERDICT_DENY_MALFORMED;
	h.doc = doc;
	h.root = json_root(doc);
	return read_members(&h, out);
}

enum verdict
jws_open(struct jws *out, const char *token, size_t len)
{
	const char *end = token + len;
	const char *first, *second;

	if (len > JWS_TOKEN_MAX)
		return VERDICT_DENY_MALFORMED;
	first = memchr(token, '.', len);
	second = first != NULL ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	/* A third dot is no base64url character, so it fails there. No part may be empty (JT8). */
	if (second == NULL || first == token || second == first + 1 || second + 1 == end)
		return VERDICT_DENY_MALFORMED;
	out->signed_text = token;
	out->signed_len = (size_t)(second - token);
	out->signature_text = second + 1;
	out->signature_text_len = (size_t)(end - second - 1);
	if (!b64url_decode(
	            first + 1, (size_t)(second - first - 1), out->payload, &out->payload_len))
		return VERDICT_DENY_MALFORMED;
	return read_header(token, (size_t)(first - token), out);
}

struct jws_verifier {
	const struct key_set *keys;
	size_t count;
	struct signature_checker *checkers[KEY_SET_MAX]; /* one a key, in its order */
};

bool
jws_verifier_new(const struct key_set *keys, OWNED struct jws_verifier **out, struct err *e)
{
	AUTO(jws_verifier) struct jws_verifier *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a token verifier");
	v->keys = keys;
	for (; v->count < key_set_count(keys); v->count++)
		if (!signature_checker_new(key_set_at(keys, v->count), &v->checkers[v->count], e))
			return false;
	*out = TAKE(v);
	return true;
}

void
jws_verifier_free(struct jws_verifier *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->count; i++)
		signature_checker_free(v->checkers[i]);
	free(v);
}

static bool
is_signed(struct signature_checker *checker, size_t expected, const struct jws *jws)
{
	unsigned char signature[B64URL_DECODED(B64URL_ENCODED(SIGNATURE_MAX))];
	size_t len = 0;

	/* The key says how long a signature is; the token is not asked (JT9). */
	return jws->signature_text_len == B64URL_ENCODED(expected) &&
	       b64url_decode(jws->signature_text, jws->signature_text_len, signature, &len) &&
	       signature_checker_holds(checker, jws->signed_text, jws->signed_len, signature, len);
}

enum verdict
jws_check(struct jws_verifier *v, const struct jws *jws, BORROWED const struct key **key)
{
	ptrdiff_t i = key_set_find(v->keys, jws->has_kid ? jws->kid : NULL, jws->algorithm);
	const struct key *found;

	if (i < 0)
		return VERDICT_DENY_UNKNOWN_KEY;
	found = key_set_at(v->keys, (size_t)i);
	if (key_algorithm(found) != jws->algorithm)
		return VERDICT_DENY_ALGORITHM;
	if (!is_signed(v->checkers[i], key_signature_len(found), jws))
		return VERDICT_DENY_SIGNATURE;
	*key = found;
	return VERDICT_GRANT;
}
