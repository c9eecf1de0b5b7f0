#include "shared/security/api_key_registry.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENTROPY_MIN = 128000, /* thousandths of a bit */
	DISTINCT_MIN = 8,     /* different characters: "aaaa..." is long and no secret */
	ID_DIGITS = 8
};

struct entry {
	struct api_key shown;
	char *id, *description, *tenant; /* what shown points to */
};

struct api_key_registry {
	atomic_uint refs;
	size_t count;
	struct entry entries[];
};

/* Bits a random character carries in thousandths, by the smallest alphabet that has all of them. */
static const struct alphabet {
	const char *characters;
	unsigned bits;
} alphabets[] = {
        {"0123456789",                                                     3321},
        {"0123456789abcdef",                                               4000},
        {"0123456789ABCDEF",                                               4000},
        {"abcdefghijklmnopqrstuvwxyz",                                     4700},
        {"0123456789abcdefghijklmnopqrstuvwxyz",                           5169},
        {"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",                           5169},
        {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 5954},
};
enum { ANY_PRINTABLE_BITS = 6554 };

static bool
is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x21 || text[i] > 0x7e)
			return false;
	return true;
}

static unsigned
distinct(const char *text)
{
	bool seen[256] = {false};
	unsigned n = 0;

	for (; *text != '\0'; text++) {
		n += !seen[(unsigned char)*text];
		seen[(unsigned char)*text] = true;
	}
	return n;
}

/* The most a key of these characters can carry; a guess too kind to weak keys, never too harsh. */
static bool
has_entropy(const char *key)
{
	unsigned bits = ANY_PRINTABLE_BITS;

	for (size_t i = COUNT(alphabets); i-- > 0;)
		if (key[strspn(key, alphabets[i].characters)] == '\0')
			bits = alphabets[i].bits;
	return strlen(key) * bits >= ENTROPY_MIN && distinct(key) >= DISTINCT_MIN;
}

static bool
hash_clear_text(const char *key, unsigned char out[DIGEST_BYTES], struct err *e)
{
	size_t len = strlen(key);

	if (len < API_KEY_MIN || len > API_KEY_MAX || !is_printable(key, len))
		return err_set(e, ERR_LIMIT,
		        "key is not %d to %d printable characters without spaces", API_KEY_MIN,
		        API_KEY_MAX);
	if (!has_entropy(key))
		return err_set(e, ERR_LIMIT,
		        "key is guessable: it needs 128 random bits "
		        "(tasker-ctl auth generate-api-key makes one)");
	if (!digest_of(key, len, out))
		return err_set(e, ERR_CRYPTO, "OpenSSL could not hash the key");
	return true;
}

static bool
read_hash(const char *hash, unsigned char out[DIGEST_BYTES], struct err *e)
{
	static const char prefix[] = "sha256:";
	unsigned char empty[DIGEST_BYTES];

	if (strncmp(hash, prefix, strlen(prefix)) == 0)
		hash += strlen(prefix);
	if (!digest_from_hex(hash, strlen(hash), out))
		return err_set(e, ERR_FORMAT, "key_sha256 is not 64 hexadecimal digits");
	if (!digest_of("", 0, empty))
		return err_set(e, ERR_CRYPTO, "OpenSSL could not hash");
	if (CRYPTO_memcmp(empty, out, DIGEST_BYTES) == 0)
		return err_set(e, ERR_FORMAT, "key_sha256 is the hash of an empty key");
	return true;
}

static bool
read_digest(const struct api_key_settings *from, unsigned char out[DIGEST_BYTES],
        struct security_report *report, struct err *e)
{
	if ((from->key != NULL) == (from->key_sha256 != NULL))
		return err_set(e, ERR_FORMAT, "give key_sha256 or key, one of them");
	if (from->key_sha256 != NULL)
		return read_hash(from->key_sha256, out, e);
	if (!hash_clear_text(from->key, out, e))
		return false;
	security_report_add(report,
	        "API key %s is in clear text in the configuration; prefer "
	        "key_sha256",
	        from->id != NULL ? from->id : "without id");
	return true;
}

static bool
read_permissions(const struct api_key_settings *from, bool strict, struct permission_set *out,
        struct security_report *report, struct err *e)
{
	struct err unknown = {0};

	if (from->permission_count > API_KEY_PERMISSIONS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d permissions", API_KEY_PERMISSIONS_MAX);
	for (size_t i = 0; i < from->permission_count; i++) {
		const char *spelled = from->permissions[i];

		if (permission_set_add(out, spelled, strlen(spelled), &unknown))
			continue;
		if (strcmp(spelled, "*") == 0)
			return err_set(e, ERR_FORMAT,
			        "permission \"*\" grants nothing; list resources "
			        "such as \"tasks:*\" instead");
		if (strict)
			return err_set(e, ERR_FORMAT, "unknown permission \"%.64s\"", spelled);
		security_report_add(report, "API key %s: unknown permission \"%.64s\" is ignored",
		        from->id != NULL ? from->id : "without id", spelled);
	}
	return true;
}

static bool
is_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789._-";
	size_t len = strlen(id);

	return len > 0 && len <= API_KEY_ID_MAX && id[strspn(id, allowed)] == '\0';
}

static bool
copy_texts(struct entry *to, const struct api_key_settings *from, struct err *e)
{
	char hex[DIGEST_HEX];

	digest_hex(to->shown.digest, hex);
	if (from->id != NULL && !is_id(from->id))
		return err_set(
		        e, ERR_FORMAT, "id is not 1 to %d of A-Z a-z 0-9 . _ -", API_KEY_ID_MAX);
	to->id = from->id != NULL ? strdup(from->id) : strndup(hex, ID_DIGITS);
	to->description = strdup(from->description != NULL ? from->description : "");
	to->tenant = strdup(from->tenant != NULL ? from->tenant : "");
	if (to->id == NULL || to->description == NULL || to->tenant == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for an API key");
	to->shown.id = to->id;
	to->shown.description = to->description;
	to->shown.tenant = to->tenant;
	return true;
}

static bool
read_entry(struct entry *to, const struct api_key_settings *from, bool strict,
        struct security_report *report, struct err *e)
{
	if (!read_digest(from, to->shown.digest, report, e) || !copy_texts(to, from, e) ||
	        !read_permissions(from, strict, &to->shown.permissions, report, e))
		return false;
	if (from->not_after_s < 0)
		return err_set(e, ERR_FORMAT, "not_after lies before 1970");
	to->shown.not_after_s = from->not_after_s;
	to->shown.disabled = from->disabled;
	return true;
}

/* Equal ids would blur the audit trail, equal keys would make one id's rights depend on order. */
static bool
is_unique(const struct api_key_registry *r, const struct entry *added, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct api_key *other = &r->entries[i].shown;

		if (strcmp(other->id, added->shown.id) == 0)
			return err_set(e, ERR_CONFLICT, "id \"%s\" is used twice", other->id);
		if (CRYPTO_memcmp(other->digest, added->shown.digest, DIGEST_BYTES) == 0)
			return err_set(e, ERR_CONFLICT, "the same key as \"%s\"", other->id);
	}
	return true;
}

static void
clear(struct entry *entry)
{
	free(entry->id);
	free(entry->description);
	free(entry->tenant);
}

bool
api_key_registry_new(const struct api_key_settings *settings, size_t count, bool strict,
        OWNED struct api_key_registry **out, struct security_report *report, struct err *e)
{
	AUTO(api_key_registry) struct api_key_registry *r = NULL;

	if (count > API_KEYS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d API keys", API_KEYS_MAX);
	r = calloc(1, sizeof(*r) + count * sizeof(r->entries[0]));
	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for API keys");
	atomic_init(&r->refs, 1);
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &r->entries[i];

		if (!read_entry(entry, &settings[i], strict, report, e) ||
		        !is_unique(r, entry, e)) {
			clear(entry);
			return err_while(e, "api_keys[%zu]", i);
		}
		r->count++;
	}
	*out = TAKE(r);
	return true;
}

struct api_key_registry *
api_key_registry_ref(struct api_key_registry *r)
{
	if (r != NULL)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void
api_key_registry_free(struct api_key_registry *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	for (size_t i = 0; i < r->count; i++)
		clear(&r->entries[i]);
	free(r);
}

size_t
api_key_registry_count(const struct api_key_registry *r)
{
	return r->count;
}

const struct api_key *
api_key_registry_at(const struct api_key_registry *r, size_t i)
{
	return &r->entries[i].shown;
}

static bool
is_usable(const struct api_key *key, int64_t now_s)
{
	return !key->disabled && (key->not_after_s == 0 || now_s < key->not_after_s);
}

ptrdiff_t
api_key_registry_find(const struct api_key_registry *r, struct digest *hasher, const char *text,
        size_t len, int64_t now_s)
{
	unsigned char digest[DIGEST_BYTES];
	ptrdiff_t found = API_KEY_NONE;

	if (len < API_KEY_MIN || len > API_KEY_MAX || !is_printable(text, len))
		return API_KEY_NONE;
	digest_add(hasher, text, len);
	if (!digest_finish(hasher, digest))
		return API_KEY_UNKNOWN;
	/* Every entry is compared, and in full: no early end tells how far a guess came (AK2). */
	for (size_t i = 0; i < r->count; i++)
		if (CRYPTO_memcmp(r->entries[i].shown.digest, digest, DIGEST_BYTES) == 0)
			found = (ptrdiff_t)i;
	return found >= 0 && is_usable(&r->entries[found].shown, now_s) ? found : API_KEY_NONE;
}
