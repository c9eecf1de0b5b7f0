#include "orchestration/policy/scope.h"

#include <string.h>

static const struct {
	const char *name;
	enum scope_kind scope;
} policies[] = {
        [OWNERSHIP_TENANT] = {"tenant",    SCOPE_TENANT},
        [OWNERSHIP_OWNER] = {"owner",     SCOPE_OWNER },
        [OWNERSHIP_DENY_ALL] = {"deny_all",  SCOPE_NONE  },
        [OWNERSHIP_ALLOW_ALL] = {"allow_all", SCOPE_ANY   },
};

bool
ownership_parse(const char *text, enum ownership *out)
{
	for (size_t i = 0; i < COUNT(policies); i++) {
		if (strcmp(policies[i].name, text) == 0) {
			*out = (enum ownership)i;
			return true;
		}
	}
	return false;
}

const char *
ownership_name(enum ownership o)
{
	return (size_t)o < COUNT(policies) ? policies[o].name : "deny_all";
}

static bool
copy(const char *from, char *to, size_t room, const char *what, struct err *e)
{
	size_t len = from != NULL ? strlen(from) : 0;

	if (len >= room)
		return err_set(
		        e, ERR_LIMIT, "the caller's %s is longer than %zu bytes", what, room - 1);
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* any:read and any:write widen an owner's view to the tenant, never beyond it. */
static enum scope_kind
widened(enum scope_kind scope, const struct security_context *who, bool write)
{
	enum permission wide = write ? PERMISSION_ANY_WRITE : PERMISSION_ANY_READ;

	if (scope == SCOPE_OWNER && permission_set_has(&who->permissions, wide))
		return SCOPE_TENANT;
	return scope;
}

bool
scope_resolve(enum ownership policy, const struct security_context *who, bool write,
        struct principal *out, struct err *e)
{
	struct principal p = {.scope = SCOPE_NONE};

	if (!copy(who->owner, p.owner, sizeof(p.owner), "owner", e) ||
	        !copy(who->tenant, p.tenant, sizeof(p.tenant), "tenant", e))
		return false;
	if ((size_t)policy < COUNT(policies) && p.owner[0] != '\0')
		p.scope = widened(policies[policy].scope, who, write);
	*out = p;
	return true;
}
