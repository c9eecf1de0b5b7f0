/* The rows of permission.def, and the one wildcard they have: `resource:*`. */
#include "shared/security/permission.h"

#include <assert.h>
#include <string.h>

static const struct row {
	const char *spelled, *meaning;
} rows[] = {
#define PERMISSION(resource, action, spelling, what) {.spelled = (spelling), .meaning = (what)},
#include "shared/security/permission.def"
#undef PERMISSION
};

static_assert(PERMISSION__COUNT <= 64, "a permission_set is 64 bits wide");

static uint64_t
bit(enum permission p)
{
	return UINT64_C(1) << (unsigned)p;
}

/* Does spelled (len bytes) grant row p: exactly, or as the wildcard of its resource? */
static bool
covers(const char *spelled, size_t len, enum permission p)
{
	size_t resource_len = 0;
	const char *resource = permission_resource(p, &resource_len);

	if (len == strlen(rows[p].spelled) && memcmp(spelled, rows[p].spelled, len) == 0)
		return true;
	return len == resource_len + 2 && memcmp(spelled, resource, resource_len) == 0 &&
	       spelled[len - 2] == ':' && spelled[len - 1] == '*';
}

bool
permission_set_add(struct permission_set *set, const char *spelled, size_t len, struct err *e)
{
	uint64_t granted = 0;

	for (unsigned p = 0; p < PERMISSION__COUNT; p++)
		if (covers(spelled, len, (enum permission)p))
			granted |= bit((enum permission)p);
	if (granted == 0)
		return err_set(e, ERR_MISSING, "no permission is spelled that way");
	set->bits |= granted;
	return true;
}

bool
permission_set_has(const struct permission_set *set, enum permission wanted)
{
	return (unsigned)wanted < PERMISSION__COUNT && (set->bits & bit(wanted)) != 0;
}

struct permission_set
permission_set_all(void)
{
	struct permission_set all = {0};

	for (unsigned p = 0; p < PERMISSION__COUNT; p++)
		all.bits |= bit((enum permission)p);
	return all;
}

const char *
permission_spelled(enum permission p)
{
	return rows[p].spelled;
}

const char *
permission_resource(enum permission p, size_t *len)
{
	*len = (size_t)(strchr(rows[p].spelled, ':') - rows[p].spelled);
	return rows[p].spelled;
}

const char *
permission_meaning(enum permission p)
{
	return rows[p].meaning;
}
