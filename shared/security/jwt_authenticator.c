#include "shared/security/jwt_authenticator.h"

#include <stdlib.h>
#include <string.h>

#include "shared/security/jws.h"

/* One class of tokens on this loop. */
struct ring {
	const struct trust *trust; /* NULL: nobody is trusted with such tokens */
	struct jws_verifier *verifier;
};

struct jwt_authenticator {
	struct ring users, workers;
	struct jws jws;       /* scratch: the token at hand */
	struct claims claims; /* scratch: what it says */
};

static bool
open_ring(struct ring *ring, const struct trust *trust, struct err *e)
{
	ring->trust = trust;
	return trust == NULL || trust_keys(trust) == NULL ||
	       jws_verifier_new(trust_keys(trust), &ring->verifier, e);
}

bool
jwt_authenticator_new(
        const struct security_service *service, OWNED struct jwt_authenticator **out, struct err *e)
{
	AUTO(jwt_authenticator) struct jwt_authenticator *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a JWT authenticator");
	if (!open_ring(&j->users, security_service_users(service), e) ||
	        !open_ring(&j->workers, security_service_workers(service), e))
		return false;
	*out = TAKE(j);
	return true;
}

void
jwt_authenticator_free(struct jwt_authenticator *j)
{
	if (j == NULL)
		return;
	jws_verifier_free(j->users.verifier);
	jws_verifier_free(j->workers.verifier);
	claims_clear(&j->claims);
	free(j);
}

static struct ring *
ring_for(struct jwt_authenticator *j, const struct json *payload)
{
	const struct trust *workers = j->workers.trust;

	if (workers != NULL && claims_name_audience(payload, trust_rules(workers)->audience))
		return &j->workers;
	return &j->users;
}

static bool
typ_fits(const struct ring *ring, enum jws_typ typ)
{
	return typ == JWS_TYP_JWT || (typ == JWS_TYP_ABSENT && !trust_requires_typ(ring->trust));
}

static enum verdict
check_opened(struct jwt_authenticator *j, const struct json *payload, int64_t now_s,
        struct jwt_acceptance *out)
{
	struct ring *ring = ring_for(j, payload);
	const struct key *key = NULL;
	enum verdict v;

	if (ring->trust == NULL)
		return VERDICT_DENY_UNKNOWN_KEY;
	if (ring->verifier == NULL)
		return VERDICT_DENY_UNAVAILABLE; /* its keys are awaited (JK15) */
	if (!typ_fits(ring, j->jws.typ))
		return VERDICT_DENY_MALFORMED;
	v = jws_check(ring->verifier, &j->jws, &key);
	if (v == VERDICT_DENY_UNKNOWN_KEY && ring == &j->users && j->jws.has_kid)
		out->unknown_kid = j->jws.kid;
	if (v != VERDICT_GRANT)
		return v;
	out->fingerprint = key_fingerprint(key);
	return claims_check(payload, trust_rules(ring->trust), now_s, &j->claims);
}

enum verdict
jwt_authenticator_check(struct jwt_authenticator *j, const char *token, size_t len, int64_t now_s,
        struct jwt_acceptance *out)
{
	AUTO(json) struct json *payload = NULL;
	const struct security_context *context = NULL;
	struct err e = {0};
	enum verdict v = jws_open(&j->jws, token, len);

	if (v != VERDICT_GRANT)
		return v;
	if (!json_parse(
	            (const char *)j->jws.payload, j->jws.payload_len, &claims_limits, &payload, &e))
		return e.code == ERR_NOMEM ? VERDICT_DENY_UNAVAILABLE : VERDICT_DENY_MALFORMED;
	v = check_opened(j, payload, now_s, out);
	if (v == VERDICT_DENY_PERMISSIONS)
		out->unknown_permission = j->claims.unknown_permission;
	if (v != VERDICT_GRANT)
		return v;
	if (!security_context_new(&j->claims.fields, &context, &e))
		return VERDICT_DENY_UNAVAILABLE;
	*out = (struct jwt_acceptance){.context = context,
	        .valid_from_s = j->claims.valid_from_s,
	        .valid_until_s = j->claims.valid_until_s,
	        .permissions_ignored = j->claims.permissions_ignored,
	        .unknown_permission = j->claims.unknown_permission,
	        .fingerprint = out->fingerprint};
	return VERDICT_GRANT;
}

bool
jwt_authenticator_has_key(const struct jwt_authenticator *j, enum caller_class caller,
        const unsigned char fingerprint[DIGEST_BYTES])
{
	const struct ring *ring = caller == CALLER_SYSTEM ? &j->workers : &j->users;
	const struct key_set *keys = ring->trust != NULL ? trust_keys(ring->trust) : NULL;

	for (size_t i = 0; keys != NULL && i < key_set_count(keys); i++)
		if (memcmp(key_fingerprint(key_set_at(keys, i)), fingerprint, DIGEST_BYTES) == 0)
			return true;
	return false;
}
