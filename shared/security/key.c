#include "shared/security/key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/curve.h"
#include "shared/security/key_vet.h"

enum { ED25519_SIGNATURE = 64 };

struct key {
	EVP_PKEY *pkey;
	enum algorithm algorithm;
	size_t signature_len;
	char *kid;
	unsigned char fingerprint[DIGEST_BYTES];
};

static size_t
signature_len(const EVP_PKEY *pkey, enum key_type type)
{
	const struct curve *curve = curve_of(type);

	if (curve != NULL)
		return 2 * curve->size; /* r and s side by side (RFC 7518 3.4) */
	if (type == KEY_ED25519)
		return ED25519_SIGNATURE;
	return ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8;
}

static bool
take_fingerprint(struct key *k, struct err *e)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(k->pkey, &der);
	bool ok = len > 0 && digest_of(der, (size_t)len, k->fingerprint);

	OPENSSL_free(der);
	return ok || err_set(e, ERR_NOMEM, "OpenSSL could not write the key down");
}

bool
key_new(struct evp_pkey_st *pkey, const struct key_binding *binding, OWNED struct key **out,
        struct err *e)
{
	AUTO(key) struct key *k = NULL;
	enum key_type type = KEY_NONE;

	if (!key_vet(pkey, &type, e))
		return false;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key");
	if (!algorithm_bind(binding->allowed, type, binding->declared, &k->algorithm, e))
		return false;
	if (binding->kid != NULL && (k->kid = strdup(binding->kid)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key's name");
	if (EVP_PKEY_up_ref(pkey) != 1)
		return err_set(e, ERR_NOMEM, "OpenSSL could not keep the key");
	k->pkey = pkey;
	k->signature_len = signature_len(pkey, type);
	if (!take_fingerprint(k, e))
		return false;
	*out = TAKE(k);
	return true;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k->kid);
	free(k);
}

enum algorithm
key_algorithm(const struct key *k)
{
	return k->algorithm;
}

const char *
key_kid(const struct key *k)
{
	return k->kid;
}

size_t
key_signature_len(const struct key *k)
{
	return k->signature_len;
}

const unsigned char *
key_fingerprint(const struct key *k)
{
	return k->fingerprint;
}

struct evp_pkey_st *
key_openssl(const struct key *k)
{
	return k->pkey;
}
