/* sees: security */
/* Z6: a spelling grants p exactly if it is p's own or its resource's wildcard. */
#include <string.h>

#include "shared/security/permission.h"
#include "tests/fuzz/fuzz.h"

static bool
is(const uint8_t *data, size_t size, const char *text)
{
	return strlen(text) == size && memcmp(text, data, size) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *own, *wildcard;
	} model[] = {
#define PERMISSION(resource, action, spelled, what) {spelled, #resource ":*"},
#include "shared/security/permission.def"
#undef PERMISSION
	};
	struct permission_set set = {0};
	struct err e = {0};
	char lower[64];
	bool any = false;

	bool known = permission_set_add(&set, (const char *)data, size, &e);

	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		for (size_t i = 0; i <= strlen(model[p].wildcard); i++)
			lower[i] = (char)(model[p].wildcard[i] |
			                  (model[p].wildcard[i] >= 'A' ? 32 : 0));
		bool granted = is(data, size, model[p].own) || is(data, size, lower);

		CLAIM(permission_set_has(&set, (enum permission)p) == granted);
		any = any || granted;
	}
	CLAIM(known == any);
	return 0;
}
