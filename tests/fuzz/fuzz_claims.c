/* sees: security */
/*
 * Z5: the claims check against a slow model that reads the same payload with cJSON, and against
 * itself at other times. The first four bytes choose the rules and the moment.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "shared/security/claims.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1800000000, CHOICES = 4 };

static const cJSON *
get(const cJSON *doc, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(doc, name);
}

/* The member of that name, else the end of the path; *broken where it leads through no object. */
static const cJSON *
find(const cJSON *doc, const char *path, bool *broken)
{
	const cJSON *at = get(doc, path);

	*broken = false;
	if (at != NULL || strchr(path, '.') == NULL)
		return at;
	for (at = doc; at != NULL && *path != '\0';) {
		char step[64] = {0};
		size_t len = strcspn(path, ".");

		*broken = !cJSON_IsObject(at);
		if (*broken)
			return NULL;
		memcpy(step, path, len);
		at = get(at, step);
		path += len + (path[len] == '.');
	}
	return at;
}

static bool
is_text(const cJSON *value, const char *text)
{
	return cJSON_IsString(value) && strcmp(value->valuestring, text) == 0;
}

/* 1 to max bytes without control characters. */
static bool
is_name(const cJSON *value, size_t max)
{
	const char *s = cJSON_IsString(value) ? value->valuestring : "";

	for (size_t i = 0; s[i] != '\0'; i++) {
		unsigned char c = (unsigned char)s[i], next = (unsigned char)s[i + 1];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return false;
	}
	return s[0] != '\0' && strlen(s) <= max;
}

static bool
is_time(const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= 0x1p53;
}

static bool
times_hold(const cJSON *doc, const struct claim_rules *rules, double now)
{
	const cJSON *exp = get(doc, "exp"), *nbf = get(doc, "nbf"), *iat = get(doc, "iat");
	double leeway = (double)rules->leeway_s, life = (double)rules->max_lifetime_s;

	if (!is_time(exp) || (nbf != NULL && !is_time(nbf)) || (iat != NULL && !is_time(iat)))
		return false;
	if (now >= floor(exp->valuedouble) + leeway)
		return false;
	if (nbf != NULL && now < nbf->valuedouble - leeway)
		return false;
	if (iat == NULL)
		return floor(exp->valuedouble) - now <= life;
	return now >= floor(iat->valuedouble) - leeway &&
	       floor(exp->valuedouble) > floor(iat->valuedouble) &&
	       floor(exp->valuedouble) - floor(iat->valuedouble) <= life;
}

static bool
audience_holds(const cJSON *aud, const char *wanted)
{
	const cJSON *one;
	bool all = true, any = false;

	if (!cJSON_IsArray(aud))
		return is_text(aud, wanted);
	cJSON_ArrayForEach(one, aud)
	{
		all = all && cJSON_IsString(one);
		any = any || is_text(one, wanted);
	}
	return all && any && cJSON_GetArraySize(aud) <= 64;
}

static bool
subject_holds(const cJSON *sub, enum caller_class caller)
{
	static const char *const reserved[] = {"svc:", "wrk:", "sys:", "key:"};

	if (!is_name(sub, 256))
		return false;
	if (caller == CALLER_SYSTEM)
		return strncmp(sub->valuestring, "wrk:", 4) == 0 && strlen(sub->valuestring) > 4 &&
		       strlen(sub->valuestring) <= 132 &&
		       strspn(sub->valuestring + 4,
		               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
		               "UVWXYZ0123456789._-") == strlen(sub->valuestring) - 4;
	for (size_t i = 0; i < COUNT(reserved); i++)
		if (strncmp(sub->valuestring, reserved[i], 4) == 0)
			return false;
	return true;
}

/* Adds one spelling to *bits; false if the rules do not suffer it. */
static bool
add(const char *text, size_t len, const struct claim_rules *rules, uint64_t *bits)
{
	struct permission_set set = {.bits = *bits};
	struct err e = {0};
	bool mapped = rules->permission_map != NULL && len == 3 && memcmp(text, "ops", 3) == 0;
	bool known = len <= 64 &&
	             permission_set_add(&set, mapped ? "tasks:*" : text, mapped ? 7 : len, &e);
	bool star = len == 1 && text[0] == '*';

	*bits = set.bits;
	return known || (len <= 64 && (!rules->strict_permissions ||
	                                      (rules->permission_map != NULL && !star)));
}

static bool
permissions_hold(const cJSON *claim, const struct claim_rules *rules, uint64_t *bits)
{
	const cJSON *one;
	bool ok = true;
	int count = 0;

	if (claim == NULL)
		return true;
	if (cJSON_IsString(claim)) {
		for (const char *s = claim->valuestring; *s != '\0'; s += *s == ' ') {
			size_t len = strcspn(s, " ");

			ok = ok && (len == 0 || (++count <= 256 && add(s, len, rules, bits)));
			s += len;
		}
		return ok;
	}
	cJSON_ArrayForEach(one, claim) ok =
	        ok && cJSON_IsString(one) &&
	        add(one->valuestring, strlen(one->valuestring), rules, bits);
	return ok && cJSON_IsArray(claim) && cJSON_GetArraySize(claim) <= 256;
}

static bool
namespaces_hold(const cJSON *claim)
{
	const cJSON *one;
	bool ok = claim == NULL || (cJSON_IsArray(claim) && cJSON_GetArraySize(claim) <= 64);

	if (ok && claim != NULL)
		cJSON_ArrayForEach(one, claim) ok = ok && is_name(one, 128);
	return ok;
}

static bool
model(const cJSON *doc, const struct claim_rules *rules, int64_t now, uint64_t *bits)
{
	bool user = rules->caller == CALLER_USER, broken = false;
	const cJSON *rights = user ? find(doc, rules->permissions_claim, &broken) : NULL;

	return !broken && cJSON_IsObject(doc) && is_text(get(doc, "iss"), rules->issuer) &&
	       audience_holds(get(doc, "aud"), rules->audience) &&
	       times_hold(doc, rules, (double)now) &&
	       subject_holds(get(doc, "sub"), rules->caller) &&
	       (get(doc, "jti") == NULL || is_name(get(doc, "jti"), 256)) &&
	       (!user || rules->tenant_claim == NULL ||
	               is_name(get(doc, rules->tenant_claim), 256)) &&
	       (user ? permissions_hold(rights, rules, bits)
	             : namespaces_hold(get(doc, "worker_namespaces")));
}

/* "ops" is tasks:*; made once. */
static const struct permission_map *
map(void)
{
	static const struct permission_mapping row = {"ops", 3, "tasks:*"};
	static struct permission_map *made;
	struct err e = {0};

	if (made == NULL)
		CLAIM(permission_map_new(&row, 1, &made, &e));
	return made;
}

static struct claim_rules
rules_of(const uint8_t *choice)
{
	bool user = (choice[0] & 1) == 0;

	return (struct claim_rules){.caller = user ? CALLER_USER : CALLER_SYSTEM,
	        .issuer = "tasker-core",
	        .audience = user ? "tasker-api" : "tasker-internal",
	        .permissions_claim = (choice[0] & 64) != 0  ? "realm_access.roles"
	                             : (choice[0] & 2) == 0 ? "permissions"
	                                                    : "scope",
	        .permission_map = (choice[0] & 32) == 0 ? NULL : map(),
	        .tenant_claim = (choice[0] & 4) == 0   ? NULL
	                        : (choice[0] & 8) == 0 ? "tenant"
	                                               : "sub",
	        .leeway_s = choice[1] % 61,
	        .max_lifetime_s = 86400,
	        .strict_permissions = (choice[0] & 16) == 0};
}

/* Once over, always over: what has ended never becomes good again. */
static void
check_monotone(const struct json *doc, const struct claim_rules *rules, int64_t until)
{
	static struct claims later;

	for (int64_t ahead = 0; ahead < 100; ahead += 33)
		CLAIM(claims_check(doc, rules, until + ahead, &later) != VERDICT_GRANT);
	CLAIM(claims_check(doc, rules, until - 1, &later) == VERDICT_GRANT);
}

static void
check(const struct json *doc, const cJSON *slow, const uint8_t *choice)
{
	static struct claims claims;
	struct claim_rules rules = rules_of(choice);
	int64_t now = NOW + 40 * (int64_t)(int8_t)choice[2] + (int8_t)choice[3];
	uint64_t bits = 0;
	bool expected = model(slow, &rules, now, &bits);
	enum verdict v = claims_check(doc, &rules, now, &claims);

	CLAIM(v != VERDICT_DENY_UNDECIDED && v != VERDICT_DENY_UNAVAILABLE);
	CLAIM((v == VERDICT_GRANT) == expected);
	if (v != VERDICT_GRANT)
		return;
	CLAIM(claims.fields.permissions.bits == bits);
	CLAIM(strcmp(claims.fields.subject, get(slow, "sub")->valuestring) == 0);
	CLAIM(now >= claims.valid_from_s && now < claims.valid_until_s);
	check_monotone(doc, &rules, claims.valid_until_s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *doc = NULL;
	struct err e = {0};
	const char *text = (const char *)data + CHOICES;

	if (size < CHOICES || !json_parse(text, size - CHOICES, &claims_limits, &doc, &e))
		return 0;
	cJSON *slow = cJSON_ParseWithLengthOpts(text, size - CHOICES, NULL, 0);

	if (slow != NULL)
		check(doc, slow, data);
	cJSON_Delete(slow);
	json_free(doc);
	return 0;
}
