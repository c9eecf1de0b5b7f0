#include "ctl/sign.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/files.h"
#include "shared/base/b64url.h"
#include "shared/base/buf.h"
#include "shared/base/json.h"
#include "shared/base/json_out.h"
#include "shared/base/uuid.h"
#include "shared/security/claims.h"
#include "shared/security/jws.h"
#include "shared/security/key_pair.h"
#include "shared/security/pem.h"

AUTO_DEFINE(jwt, jwt_t, jwt_free)

bool
sign_list_split(const char *given, struct sign_list *out, struct err *e)
{
	struct sign_list list = {0};
	char *rest;

	if (given == NULL) {
		*out = list;
		return true;
	}
	list.text = strdup(given);
	if (list.text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list");
	rest = list.text;
	while (rest != NULL) {
		char *word = strsep(&rest, ",");
		size_t len;

		word += strspn(word, " \t\n");
		len = strlen(word);
		while (len > 0 && strchr(" \t\n", word[len - 1]) != NULL)
			word[--len] = '\0';
		if (len == 0)
			continue;
		if (list.count == SIGN_LIST_MAX) {
			sign_list_clear(&list);
			return err_set(e, ERR_LIMIT, "a list of more than %d words", SIGN_LIST_MAX);
		}
		list.words[list.count++] = word;
	}
	*out = list;
	return true;
}

void
sign_list_clear(struct sign_list *list)
{
	free(list->text);
	*list = (struct sign_list){0};
}

bool
sign_key_read(const char *path, OWNED struct secret **out, struct err *e)
{
	struct buf text = BUF(PEM_TEXT_MAX);
	bool ok = files_read(path, &text, e) &&
	          (text.len > 0 || err_set(e, ERR_FORMAT, "%s is empty", path)) &&
	          secret_new(text.data, text.len, out, e);

	if (text.data != NULL)
		secret_wipe(text.data, text.cap);
	buf_free(&text);
	return ok;
}

static void
put_list(struct json_out *w, const char *key, const struct sign_list *list)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < list->count; i++)
		json_put_text(w, NULL, list->words[i]);
	json_close(w, ']');
}

bool
sign_extra_split(const char *given, BORROWED struct sign_extra *out, struct err *e)
{
	const char *equals = strchr(given, '=');

	if (equals == NULL || equals == given)
		return err_set(e, ERR_FORMAT, "a claim is given as NAME=VALUE");
	*out = (struct sign_extra){
	        .name = given, .name_len = (size_t)(equals - given), .text = equals + 1};
	return true;
}

static void
put_extra(struct json_out *w, struct buf *text, const struct sign_extra *extra)
{
	AUTO(json) struct json *doc = NULL;
	char *name = strndup(extra->name, extra->name_len);
	struct err e = {0};

	if (name == NULL)
		text->failed = true;
	else if (json_parse(extra->text, strlen(extra->text), &json_limits_default, &doc, &e))
		json_put_raw(w, name, extra->text, strlen(extra->text));
	else if (e.code == ERR_NOMEM)
		text->failed = true;
	else
		json_put_text(w, name, extra->text);
	free(name);
}

/* The payload; refused if daemons could not read it, as when a claim is there twice. */
static bool
claims_text(const struct sign_claims *c, struct buf *text, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	struct json_out w = json_out_on(text);
	struct uuid id = uuid_v4();
	char jti[UUID_TEXT];

	uuid_text(&id, jti);
	json_open(&w, NULL, '{');
	json_put_text(&w, "sub", c->subject);
	put_list(&w, "worker_namespaces", c->namespaces);
	json_put_text(&w, "iss", c->issuer);
	json_put_text(&w, "aud", c->audience);
	json_put_int(&w, "exp", c->expires_s);
	json_put_int(&w, "iat", c->issued_s);
	if (c->not_before_s != 0)
		json_put_int(&w, "nbf", c->not_before_s);
	json_put_text(&w, "jti", jti);
	if (c->permissions->count > 0 || c->extra_count == 0)
		put_list(&w, "permissions", c->permissions);
	if (c->tenant != NULL)
		json_put_text(&w, c->tenant_claim, c->tenant);
	for (size_t i = 0; i < c->extra_count; i++)
		put_extra(&w, text, &c->extras[i]);
	json_close(&w, '}');
	if (!buf_ok(text))
		return err_set(e, ERR_NOMEM, "no memory for the claims");
	return json_parse(text->data, text->len, &claims_limits, &doc, e) ||
	       err_while(e, "the claims");
}

/* What a key is for, unless somebody says otherwise. */
static enum algorithm
usual_algorithm(enum key_type type)
{
	for (unsigned a = ALGORITHM_NONE + 1; a < ALGORITHM__COUNT; a++)
		if (algorithm_key_type((enum algorithm)a) == type)
			return (enum algorithm)a;
	return ALGORITHM_NONE;
}

/* A key to sign with, and what is known of it. */
struct signer {
	const struct secret *private_pem;
	enum algorithm algorithm;
	const char *kid;
	char *public_pem;
};

static bool
prepare(const struct sign_claims *c, struct signer *s, struct err *e)
{
	enum key_type type = KEY_NONE;

	/* Also keeps libjwt, which would ask a terminal for a password, from odd keys. */
	if (!key_pair_public(s->private_pem, &type, &s->public_pem, e))
		return false;
	s->kid = c->kid;
	s->algorithm = c->algorithm != ALGORITHM_NONE ? c->algorithm : usual_algorithm(type);
	return algorithm_key_type(s->algorithm) == type ||
	       err_set(e, ERR_CRYPTO, "the key does not fit %s", algorithm_name(s->algorithm));
}

/* Does the key's public half verify the token, by the rules of the daemons? */
static bool
check(const char *token, const struct signer *s, struct err *e)
{
	AUTO(key_set) struct key_set *keys = NULL;
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	AUTO(key) struct key *key = NULL;
	struct key_binding binding = {.declared = ALGORITHM_NONE};
	const struct key *signer = NULL;
	struct jws jws;

	if (!algorithm_set_add(&binding.allowed, algorithm_name(s->algorithm), e) ||
	        !pem_import(s->public_pem, strlen(s->public_pem), &binding, &key, e) ||
	        !key_set_new(&keys, e) || !key_set_add(keys, key, e))
		return false;
	(void)TAKE(key);
	if (!jws_verifier_new(keys, &verifier, e))
		return false;
	if (strlen(token) > JWS_TOKEN_MAX)
		return err_set(e, ERR_LIMIT,
		        "the token would be longer than the %d bytes that "
		        "daemons accept",
		        JWS_TOKEN_MAX);
	if (jws_open(&jws, token, strlen(token)) != VERDICT_GRANT ||
	        jws_check(verifier, &jws, &signer) != VERDICT_GRANT)
		return err_set(e, ERR_CRYPTO, "the signed token does not verify");
	return true;
}

static const struct {
	enum algorithm ours;
	jwt_alg_t theirs;
} libjwt_knows[] = {
        {ALGORITHM_RS256, JWT_ALG_RS256},
        {ALGORITHM_RS384, JWT_ALG_RS384},
        {ALGORITHM_RS512, JWT_ALG_RS512},
        {ALGORITHM_ES256, JWT_ALG_ES256},
        {ALGORITHM_ES384, JWT_ALG_ES384},
        {ALGORITHM_ES512, JWT_ALG_ES512},
};

static OWNED char *
sign_by_libjwt(const struct signer *s, jwt_alg_t algorithm, const char *payload)
{
	AUTO(jwt) jwt_t *jwt = NULL;

	if (jwt_new(&jwt) != 0 || jwt_add_grants_json(jwt, payload) != 0 ||
	        (s->kid != NULL && jwt_add_header(jwt, "kid", s->kid) != 0) ||
	        jwt_set_alg(jwt, algorithm, secret_bytes(s->private_pem),
	                (int)secret_len(s->private_pem)) != 0)
		return NULL;
	return jwt_encode_str(jwt);
}

static void
put_part(struct buf *to, const char *bytes, size_t len)
{
	size_t room = B64URL_ENCODED(len);
	char *at = buf_room(to, room);

	if (at != NULL)
		to->len += b64url_encode((const unsigned char *)bytes, len, at);
}

static OWNED char *
sign_by_openssl(const struct signer *s, const char *payload, struct err *e)
{
	AUTO(buf) struct buf header = BUF(KIB(4));
	AUTO(buf) struct buf signature = BUF(KIB(4));
	AUTO(buf) struct buf token = BUF(MIB(1));
	struct json_out w = json_out_on(&header);

	json_open(&w, NULL, '{');
	json_put_text(&w, "alg", algorithm_name(s->algorithm));
	json_put_text(&w, "typ", "JWT");
	if (s->kid != NULL)
		json_put_text(&w, "kid", s->kid);
	json_close(&w, '}');
	if (!buf_ok(&header))
		return NULL;
	put_part(&token, header.data, header.len);
	buf_char(&token, '.');
	put_part(&token, payload, strlen(payload));
	if (!buf_ok(&token) ||
	        !key_pair_sign(s->private_pem, s->algorithm, &token, &signature, e) ||
	        !buf_ok(&signature))
		return NULL;
	buf_char(&token, '.');
	put_part(&token, signature.data, signature.len);
	return buf_take_text(&token);
}

static OWNED char *
sign(const struct signer *s, const char *payload, struct err *e)
{
	char *token = NULL;

	for (size_t i = 0; i < COUNT(libjwt_knows); i++)
		if (libjwt_knows[i].ours == s->algorithm) {
			token = sign_by_libjwt(s, libjwt_knows[i].theirs, payload);
			if (token == NULL)
				(void)err_set(e, ERR_CRYPTO, "libjwt cannot sign the token");
			return token;
		}
	token = sign_by_openssl(s, payload, e);
	if (token == NULL && e->code == ERR_NONE)
		(void)err_set(e, ERR_NOMEM, "out of memory for a token");
	return token;
}

bool
sign_token(const struct sign_claims *claims, const struct secret *private_pem,
        OWNED struct secret **out, struct err *e)
{
	AUTO(buf) struct buf payload = BUF(KIB(256));
	struct signer signer = {.private_pem = private_pem};
	char *token = NULL;
	bool ok = prepare(claims, &signer, e) && claims_text(claims, &payload, e);

	buf_char(&payload, '\0');
	ok = ok && (buf_ok(&payload) || err_set(e, ERR_NOMEM, "no memory for the claims"));
	if (ok)
		token = sign(&signer, payload.data, e);
	ok = token != NULL && check(token, &signer, e) &&
	     secret_new(token, strlen(token) + 1, out, e);
	if (token != NULL)
		secret_wipe(token, strlen(token));
	free(token);
	free(signer.public_pem);
	return ok;
}
