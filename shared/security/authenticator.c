/*
 * Which credential decides, and what it is worth (design section 3, spec CR1-CR5).
 *
 *   Authorization present   it decides, whatever stands beside it
 *     not a bearer            malformed: Basic never falls through to an API key
 *     "ts_..."                a worker's session, asked of the daemon each time
 *     anything else           a JWT: from the cache, or verified and kept there
 *   else API key present    it decides
 *   else                    missing
 *
 * With authentication off everybody is "anonymous" with every permission, except that a worker's
 * session is still looked up: the internal protocol needs to know whose session it is.
 *
 * Contexts of API keys and of "anonymous" are made once, here, so that such a request allocates
 * nothing.
 */
#include "shared/security/authenticator.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/security/bearer.h"
#include "shared/security/jwt_authenticator.h"
#include "shared/security/secret_token.h"
#include "shared/security/token_cache.h"

struct authenticator {
	const struct security_service *service;
	session_find_fn find;
	void *find_arg;
	struct digest *hasher;
	struct jwt_authenticator *jwt;
	struct token_cache *cache;                    /* NULL: switched off */
	const struct security_context *anonymous;     /* NULL while authentication is on */
	const struct security_context **key_contexts; /* one an API key, in its order */
	const char *unknown_permission;               /* of the check at hand */
	struct authenticator_stats stats;
};

static bool
make_anonymous(struct authenticator *a, struct err *e)
{
	struct security_context fields = {
	        .caller = CALLER_USER,
	        .method = AUTH_METHOD_DISABLED,
	        .permissions = permission_set_all(),
	        .subject = "anonymous",
	        .owner = "anonymous",
	};

	return security_service_enabled(a->service) ||
	       security_context_new(&fields, &a->anonymous, e);
}

static bool
make_key_context(const struct api_key *key, const struct security_context **out, struct err *e)
{
	char subject[sizeof("key:") + API_KEY_ID_MAX];
	struct security_context fields = {
	        .caller = CALLER_USER,
	        .method = AUTH_METHOD_API_KEY,
	        .permissions = key->permissions,
	        .subject = subject,
	        .owner = subject,
	        .tenant = key->tenant,
	        .token_id = key->id,
	        .expires_at_s = key->not_after_s,
	};

	(void)snprintf(subject, sizeof(subject), "key:%s", key->id);
	return security_context_new(&fields, out, e);
}

static bool
make_key_contexts(struct authenticator *a, struct err *e)
{
	const struct api_key_registry *keys = security_service_api_keys(a->service);
	size_t count = api_key_registry_count(keys);

	a->key_contexts = calloc(count + 1, sizeof(const struct security_context *));
	if (a->key_contexts == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the contexts of API keys");
	for (size_t i = 0; i < count; i++)
		if (!make_key_context(api_key_registry_at(keys, i), &a->key_contexts[i], e))
			return false;
	return true;
}

bool
authenticator_new(const struct security_service *service, size_t cache_entries,
        session_find_fn find, void *find_arg, OWNED struct authenticator **out, struct err *e)
{
	AUTO(authenticator) struct authenticator *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for an authenticator");
	a->service = service;
	a->find = find;
	a->find_arg = find_arg;
	if (cache_entries > 0 && !token_cache_new(cache_entries, &a->cache, e))
		return false;
	if (!digest_new(&a->hasher, e) || !jwt_authenticator_new(service, &a->jwt, e) ||
	        !make_anonymous(a, e) || !make_key_contexts(a, e))
		return false;
	*out = TAKE(a);
	return true;
}

void
authenticator_free(struct authenticator *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; a->key_contexts != NULL && a->key_contexts[i] != NULL; i++)
		security_context_unref(a->key_contexts[i]);
	free(a->key_contexts);
	security_context_unref(a->anonymous);
	token_cache_free(a->cache);
	jwt_authenticator_free(a->jwt);
	digest_free(a->hasher);
	free(a);
}

static enum verdict
check_session(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	unsigned char digest[DIGEST_BYTES];
	struct session_facts facts = {0};
	char owner[sizeof("wrk:") + sizeof(facts.worker)];
	struct security_context fields = {
	        .caller = CALLER_SESSION, .method = AUTH_METHOD_SESSION, .owner = owner};
	struct err e = {0};
	enum verdict v;

	if (a->find == NULL)
		return VERDICT_DENY_SESSION;
	digest_add(a->hasher, token, len);
	if (!digest_finish(a->hasher, digest))
		return VERDICT_DENY_UNAVAILABLE;
	v = a->find(digest, &facts, a->find_arg);
	if (v != VERDICT_GRANT)
		return v;
	if (facts.expires_at_s != 0 && now_s >= facts.expires_at_s)
		return VERDICT_DENY_SESSION;
	(void)snprintf(owner, sizeof(owner), "wrk:%s", facts.worker);
	fields.subject = facts.worker;
	fields.token_id = facts.id;
	fields.expires_at_s = facts.expires_at_s;
	fields.namespaces = facts.namespaces;
	return security_context_new(&fields, out, &e) ? VERDICT_GRANT : VERDICT_DENY_UNAVAILABLE;
}

static enum verdict
check_api_key(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	ptrdiff_t i = api_key_registry_find(security_service_api_keys(a->service), a->hasher,
	        c->api_key, c->api_key_len, now_s);

	if (i < 0)
		return VERDICT_DENY_API_KEY;
	*out = security_context_ref(a->key_contexts[i]);
	return VERDICT_GRANT;
}

static enum verdict
verify_token(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	struct jwt_acceptance accepted = {0};
	enum verdict v = jwt_authenticator_check(a->jwt, token, len, now_s, &accepted);

	if (accepted.unknown_permission != NULL)
		a->unknown_permission = accepted.unknown_permission;
	if (v != VERDICT_GRANT)
		return v;
	a->stats.verified++;
	a->stats.permissions_ignored += accepted.permissions_ignored;
	if (a->cache != NULL)
		token_cache_put(a->cache, &(struct token_cache_entry){.token = token,
		                                  .len = len,
		                                  .context = accepted.context,
		                                  .from_s = accepted.valid_from_s,
		                                  .until_s = accepted.valid_until_s});
	*out = accepted.context;
	return v;
}

static enum verdict
check_token(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	const struct security_context *known =
	        a->cache != NULL ? token_cache_find(a->cache, token, len, now_s) : NULL;

	if (known == NULL) {
		a->stats.misses++;
		return bearer_is_token68(token, len) ? verify_token(a, token, len, now_s, out)
		                                     : VERDICT_DENY_MALFORMED;
	}
	a->stats.hits++;
	*out = security_context_ref(known);
	return VERDICT_GRANT;
}

static enum verdict
check_bearer(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	const char *token = NULL;
	size_t len = 0;

	if (!bearer_parse(c->authorization, c->authorization_len, &token, &len))
		return VERDICT_DENY_MALFORMED;
	if (secret_token_looks_like(SECRET_TOKEN_SESSION, token, len))
		return check_session(a, token, len, now_s, out);
	return check_token(a, token, len, now_s, out);
}

/* With authentication off only a session is worth reading; all else is anonymous. */
static enum verdict
check_disabled(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	const char *token = NULL;
	size_t len = 0;

	if (c->authorization != NULL &&
	        bearer_parse(c->authorization, c->authorization_len, &token, &len) &&
	        secret_token_looks_like(SECRET_TOKEN_SESSION, token, len))
		return check_session(a, token, len, now_s, out);
	*out = security_context_ref(a->anonymous);
	return VERDICT_GRANT;
}

static enum verdict
check(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	if (!security_service_enabled(a->service))
		return check_disabled(a, c, now_s, out);
	if (c->authorization != NULL)
		return check_bearer(a, c, now_s, out);
	if (c->api_key != NULL)
		return check_api_key(a, c, now_s, out);
	return VERDICT_DENY_MISSING;
}

enum auth_progress
authenticator_check(struct authenticator *a, const struct credentials *c, int64_t now_s,
        struct authentication *out, auth_resume_fn resume, void *arg)
{
	const struct security_context *context = NULL;
	enum verdict v;

	a->unknown_permission = "";
	v = check(a, c, now_s, &context);
	(void)resume; /* nothing pends yet: every credential is decided from memory */
	(void)arg;
	a->stats.refused += v != VERDICT_GRANT;
	*out = (struct authentication){
	        .verdict = v, .context = context, .unknown_permission = a->unknown_permission};
	return AUTH_READY;
}

struct authenticator_stats
authenticator_stats(const struct authenticator *a)
{
	return a->stats;
}
