#include "shared/security/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/pem.h"

struct trust {
	atomic_uint refs;
	struct key_set *keys;
	struct claim_rules rules;
	bool require_typ;
	char *issuer, *audience, *permissions_claim, *tenant_claim; /* what rules points to */
};

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

bool
trust_is_configured(const struct token_settings *settings)
{
	return settings->keys_awaited || is_given(settings->public_key_path) ||
	       is_given(settings->public_key_pem);
}

bool
trust_algorithms(const struct token_settings *settings, struct algorithm_set *out, struct err *e)
{
	struct algorithm_set set = {0};

	if (settings->algorithm_count == 0 && !algorithm_set_add(&set, "RS256", e))
		return false;
	for (size_t i = 0; i < settings->algorithm_count; i++)
		if (!algorithm_set_add(&set, settings->algorithms[i], e))
			return err_while(e, "allowed algorithms");
	*out = set;
	return true;
}

static bool
import(const struct token_settings *settings, OWNED struct key **out, struct err *e)
{
	struct key_binding binding = {0};
	const char *pem = settings->public_key_pem;

	if (!trust_algorithms(settings, &binding.allowed, e))
		return false;
	if (is_given(settings->public_key_path))
		return pem_import_file(settings->public_key_path, &binding, out, e);
	if (!is_given(pem))
		return err_set(e, ERR_MISSING, "no public key is configured");
	return pem_import(pem, strlen(pem), &binding, out, e) ||
	       err_while(e, "the inline public key");
}

static bool
import_set(const struct token_settings *settings, OWNED struct key_set **out, struct err *e)
{
	AUTO(key) struct key *key = NULL;
	AUTO(key_set) struct key_set *set = NULL;

	if (!import(settings, &key, e) || !key_set_new(&set, e) || !key_set_add(set, key, e))
		return false;
	(void)TAKE(key);
	*out = TAKE(set);
	return true;
}

static bool
copy_or(char **to, const char *given, const char *otherwise, struct err *e)
{
	*to = strdup(is_given(given) ? given : otherwise);
	return *to != NULL || err_set(e, ERR_NOMEM, "out of memory for token rules");
}

static bool
copy_texts(struct trust *t, const struct token_settings *from, struct err *e)
{
	bool system = t->rules.caller == CALLER_SYSTEM;

	if (!copy_or(&t->issuer, from->issuer, "tasker-core", e) ||
	        !copy_or(&t->audience, from->audience, system ? "tasker-internal" : "tasker-api",
	                e) ||
	        !copy_or(&t->permissions_claim, from->permissions_claim, "permissions", e))
		return false;
	if (is_given(from->tenant_claim) && !copy_or(&t->tenant_claim, from->tenant_claim, "", e))
		return false;
	t->rules.issuer = t->issuer;
	t->rules.audience = t->audience;
	t->rules.permissions_claim = t->permissions_claim;
	t->rules.tenant_claim = t->tenant_claim;
	return true;
}

static bool
take_times(struct trust *t, const struct token_settings *from, struct err *e)
{
	int64_t lifetime =
	        from->max_lifetime_s != 0 ? from->max_lifetime_s : TRUST_LIFETIME_DEFAULT_S;

	if (from->leeway_s < 0 || from->leeway_s > TRUST_LEEWAY_MAX_S)
		return err_set(e, ERR_LIMIT, "a leeway of %lld s; 0 to %d are allowed",
		        (long long)from->leeway_s, TRUST_LEEWAY_MAX_S);
	if (lifetime < 1 || lifetime > TRUST_LIFETIME_MAX_S)
		return err_set(e, ERR_LIMIT, "a token lifetime of %lld s; 1 to %d are allowed",
		        (long long)lifetime, TRUST_LIFETIME_MAX_S);
	t->rules.leeway_s = from->leeway_s;
	t->rules.max_lifetime_s = lifetime;
	return true;
}

bool
trust_new_with_keys(const struct token_settings *settings, enum caller_class caller,
        struct key_set *keys, OWNED struct trust **out, struct err *e)
{
	AUTO(trust) struct trust *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for token rules");
	atomic_init(&t->refs, 1);
	t->rules.caller = caller;
	t->rules.strict_permissions = settings->strict_permissions;
	t->require_typ = settings->require_typ;
	if (!copy_texts(t, settings, e) || !take_times(t, settings, e))
		return false;
	t->keys = keys;
	*out = TAKE(t);
	return true;
}

bool
trust_new(const struct token_settings *settings, enum caller_class caller, OWNED struct trust **out,
        struct err *e)
{
	AUTO(key_set) struct key_set *keys = NULL;

	if (!settings->keys_awaited && !import_set(settings, &keys, e))
		return false;
	if (!trust_new_with_keys(settings, caller, keys, out, e))
		return false;
	(void)TAKE(keys);
	return true;
}

bool
trust_with_keys(
        const struct trust *t, struct key_set *keys, OWNED struct trust **out, struct err *e)
{
	const struct token_settings same = {
	        .issuer = t->issuer,
	        .audience = t->audience,
	        .permissions_claim = t->permissions_claim,
	        .tenant_claim = t->tenant_claim,
	        .leeway_s = t->rules.leeway_s,
	        .max_lifetime_s = t->rules.max_lifetime_s,
	        .strict_permissions = t->rules.strict_permissions,
	        .require_typ = t->require_typ,
	};

	return trust_new_with_keys(&same, t->rules.caller, keys, out, e);
}

struct trust *
trust_ref(struct trust *t)
{
	if (t != NULL)
		atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	key_set_free(t->keys);
	free(t->issuer);
	free(t->audience);
	free(t->permissions_claim);
	free(t->tenant_claim);
	free(t);
}

const struct key_set *
trust_keys(const struct trust *t)
{
	return t->keys;
}

const struct claim_rules *
trust_rules(const struct trust *t)
{
	return &t->rules;
}

bool
trust_requires_typ(const struct trust *t)
{
	return t->require_typ;
}
