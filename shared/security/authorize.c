/*
 * The decision, and the proof of it.
 *
 * One function decides; it starts from DENY_UNDECIDED and every way to GRANT is spelled out. The
 * table of what may pass:
 *
 *   wanted            nobody    user               system      session     auth off
 *   OPEN              yes       yes                yes         yes         yes
 *   SIGNED_IN         401       yes                403 class   403 class   yes
 *   NEEDS(p)          401       p in set, or 403   403 class   403 class   yes
 *   INTERNAL(SYSTEM)  401       403 class          yes         403 class   yes
 *   INTERNAL(SESSION) 401       403 class          403 class   yes         403 class
 *
 * A grant is the slot itself, sealed: it names the slot it lives in, so a copy is no grant.
 */
#include "shared/security/authorize.h"

struct grant {
	struct grant_slot slot; /* who, the slot's own address, the seal */
};

static const char seal;

static const struct verdict_row {
	int status;
	const char *code, *reason, *text;
} rows[] = {
#define VERDICT(name, number, word, why, said)                                                     \
	[VERDICT_##name] = {.status = (number), .code = (word), .reason = (why), .text = (said)},
#include "shared/security/verdict.def"
#undef VERDICT
};

static bool
auth_is_off(const struct security_context *who)
{
	return who->method == AUTH_METHOD_DISABLED;
}

static enum verdict
decide_user(const struct security_context *who, const struct access *wanted)
{
	if (auth_is_off(who))
		return VERDICT_GRANT;
	if (who->caller != CALLER_USER)
		return VERDICT_DENY_CLASS;
	if (wanted->kind == ACCESS_SIGNED_IN)
		return VERDICT_GRANT;
	if ((unsigned)wanted->permission >= PERMISSION__COUNT)
		return VERDICT_DENY_UNDECIDED;
	return permission_set_has(&who->permissions, wanted->permission) ? VERDICT_GRANT
	                                                                 : VERDICT_DENY_FORBIDDEN;
}

static enum verdict
decide_internal(const struct security_context *who, enum caller_class wanted)
{
	if (wanted != CALLER_SYSTEM && wanted != CALLER_SESSION)
		return VERDICT_DENY_UNDECIDED;
	if (auth_is_off(who) && wanted == CALLER_SYSTEM)
		return VERDICT_GRANT;
	return who->caller == wanted && !auth_is_off(who) ? VERDICT_GRANT : VERDICT_DENY_CLASS;
}

static enum verdict
decide(const struct security_context *who, const struct access *wanted)
{
	if (wanted->kind == ACCESS_OPEN)
		return VERDICT_GRANT;
	if (wanted->kind == ACCESS_UNSET)
		return VERDICT_DENY_UNDECIDED;
	if (who == NULL || who->caller == CALLER_NOBODY)
		return VERDICT_DENY_MISSING;
	if (wanted->kind == ACCESS_SIGNED_IN || wanted->kind == ACCESS_NEEDS)
		return decide_user(who, wanted);
	if (wanted->kind == ACCESS_INTERNAL)
		return decide_internal(who, wanted->caller);
	return VERDICT_DENY_UNDECIDED;
}

enum verdict
authorize(const struct security_context *who, struct access wanted, struct grant_slot *slot,
        BORROWED const struct grant **out)
{
	enum verdict v = decide(who, &wanted);

	*slot = (struct grant_slot){0};
	if (v != VERDICT_GRANT)
		return v;
	slot->opaque[0] = who;
	slot->opaque[1] = slot;
	slot->opaque[2] = &seal;
	*out = (const struct grant *)slot;
	return v;
}

bool
grant_holds(const struct grant *grant, const struct grant_slot *slot)
{
	return grant != NULL && &grant->slot == slot && slot->opaque[1] == slot &&
	       slot->opaque[2] == &seal;
}

const struct security_context *
grant_context(const struct grant *grant)
{
	return grant->slot.opaque[0];
}

/* Row 0 is DENY_UNDECIDED: what nobody listed is our own mistake, and a 500. */
static const struct verdict_row *
row(enum verdict v)
{
	return &rows[(unsigned)v < VERDICT__COUNT ? v : VERDICT_DENY_UNDECIDED];
}

int
verdict_status(enum verdict v)
{
	return row(v)->status;
}

const char *
verdict_code(enum verdict v)
{
	return row(v)->code;
}

const char *
verdict_reason(enum verdict v)
{
	return row(v)->reason;
}

const char *
verdict_text(enum verdict v)
{
	return row(v)->text;
}
