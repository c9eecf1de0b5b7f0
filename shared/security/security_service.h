/*
 * The security service: everything shared that turns a credential into a verdict. Built once from
 * plain settings (shared/ sees no configuration), immutable, counted; security_live.h replaces it
 * while requests run.
 */
#ifndef SHARED_SECURITY_SECURITY_SERVICE_H
#define SHARED_SECURITY_SECURITY_SERVICE_H

#include "shared/security/api_key_registry.h"
#include "shared/security/revocations.h"
#include "shared/security/trust.h"

struct security_settings {
	bool enabled;
	struct token_settings users;
	struct token_settings workers; /* no key: internal rows answer 401 */
	bool has_workers;              /* there are such rows: no key is worth a warning */
	const struct api_key_settings *api_keys;
	size_t api_key_count;
};

struct security_service;

/* ERR_FORMAT, ERR_CRYPTO or ERR_LIMIT name the setting or file at fault, never key text (JT23). */
MUST_CHECK bool security_service_new(const struct security_settings *settings,
        OWNED struct security_service **out, struct security_report *report, struct err *e);
/*
 * The same service, but users' tokens are signed with these keys, which it then owns; NULL: they
 * are awaited. ERR_CONFLICT: a worker's key is among them. On failure keys stays the caller's.
 */
MUST_CHECK bool security_service_with_user_keys(const struct security_service *s,
        struct key_set *keys, OWNED struct security_service **out, struct err *e);
/* The same service with these revocations (NULL: none), to which it then holds a reference of its
 * own.
 */
MUST_CHECK bool security_service_with_revocations(const struct security_service *s,
        struct revocations *revocations, OWNED struct security_service **out, struct err *e);
/* Counted, from any thread: who calls _ref() calls _free() once more. NULL is fine. */
struct security_service *security_service_ref(struct security_service *s);
void security_service_free(struct security_service *s);

/* A random number of its security_service_new(), the same in all that was derived from that: equal
 * numbers, equal rules. */
uint64_t security_service_rules(const struct security_service *s);

bool security_service_enabled(const struct security_service *s);
/* Whom bearer tokens are believed from; NULL where no key is configured. */
BORROWED const struct trust *security_service_users(const struct security_service *s);
BORROWED const struct trust *security_service_workers(const struct security_service *s);
BORROWED const struct api_key_registry *security_service_api_keys(const struct security_service *s);
/* NULL where nothing is revoked. */
BORROWED struct revocations *security_service_revocations(const struct security_service *s);

AUTO_DEFINE(security_service, struct security_service, security_service_free)

#endif
