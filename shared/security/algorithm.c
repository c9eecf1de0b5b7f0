#include "shared/security/algorithm.h"

#include <assert.h>
#include <string.h>

static const struct row {
	const char *name, *digest;
	enum key_type type;
	enum padding padding;
} rows[] = {
        [ALGORITHM_NONE] = {.name = "none"},
#define ALGORITHM(id, spelled, key, hash, pad)                                                     \
	[ALGORITHM_##id] = {.name = (spelled), .digest = (hash), .type = (key), .padding = (pad)},
#include "shared/security/algorithm.def"
#undef ALGORITHM
};

static_assert(ALGORITHM__COUNT <= 32, "an algorithm_set is 32 bits wide");

enum algorithm
algorithm_named(const char *name, size_t len)
{
	for (unsigned a = ALGORITHM_NONE + 1; a < ALGORITHM__COUNT; a++)
		if (strlen(rows[a].name) == len && memcmp(rows[a].name, name, len) == 0)
			return (enum algorithm)a;
	return ALGORITHM_NONE;
}

const char *
algorithm_name(enum algorithm a)
{
	return rows[a].name;
}

enum key_type
algorithm_key_type(enum algorithm a)
{
	return rows[a].type;
}

const char *
algorithm_digest(enum algorithm a)
{
	return rows[a].digest;
}

enum padding
algorithm_padding(enum algorithm a)
{
	return rows[a].padding;
}

static uint32_t
bit(enum algorithm a)
{
	return a == ALGORITHM_NONE ? 0 : UINT32_C(1) << (unsigned)a;
}

bool
algorithm_set_add(struct algorithm_set *set, const char *name, struct err *e)
{
	enum algorithm a = algorithm_named(name, strlen(name));

	if (a == ALGORITHM_NONE)
		return err_set(e, ERR_FORMAT, "\"%.32s\" is no signature algorithm of ours", name);
	set->bits |= bit(a);
	return true;
}

bool
algorithm_set_has(struct algorithm_set set, enum algorithm a)
{
	return (set.bits & bit(a)) != 0;
}

struct algorithm_set
algorithm_set_all(void)
{
	struct algorithm_set all = {0};

	for (unsigned a = ALGORITHM_NONE + 1; a < ALGORITHM__COUNT; a++)
		all.bits |= bit((enum algorithm)a);
	return all;
}

bool
algorithm_bind(struct algorithm_set allowed, enum key_type type, enum algorithm declared,
        enum algorithm *out, struct err *e)
{
	enum algorithm only = ALGORITHM_NONE;
	unsigned fitting = 0;

	for (unsigned i = ALGORITHM_NONE + 1; i < ALGORITHM__COUNT; i++) {
		enum algorithm a = (enum algorithm)i;
		bool fits = rows[a].type == type && algorithm_set_has(allowed, a);

		if (!fits || (declared != ALGORITHM_NONE && a != declared))
			continue;
		only = a;
		fitting++;
	}
	if (fitting == 0)
		return err_set(e, ERR_CRYPTO, "no allowed algorithm fits the key");
	if (fitting > 1)
		return err_set(e, ERR_CRYPTO,
		        "%u allowed algorithms fit the key; allow only one of them, or name the "
		        "key's own",
		        fitting);
	*out = only;
	return true;
}
