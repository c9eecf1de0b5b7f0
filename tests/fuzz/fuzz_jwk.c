/* sees: security */
/*
 * Z4: whatever set is accepted, each key of it passes OpenSSL's check and our policy, is bound to
 * an algorithm of its type, and no key of the set had a private or symmetric member.
 */
#include <openssl/evp.h>
#include <string.h>

#include "shared/base/json.h"
#include "shared/security/jwk.h"
#include "tests/fuzz/fuzz.h"

/*
 * OpenSSL's check of an RSA modulus draws random bases (SP 800-56B, enhanced Miller-Rabin) and may
 * see a factor of a strange modulus one time and not the next. A good modulus passes always; one
 * that was accepted must be able to pass.
 */
static bool
passes(EVP_PKEY_CTX *ctx)
{
	for (int i = 0; i < 16; i++)
		if (EVP_PKEY_public_check(ctx) == 1)
			return true;
	return false;
}

static void
check_key(const struct key *key)
{
	EVP_PKEY *pkey = key_openssl(key);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int bits = EVP_PKEY_get_bits(pkey);

	CLAIM(ctx != NULL && passes(ctx));
	CLAIM(EVP_PKEY_private_check(ctx) != 1);
	EVP_PKEY_CTX_free(ctx);
	switch (algorithm_key_type(key_algorithm(key))) {
	case KEY_RSA:
		CLAIM(EVP_PKEY_is_a(pkey, "RSA") && bits >= 2048 && bits <= 8192);
		break;
	case KEY_P256:
		CLAIM(EVP_PKEY_is_a(pkey, "EC") && bits == 256);
		break;
	case KEY_P384:
		CLAIM(EVP_PKEY_is_a(pkey, "EC") && bits == 384);
		break;
	case KEY_P521:
		CLAIM(EVP_PKEY_is_a(pkey, "EC") && bits == 521);
		break;
	case KEY_ED25519:
		CLAIM(EVP_PKEY_is_a(pkey, "ED25519"));
		break;
	case KEY_NONE:
	default:
		CLAIM(false);
	}
}

static void
check_text(const char *text, size_t len)
{
	static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	static const struct json_limits limits = {.bytes = MIB(1), .nodes = 100000, .depth = 32};
	struct json *doc = NULL;
	struct err e = {0};
	const struct json_node *keys;

	CLAIM(json_parse(text, len, &limits, &doc, &e));
	keys = json_member(doc, json_root(doc), "keys");
	for (const struct json_node *k = json_first(doc, keys); k != NULL; k = json_next(doc, k))
		for (size_t i = 0; i < COUNT(secret); i++)
			CLAIM(json_member(doc, k, secret[i]) == NULL);
	json_free(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_set *set = NULL;
	struct err e = {0};
	char *text = malloc(size + 1);

	CLAIM(text != NULL);
	memcpy(text, data, size);
	if (jwk_set_import(text, size, algorithm_set_all(), &set, NULL, &e)) {
		CLAIM(key_set_count(set) > 0 && key_set_count(set) <= KEY_SET_MAX);
		for (size_t i = 0; i < key_set_count(set); i++)
			check_key(key_set_at(set, i));
		check_text(text, size);
	} else
		CLAIM(set == NULL && e.code != ERR_NONE);
	key_set_free(set);
	free(text);
	return 0;
}
