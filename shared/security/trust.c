#include "shared/security/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/pem.h"

struct trust {
	atomic_uint refs;
	struct key_set *keys;
	struct claim_rules rules;
	struct permission_map *permission_map; /* NULL: none */
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
	return settings->keys_awaited || settings->public_key_count > 0 ||
	       is_given(settings->public_key_path) || is_given(settings->public_key_pem);
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
is_kid(const char *kid)
{
	size_t len = strlen(kid);

	if (len > KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (kid[i] < 0x20 || kid[i] > 0x7e)
			return false;
	return true;
}

static bool
import(const struct public_key_settings *from, struct algorithm_set allowed, OWNED struct key **out,
        struct err *e)
{
	struct key_binding binding = {.allowed = allowed};

	if (is_given(from->kid) && !is_kid(from->kid))
		return err_set(e, ERR_FORMAT, "a kid has at most %d printable ASCII characters",
		        KEY_ID_MAX);
	binding.kid = is_given(from->kid) ? from->kid : NULL;
	if (is_given(from->algorithm)) {
		binding.declared = algorithm_named(from->algorithm, strlen(from->algorithm));
		if (!algorithm_set_has(allowed, binding.declared))
			return err_set(e, ERR_FORMAT,
			        "algorithm \"%.16s\" is none of those allowed", from->algorithm);
	}
	if (is_given(from->path))
		return pem_import_file(from->path, &binding, out, e);
	if (!is_given(from->pem))
		return err_set(e, ERR_MISSING, "no public key is configured");
	return pem_import(from->pem, strlen(from->pem), &binding, out, e) ||
	       err_while(e, "the inline public key");
}

/* One key under two names would leave tokens without a kid no single key to be checked with. */
static bool
is_new(const struct key_set *set, const struct key *key, struct err *e)
{
	for (size_t i = 0; i < key_set_count(set); i++)
		if (memcmp(key_fingerprint(key_set_at(set, i)), key_fingerprint(key),
		            DIGEST_BYTES) == 0)
			return err_set(e, ERR_CONFLICT, "it is listed twice");
	return true;
}

static bool
import_into(struct key_set *set, const struct public_key_settings *from,
        struct algorithm_set allowed, struct err *e)
{
	AUTO(key) struct key *key = NULL;

	if (!import(from, allowed, &key, e) || !is_new(set, key, e) || !key_set_add(set, key, e))
		return false;
	(void)TAKE(key);
	return true;
}

static bool
import_set(const struct token_settings *settings, OWNED struct key_set **out, struct err *e)
{
	const struct public_key_settings lone = {
	        .path = settings->public_key_path, .pem = settings->public_key_pem};
	AUTO(key_set) struct key_set *set = NULL;
	struct algorithm_set allowed = {0};

	if (!trust_algorithms(settings, &allowed, e) || !key_set_new(&set, e))
		return false;
	if ((is_given(lone.path) || is_given(lone.pem) || settings->public_key_count == 0) &&
	        !import_into(set, &lone, allowed, e))
		return false;
	for (size_t i = 0; i < settings->public_key_count; i++) {
		const struct public_key_settings *from = &settings->public_keys[i];

		if (!import_into(set, from, allowed, e))
			return err_while(e, "public_keys[%zu] (kid \"%.64s\")", i,
			        is_given(from->kid) ? from->kid : "");
	}
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
	if (strlen(t->permissions_claim) > CLAIM_NAME_MAX)
		return err_set(
		        e, ERR_LIMIT, "permissions_claim is longer than %d bytes", CLAIM_NAME_MAX);
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

/* keys and map become the trust's, if it says true. */
static bool
make(const struct token_settings *settings, enum caller_class caller, struct key_set *keys,
        struct permission_map *map, OWNED struct trust **out, struct err *e)
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
	t->permission_map = map;
	t->rules.permission_map = map;
	*out = TAKE(t);
	return true;
}

bool
trust_new_with_keys(const struct token_settings *settings, enum caller_class caller,
        struct key_set *keys, OWNED struct trust **out, struct err *e)
{
	AUTO(permission_map) struct permission_map *map = NULL;

	if (settings->permission_map_count > 0 && !permission_map_new(settings->permission_map,
	                                                  settings->permission_map_count, &map, e))
		return false;
	if (!make(settings, caller, keys, map, out, e))
		return false;
	(void)TAKE(map);
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

	struct permission_map *map = permission_map_ref(t->permission_map);
	bool made = make(&same, t->rules.caller, keys, map, out, e);

	if (!made)
		permission_map_free(map);
	return made;
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
	permission_map_free(t->permission_map);
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
