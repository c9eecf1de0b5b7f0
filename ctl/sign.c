#include "ctl/sign.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/files.h"
#include "shared/base/buf.h"
#include "shared/base/json_out.h"
#include "shared/base/uuid.h"
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

static OWNED char *
claims_text(const struct sign_claims *c)
{
	struct buf text = BUF(KIB(256));
	struct json_out w = json_out_on(&text);
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
	json_put_text(&w, "jti", jti);
	put_list(&w, "permissions", c->permissions);
	if (c->tenant != NULL)
		json_put_text(&w, c->tenant_claim, c->tenant);
	json_close(&w, '}');
	return buf_take_text(&text);
}

/* Does the key's public half verify the token, by the rules of the daemons? */
static bool
check(const char *token, const struct secret *private_pem, struct err *e)
{
	char *public_pem = NULL;
	AUTO(key_set) struct key_set *keys = NULL;
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	AUTO(key) struct key *key = NULL;
	struct key_binding binding = {.declared = ALGORITHM_NONE};
	const struct key *signer = NULL;
	struct jws jws;
	bool ok;

	if (!algorithm_set_add(&binding.allowed, "RS256", e) ||
	        !key_pair_public(private_pem, &public_pem, e))
		return false;
	ok = pem_import(public_pem, strlen(public_pem), &binding, &key, e) && key_set_new(&keys, e);
	free(public_pem);
	if (!ok || !key_set_add(keys, key, e))
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

bool
sign_token(const struct sign_claims *claims, const struct secret *private_pem,
        OWNED struct secret **out, struct err *e)
{
	AUTO(jwt) jwt_t *jwt = NULL;
	char *public_pem = NULL, *payload, *token = NULL;
	bool ok;

	/* Also keeps libjwt, which would ask a terminal for a password, from odd keys. */
	if (!key_pair_public(private_pem, &public_pem, e))
		return false;
	free(public_pem);
	payload = claims_text(claims);
	if (payload != NULL && jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, payload) == 0 &&
	        jwt_set_alg(jwt, JWT_ALG_RS256, secret_bytes(private_pem),
	                (int)secret_len(private_pem)) == 0)
		token = jwt_encode_str(jwt);
	free(payload);
	if (token == NULL)
		return err_set(e, ERR_CRYPTO, "libjwt cannot sign the token");
	ok = check(token, private_pem, e) && secret_new(token, strlen(token) + 1, out, e);
	secret_wipe(token, strlen(token));
	free(token);
	return ok;
}
