/*
 * Which credential decides, and what it is worth (design section 3, spec CR1-CR5).
 *
 *   Authorization present   it decides, whatever stands beside it
 *     not a bearer            malformed: Basic never falls through to an API key
 *     "ts_..."                a worker's session, asked of the daemon each time
 *     anything else           a JWT: from the cache, or verified and kept there; not verified
 *                             where the caller wants known ones only
 *   else API key present    it decides
 *   else                    missing
 *
 * With authentication off everybody is "anonymous" with every permission, except that a worker's
 * session is still looked up: the internal protocol needs to know whose session it is.
 *
 * Each check first follows the service in force; service_view.h holds what it makes of it.
 */
#include "shared/security/authenticator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/bearer.h"
#include "shared/security/secret_token.h"
#include "shared/security/service_view.h"
#include "shared/security/token_cache.h"

struct authenticator {
	struct security_live *live;
	struct service_view *view;
	session_find_fn find;
	void *find_arg;
	struct digest *hasher;
	struct token_cache *cache;      /* NULL: switched off */
	const char *unknown_permission; /* of the check at hand */
	bool known_only, examined;      /* of the check at hand */
	struct authenticator_stats stats;
};

bool
authenticator_new(struct security_live *live, size_t cache_entries, session_find_fn find,
        void *find_arg, OWNED struct authenticator **out, struct err *e)
{
	AUTO(authenticator) struct authenticator *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for an authenticator");
	a->live = live;
	a->find = find;
	a->find_arg = find_arg;
	if (cache_entries > 0 && !token_cache_new(cache_entries, &a->cache, e))
		return false;
	if (!digest_new(&a->hasher, e) || !service_view_new(live, &a->view, e))
		return false;
	*out = TAKE(a);
	return true;
}

void
authenticator_free(struct authenticator *a)
{
	if (a == NULL)
		return;
	token_cache_free(a->cache);
	service_view_free(a->view);
	digest_free(a->hasher);
	free(a);
}

/* To the service in force. False: it cannot be followed for want of memory, so nobody is judged. */
static bool
follow(struct authenticator *a)
{
	struct service_view *now = NULL;
	struct err e = {0};

	if (security_live_generation(a->live) == a->view->generation)
		return true;
	if (!service_view_new(a->live, &now, &e))
		return false;
	service_view_free(a->view);
	a->view = now;
	return true;
}

static bool
is_revoked(const struct authenticator *a, const struct security_context *who)
{
	return revocations_hit(security_service_revocations(a->view->service), who);
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
	fields.issued_at_s = facts.issued_at_s;
	fields.namespaces = facts.namespaces;
	if (is_revoked(a, &fields))
		return VERDICT_DENY_REVOKED;
	return security_context_new(&fields, out, &e) ? VERDICT_GRANT : VERDICT_DENY_UNAVAILABLE;
}

static enum verdict
check_api_key(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	ptrdiff_t i = api_key_registry_find(security_service_api_keys(a->view->service), a->hasher,
	        c->api_key, c->api_key_len, now_s);

	if (i < 0)
		return i == API_KEY_UNKNOWN ? VERDICT_DENY_UNAVAILABLE : VERDICT_DENY_API_KEY;
	if (is_revoked(a, a->view->key_contexts[i]))
		return VERDICT_DENY_REVOKED;
	*out = security_context_ref(a->view->key_contexts[i]);
	return VERDICT_GRANT;
}

static void
remember(struct authenticator *a, const char *token, size_t len, const struct jwt_acceptance *got)
{
	struct token_cache_entry entry = {
	        .token = token,
	        .len = len,
	        .fact = {
	                 .context = got->context,
	                 .from_s = got->valid_from_s,
	                 .until_s = got->valid_until_s,
	                 .generation = a->view->generation,
	                 .rules = security_service_rules(a->view->service),
	                 }
        };

	memcpy(entry.fact.fingerprint, got->fingerprint, DIGEST_BYTES);
	token_cache_put(a->cache, &entry);
}

static enum verdict
verify_token(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	struct jwt_acceptance got = {0};
	enum verdict v = jwt_authenticator_check(a->view->jwt, token, len, now_s, &got);

	if (got.unknown_permission != NULL)
		a->unknown_permission = got.unknown_permission;
	if (got.unknown_kid != NULL)
		security_live_unknown_key(a->live, got.unknown_kid);
	if (v != VERDICT_GRANT)
		return v;
	if (is_revoked(a, got.context)) {
		security_context_unref(got.context);
		return VERDICT_DENY_REVOKED;
	}
	a->stats.verified++;
	a->stats.permissions_ignored += got.permissions_ignored;
	if (a->cache != NULL)
		remember(a, token, len, &got);
	*out = got.context;
	return v;
}

/* Would a token that was good under an earlier generation be so under this one? Its times are asked
 * anyway, so what is left are the rules, its key, and revocations. */
static bool
still_holds(struct authenticator *a, struct token_cache_fact *fact)
{
	if (fact->generation == a->view->generation)
		return true;
	if (fact->rules != security_service_rules(a->view->service) ||
	        !jwt_authenticator_has_key(
	                a->view->jwt, fact->context->caller, fact->fingerprint) ||
	        is_revoked(a, fact->context)) {
		token_cache_drop(fact);
		return false;
	}
	fact->generation = a->view->generation;
	return true;
}

/* A token that the cache does not know. */
static enum verdict
check_stranger(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	a->stats.misses++;
	if (!bearer_is_token68(token, len))
		return VERDICT_DENY_MALFORMED;
	if (a->known_only)
		return VERDICT_DENY_BUSY;
	a->examined = true;
	return verify_token(a, token, len, now_s, out);
}

static enum verdict
check_token(struct authenticator *a, const char *token, size_t len, int64_t now_s,
        const struct security_context **out)
{
	struct token_cache_fact *known =
	        a->cache != NULL ? token_cache_find(a->cache, token, len, now_s) : NULL;

	if (known == NULL || !still_holds(a, known))
		return check_stranger(a, token, len, now_s, out);
	a->stats.hits++;
	*out = security_context_ref(known->context);
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
	*out = security_context_ref(a->view->anonymous);
	return VERDICT_GRANT;
}

static enum verdict
check(struct authenticator *a, const struct credentials *c, int64_t now_s,
        const struct security_context **out)
{
	if (!follow(a))
		return VERDICT_DENY_UNAVAILABLE;
	if (!security_service_enabled(a->view->service))
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
	a->known_only = c->known_only;
	a->examined = false;
	v = check(a, c, now_s, &context);
	(void)resume; /* nothing pends yet: every credential is decided from memory */
	(void)arg;
	a->stats.refused += v != VERDICT_GRANT;
	*out = (struct authentication){.verdict = v,
	        .context = context,
	        .unknown_permission = a->unknown_permission,
	        .examined = a->examined};
	return AUTH_READY;
}

struct authenticator_stats
authenticator_stats(const struct authenticator *a)
{
	return a->stats;
}
