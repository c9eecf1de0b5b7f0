/*
 * In the order in which they are asked; the first no decides.
 *
 *   iss      the configured issuer, exactly
 *   aud      a string, or an array of strings, with the configured audience in it
 *   exp      required; refused from the second exp + leeway on
 *   nbf      refused before nbf - leeway
 *   iat      optional; not in the future beyond the leeway
 *   lifetime exp - iat, or what is left of it without iat, within the maximum
 *   sub      users: any text but our own prefixes; workers: "wrk:" and an id
 *   jti, tenant, permissions (users), worker_namespaces (workers)
 *
 * Times are finite JSON numbers in 0..2^53; exp and iat count from their floor, nbf from its
 * ceiling, so a fraction never lengthens a life.
 *
 * All texts go to one buffer, which must not move while pointers into it are kept. Unescaping never
 * lengthens, the two quotes of each string leave room for its NUL, and a claim is kept at most
 * twice (the tenant's may be any other); so twice the payload is reserved first, and is the ceiling
 * too.
 */
#include "shared/security/claims.h"

#include <math.h>
#include <string.h>

const struct json_limits claims_limits = {
        .bytes = KIB(8), .nodes = 2048, .depth = CLAIM_DEPTH_MAX, .members = 1024};

static const double time_max = 9007199254740992.0; /* 2^53 */

static const char jwt_owner[] = "jwt:";
static const char worker_prefix[] = "wrk:";
static const char *const reserved_prefixes[] = {"svc:", worker_prefix, "sys:", "key:"};

struct reading {
	const struct json *doc;
	const struct json_node *root;
	const struct claim_rules *rules;
	int64_t now_s;
	struct claims *out;
};

static const struct json_node *
claim(const struct reading *r, const char *name)
{
	return json_member(r->doc, r->root, name);
}

/* The member of object that is named by the len bytes at name. */
static const struct json_node *
step_into(const struct json *doc, const struct json_node *object, const char *name, size_t len)
{
	char step[CLAIM_NAME_MAX + 1];

	if (len == 0 || len > CLAIM_NAME_MAX)
		return NULL;
	memcpy(step, name, len);
	step[len] = '\0';
	return json_member(doc, object, step);
}

bool
claims_find(const struct json *payload, const char *name, BORROWED const struct json_node **out)
{
	const struct json_node *at = json_member(payload, json_root(payload), name);
	bool more = at == NULL && strchr(name, '.') != NULL;

	if (more)
		at = json_root(payload);
	while (more && at != NULL) {
		size_t len = strcspn(name, ".");

		if (json_kind(at) != JSON_OBJECT)
			return false;
		at = step_into(payload, at, name, len);
		more = name[len] == '.';
		name += len + (more ? 1 : 0);
	}
	*out = at;
	return true;
}

/* ---- texts ---- */

/* Without C0 and C1 controls and DEL; the text is valid UTF-8, so C1 is C2 80..9F. */
static bool
is_plain(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c != '\0'; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f))
			return false;
	return true;
}

/* Appends a string of 1 to max plain bytes and its NUL; *text points to it. */
static bool
take_text(struct reading *r, const struct json_node *value, size_t max, const char **text)
{
	struct buf *b = &r->out->text;
	size_t start = b->len;

	if (!json_string(r->doc, value, b))
		return false;
	buf_char(b, '\0');
	if (!buf_ok(b) || b->len - start < 2 || b->len - start > max + 1 ||
	        !is_plain(b->data + start))
		return false;
	*text = b->data + start;
	return true;
}

/* ---- times ---- */

static bool
read_time(const struct reading *r, const char *name, double (*whole)(double), int64_t *out)
{
	double seconds = 0;

	if (!json_double(r->doc, claim(r, name), &seconds) || seconds < 0 || seconds > time_max)
		return false;
	*out = (int64_t)whole(seconds);
	return true;
}

/* Absent leaves *out alone; present and no time is false. */
static bool
read_optional_time(const struct reading *r, const char *name, double (*whole)(double), int64_t *out)
{
	return claim(r, name) == NULL || read_time(r, name, whole, out);
}

static enum verdict
check_times(struct reading *r)
{
	int64_t leeway = r->rules->leeway_s, expires = 0, not_before = 0, issued = -1;

	if (!read_time(r, "exp", floor, &expires) ||
	        !read_optional_time(r, "nbf", ceil, &not_before) ||
	        !read_optional_time(r, "iat", floor, &issued))
		return VERDICT_DENY_CLAIMS;
	if (r->now_s >= expires + leeway)
		return VERDICT_DENY_EXPIRED;
	if (r->now_s < not_before - leeway || r->now_s < issued - leeway)
		return VERDICT_DENY_NOT_YET;
	/* Without iat the rest of its life counts: leaving iat out must not buy a longer one. */
	if (expires - (issued >= 0 ? issued : r->now_s) > r->rules->max_lifetime_s ||
	        (issued >= 0 && expires <= issued))
		return VERDICT_DENY_LIFETIME;
	r->out->fields.expires_at_s = expires;
	r->out->fields.issued_at_s = issued > 0 ? issued : 0;
	r->out->valid_from_s = (not_before > issued ? not_before : issued) - leeway;
	r->out->valid_until_s = expires + leeway;
	return VERDICT_GRANT;
}

/* ---- from whom, for whom, about whom ---- */

static bool
names_audience(const struct json *doc, const struct json_node *aud, const char *audience)
{
	bool named = false;

	if (json_string_is(doc, aud, audience))
		return true;
	if (aud == NULL || json_kind(aud) != JSON_ARRAY || json_count(aud) > CLAIM_AUDIENCES_MAX)
		return false;
	for (const struct json_node *one = json_first(doc, aud); one != NULL;
	        one = json_next(doc, one)) {
		if (json_kind(one) != JSON_STRING)
			return false;
		named = named || json_string_is(doc, one, audience);
	}
	return named;
}

bool
claims_name_audience(const struct json *payload, const char *audience)
{
	return names_audience(payload, json_member(payload, json_root(payload), "aud"), audience);
}

static bool
is_worker_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789._-";
	size_t len = strlen(id);

	return len > 0 && len <= CLAIM_WORKER_MAX && id[strspn(id, allowed)] == '\0';
}

static bool
may_be_subject(enum caller_class caller, const char *subject)
{
	if (caller == CALLER_SYSTEM)
		return strncmp(subject, worker_prefix, strlen(worker_prefix)) == 0 &&
		       is_worker_id(subject + strlen(worker_prefix));
	for (size_t i = 0; i < COUNT(reserved_prefixes); i++)
		if (strncmp(subject, reserved_prefixes[i], strlen(reserved_prefixes[i])) == 0)
			return false;
	return true;
}

static enum verdict
check_subject(struct reading *r)
{
	struct security_context *fields = &r->out->fields;
	struct buf *b = &r->out->text;
	size_t owner = b->len;

	/* The owner's text is the subject's with a prefix; a worker's subject has its own. */
	if (r->rules->caller == CALLER_USER) {
		buf_text(b, jwt_owner);
		buf_text(b, r->rules->issuer);
		buf_char(b, ':');
	}
	if (!take_text(r, claim(r, "sub"), CLAIM_TEXT_MAX, &fields->subject) ||
	        !may_be_subject(r->rules->caller, fields->subject))
		return VERDICT_DENY_SUBJECT;
	fields->owner = b->data + owner;
	return VERDICT_GRANT;
}

/* ---- what else it says ---- */

static enum verdict
check_names(struct reading *r)
{
	struct security_context *fields = &r->out->fields;

	if (claim(r, "jti") != NULL &&
	        !take_text(r, claim(r, "jti"), CLAIM_TEXT_MAX, &fields->token_id))
		return VERDICT_DENY_CLAIMS;
	/* Where tenants are told apart, a token that names none belongs nowhere. */
	if (r->rules->caller == CALLER_USER && r->rules->tenant_claim != NULL &&
	        !take_text(r, claim(r, r->rules->tenant_claim), CLAIM_TEXT_MAX, &fields->tenant))
		return VERDICT_DENY_CLAIMS;
	return VERDICT_GRANT;
}

static void
note_unknown(struct claims *out, const char *spelled, size_t len)
{
	if (out->unknown_permission[0] != '\0')
		return;
	for (size_t i = 0; i < len; i++)
		out->unknown_permission[i] =
		        spelled[i] > ' ' && spelled[i] <= '~' ? spelled[i] : '?';
	out->unknown_permission[len] = '\0';
}

static enum verdict
add_permission(struct reading *r, const char *spelled, size_t len)
{
	struct err unknown = {0};

	bool star = len == 1 && spelled[0] == '*';

	if (len > CLAIM_PERMISSION_LEN)
		return VERDICT_DENY_CLAIMS;
	if (permission_map_add(r->rules->permission_map, spelled, len, &r->out->fields.permissions))
		return VERDICT_GRANT;
	if (permission_set_add(&r->out->fields.permissions, spelled, len, &unknown))
		return VERDICT_GRANT;
	note_unknown(r->out, spelled, len);
	if (r->rules->strict_permissions && (r->rules->permission_map == NULL || star))
		return VERDICT_DENY_PERMISSIONS;
	r->out->permissions_ignored++;
	return VERDICT_GRANT;
}

/* An OAuth scope: words with spaces between them (RFC 6749 3.3). */
static enum verdict
add_words(struct reading *r, const char *text, size_t len)
{
	const char *end = text + len;
	size_t count = 0;
	enum verdict v = VERDICT_GRANT;

	while (v == VERDICT_GRANT && text < end) {
		const char *space = memchr(text, ' ', (size_t)(end - text));
		const char *stop = space != NULL ? space : end;

		if (stop > text && ++count > CLAIM_PERMISSIONS_MAX)
			return VERDICT_DENY_CLAIMS;
		if (stop > text)
			v = add_permission(r, text, (size_t)(stop - text));
		text = stop + 1;
	}
	return v;
}

static enum verdict
add_list(struct reading *r, const struct json_node *list)
{
	struct buf *b = &r->out->text;
	size_t start = b->len;
	enum verdict v = VERDICT_GRANT;

	if (json_count(list) > CLAIM_PERMISSIONS_MAX)
		return VERDICT_DENY_CLAIMS;
	for (const struct json_node *one = json_first(r->doc, list);
	        v == VERDICT_GRANT && one != NULL; one = json_next(r->doc, one)) {
		if (!json_string(r->doc, one, b) || !buf_ok(b))
			return VERDICT_DENY_CLAIMS;
		v = add_permission(r, b->data + start, b->len - start);
		b->len = start;
	}
	return v;
}

static enum verdict
check_permissions(struct reading *r)
{
	const struct json_node *value = NULL;
	struct buf *b = &r->out->text;
	size_t start = b->len;
	enum verdict v;

	if (!claims_find(r->doc, r->rules->permissions_claim, &value))
		return VERDICT_DENY_CLAIMS;
	if (value == NULL)
		return VERDICT_GRANT;
	if (json_kind(value) == JSON_ARRAY)
		return add_list(r, value);
	if (!json_string(r->doc, value, b) || !buf_ok(b))
		return VERDICT_DENY_CLAIMS;
	v = add_words(r, b->data + start, b->len - start);
	b->len = start;
	return v;
}

/* Absent is empty, and empty reaches no namespace. */
static enum verdict
check_namespaces(struct reading *r)
{
	const struct json_node *list = claim(r, "worker_namespaces");
	size_t n = 0;

	r->out->fields.namespaces = r->out->namespaces;
	r->out->namespaces[0] = NULL;
	if (list == NULL)
		return VERDICT_GRANT;
	if (json_kind(list) != JSON_ARRAY || json_count(list) > CLAIM_NAMESPACES_MAX)
		return VERDICT_DENY_CLAIMS;
	for (const struct json_node *one = json_first(r->doc, list); one != NULL;
	        one = json_next(r->doc, one))
		if (!take_text(r, one, CLAIM_NAMESPACE_LEN, &r->out->namespaces[n++]))
			return VERDICT_DENY_CLAIMS;
	r->out->namespaces[n] = NULL;
	return VERDICT_GRANT;
}

static enum verdict
check_rights(struct reading *r)
{
	return r->rules->caller == CALLER_SYSTEM ? check_namespaces(r) : check_permissions(r);
}

static enum verdict
check_parties(struct reading *r)
{
	if (!json_string_is(r->doc, claim(r, "iss"), r->rules->issuer))
		return VERDICT_DENY_ISSUER;
	if (!names_audience(r->doc, claim(r, "aud"), r->rules->audience))
		return VERDICT_DENY_AUDIENCE;
	return VERDICT_GRANT;
}

static bool
prepare(struct reading *r)
{
	struct claims *out = r->out;
	size_t len = 0, reserve;
	bool user = r->rules->caller == CALLER_USER;

	(void)json_raw(r->doc, r->root, &len);
	reserve = 2 * len + strlen(jwt_owner) + strlen(r->rules->issuer) + 2;
	buf_clear(&out->text);
	out->text.max = reserve;
	out->fields = (struct security_context){
	        .caller = r->rules->caller,
	        .method = user ? AUTH_METHOD_JWT : AUTH_METHOD_SYSTEM,
	        .tenant = "",
	        .issuer = r->rules->issuer,
	};
	out->permissions_ignored = 0;
	out->unknown_permission[0] = '\0';
	return buf_room(&out->text, reserve) != NULL;
}

enum verdict
claims_check(const struct json *payload, const struct claim_rules *rules, int64_t now_s,
        struct claims *out)
{
	static enum verdict (*const checks[])(struct reading *) = {
	        check_parties, check_times, check_subject, check_names, check_rights};
	struct reading r = {.doc = payload,
	        .root = json_root(payload),
	        .rules = rules,
	        .now_s = now_s,
	        .out = out};
	enum verdict v = VERDICT_GRANT;

	if (json_kind(r.root) != JSON_OBJECT)
		return VERDICT_DENY_MALFORMED;
	if (!prepare(&r))
		return VERDICT_DENY_UNAVAILABLE;
	for (size_t i = 0; v == VERDICT_GRANT && i < COUNT(checks); i++)
		v = checks[i](&r);
	return v;
}

void
claims_clear(struct claims *c)
{
	buf_free(&c->text);
	c->fields = (struct security_context){0};
}
