#include "shared/security/key_vet.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "shared/security/curve.h"

enum { GROUP_NAME = 64, EXPONENT_BITS_MAX = 33 };

AUTO_DEFINE(evp_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_DEFINE(bignum, BIGNUM, BN_free)

/*
 * The ROCA library made primes of the form k·M + (65537^a mod M), M the product of the first
 * primes. Its moduli are therefore powers of 65537 modulo each of these primes; a random modulus
 * is, for all of them at once, with a chance of about 2^-28.
 */
static const unsigned char roca_primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53,
        59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151,
        157, 163, 167};

static bool
is_power_of_65537(unsigned residue, unsigned prime)
{
	unsigned generator = 65537 % prime, power = 1;

	for (unsigned i = 0; i < prime; i++) {
		if (power == residue)
			return true;
		power = power * generator % prime;
	}
	return false;
}

bool
key_vet_is_roca(const unsigned char *n, size_t len)
{
	for (size_t i = 0; i < COUNT(roca_primes); i++) {
		unsigned residue = 0;

		for (size_t at = 0; at < len; at++)
			residue = (residue << 8 | n[at]) % roca_primes[i];
		if (!is_power_of_65537(residue, roca_primes[i]))
			return false;
	}
	return true;
}

/* y of every point of small order, little-endian; the sign of x makes no difference. */
/* clang-format off */
static const unsigned char small_order_y[][ED25519_BYTES] = {
	{0}, /* order 4 */
	{1}, /* the identity */
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
};
/* p = 2^255 - 19, little-endian. */
static const unsigned char field_prime[ED25519_BYTES] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
/* clang-format on */

static bool
is_below(const unsigned char *little_endian, const unsigned char *bound)
{
	for (size_t i = ED25519_BYTES; i-- > 0;)
		if (little_endian[i] != bound[i])
			return little_endian[i] < bound[i];
	return false;
}

bool
key_vet_ed25519(const unsigned char key[ED25519_BYTES])
{
	unsigned char y[ED25519_BYTES];

	memcpy(y, key, sizeof(y));
	y[ED25519_BYTES - 1] &= 0x7f;
	/* Refusing y >= p refuses every second spelling of a point, those of small order too. */
	if (!is_below(y, field_prime))
		return false;
	for (size_t i = 0; i < COUNT(small_order_y); i++)
		if (memcmp(y, small_order_y[i], sizeof(y)) == 0)
			return false;
	return true;
}

static bool
vet_modulus(const EVP_PKEY *pkey, struct err *e)
{
	AUTO(bignum) BIGNUM *n = NULL;
	unsigned char bytes[RSA_BITS_MAX / 8];
	int bits;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
		return key_vet_failed(e, "OpenSSL shows no modulus");
	bits = BN_num_bits(n);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(e, ERR_CRYPTO, "an RSA key of %d bits; %d to %d are allowed", bits,
		        RSA_BITS_MIN, RSA_BITS_MAX);
	if (key_vet_is_roca(bytes, (size_t)BN_bn2bin(n, bytes)))
		return err_set(
		        e, ERR_CRYPTO, "an RSA key of the broken ROCA kind (CVE-2017-15361)");
	return true;
}

/* Odd, and 3 to 2^32: e = 1 lets anybody sign, a huge e makes each check slow. */
static bool
vet_exponent(const EVP_PKEY *pkey, struct err *e)
{
	AUTO(bignum) BIGNUM *exponent = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return key_vet_failed(e, "OpenSSL shows no public exponent");
	if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_is_negative(exponent) ||
	        BN_num_bits(exponent) >= EXPONENT_BITS_MAX)
		return err_set(e, ERR_CRYPTO, "an RSA exponent that is even, 1, or beyond 2^32");
	return true;
}

static bool
vet_curve(const EVP_PKEY *pkey, enum key_type *out, struct err *e)
{
	char group[GROUP_NAME];
	const struct curve *curve;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return key_vet_failed(e, "a curve without a name");
	curve = curve_named(group);
	if (curve == NULL)
		return err_set(e, ERR_CRYPTO, "a curve other than P-256, P-384 and P-521");
	*out = curve->type;
	return true;
}

static bool
vet_edwards(const EVP_PKEY *pkey, struct err *e)
{
	unsigned char raw[ED25519_BYTES];
	size_t len = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1 || len != sizeof(raw))
		return key_vet_failed(e, "OpenSSL shows no Ed25519 point");
	if (!key_vet_ed25519(raw))
		return err_set(e, ERR_CRYPTO, "an Ed25519 point of small order or odd spelling");
	return true;
}

static bool
vet_by_type(const EVP_PKEY *pkey, enum key_type *out, struct err *e)
{
	/* Not by EVP_PKEY_is_a(), which says no when it lacks memory to look the name up. */
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*out = KEY_RSA;
		return vet_modulus(pkey, e) && vet_exponent(pkey, e);
	case EVP_PKEY_EC:
		return vet_curve(pkey, out, e);
	case EVP_PKEY_ED25519:
		*out = KEY_ED25519;
		return vet_edwards(pkey, e);
	case EVP_PKEY_NONE:
		return err_set(e, ERR_NOMEM, "OpenSSL does not say of what kind a key is");
	default:
		return err_set(e, ERR_CRYPTO, "a key that is neither RSA nor EC nor Ed25519");
	}
}

/*
 * A lack of memory shows as almost anything: an allocation that failed, an algorithm that could not
 * be fetched, or nothing. Only what the arithmetic of RSA or of a curve says is about the key.
 */
bool
key_vet_failed(struct err *e, const char *why)
{
	bool judged = false, starved = false;
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		const int library = ERR_GET_LIB(code);

		judged = judged || library == ERR_LIB_EC || library == ERR_LIB_RSA;
		starved = starved || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	}
	if (!judged || starved)
		return err_set(e, ERR_NOMEM, "OpenSSL lacked memory for a key");
	return err_set(e, ERR_CRYPTO, "%s", why);
}

bool
key_vet(struct evp_pkey_st *pkey, enum key_type *out, struct err *e)
{
	AUTO(evp_pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
	enum key_type type = KEY_NONE;

	ERR_clear_error();
	if (!vet_by_type(pkey, &type, e))
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1)
		return key_vet_failed(e, "a key that fails OpenSSL's own check");
	*out = type;
	return true;
}
