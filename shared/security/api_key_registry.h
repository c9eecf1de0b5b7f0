/*
 * The API keys of one configuration. Immutable; replaced whole on reload (AK8).
 *
 * Only SHA-256 digests are kept: a clear-text key in the settings is hashed while loading and never
 * copied (AK1). A search compares all digests in full whatever it finds, so that its time tells
 * nothing about which key was nearly right (AK2).
 */
#ifndef SHARED_SECURITY_API_KEY_REGISTRY_H
#define SHARED_SECURITY_API_KEY_REGISTRY_H

#include <stdint.h>

#include "shared/security/digest.h"
#include "shared/security/permission.h"
#include "shared/security/security_report.h"

enum {
	API_KEY_MIN = 20, /* characters; and 128 bits of entropy (AK3) */
	API_KEY_MAX = 256,
	API_KEY_ID_MAX = 64,
	API_KEYS_MAX = 1000,
	API_KEY_PERMISSIONS_MAX = 256
};

/* One configured key, as the settings spell it. */
struct api_key_settings {
	const char *key;                       /* clear text, or NULL when key_sha256 is given */
	const char *key_sha256;                /* 64 hex digits, "sha256:" allowed in front */
	const char *id, *description, *tenant; /* without id: the digest's first eight digits */
	const char *const *permissions;
	size_t permission_count;
	int64_t not_after_s; /* 0: never ends */
	bool disabled;
};

/* What a registry knows of one key. */
struct api_key {
	const char *id, *description, *tenant; /* "" where the settings say nothing */
	struct permission_set permissions;
	int64_t not_after_s; /* 0: never ends */
	bool disabled;
	unsigned char digest[DIGEST_BYTES];
};

struct api_key_registry;

/*
 * strict: an unknown permission is an error, else a warning; a bare "*" is always an error (AK9).
 * ERR_FORMAT, ERR_LIMIT or ERR_CONFLICT name the entry by number and id, never by its key.
 */
MUST_CHECK bool api_key_registry_new(const struct api_key_settings *settings, size_t count,
        bool strict, OWNED struct api_key_registry **out, struct security_report *report,
        struct err *e);
/* Counted, from any thread: who calls _ref() calls _free() once more. NULL is fine. */
struct api_key_registry *api_key_registry_ref(struct api_key_registry *r);
void api_key_registry_free(struct api_key_registry *r);

/* Its keys, 0 to count - 1, in the order of the settings. */
size_t api_key_registry_count(const struct api_key_registry *r);
BORROWED const struct api_key *api_key_registry_at(const struct api_key_registry *r, size_t i);

/* Not a number of a key: text is none of them; or it could not be hashed, so nobody knows. */
enum { API_KEY_NONE = -1, API_KEY_UNKNOWN = -2 };

/*
 * The number of the key spelled by text that may be used at now_s, or one of the above. hasher is
 * the caller's machine. An empty, short, oversized or unprintable text matches nothing (AK5), nor
 * does a disabled key or one at or past its not_after (AK4).
 */
ptrdiff_t api_key_registry_find(const struct api_key_registry *r, struct digest *hasher,
        const char *text, size_t len, int64_t now_s);

AUTO_DEFINE(api_key_registry, struct api_key_registry, api_key_registry_free)

#endif
