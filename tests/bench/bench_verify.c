/*
 * bench_verify: what checking a token costs beside the bare OpenSSL verification in it. For each
 * algorithm prints "name microseconds-of-ours microseconds-of-OpenSSL", medians of interleaved
 * blocks in CPU time, with keys parsed beforehand.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/base/b64url.h"
#include "shared/security/jwt_authenticator.h"
#include "tests/bench/bench_client.h"
#include "tests/lib/token_maker.h"

enum { BLOCKS = 15, PER_BLOCK = 400, SIGNATURE_MAX = 1024 };

static const struct {
	enum token_key key;
	const char *name;
} algorithms[] = {
        {TOKEN_KEY_RSA,     "RS256"},
        {TOKEN_KEY_ED25519, "EdDSA"}
};

struct bare {
	EVP_PKEY *key;
	const EVP_MD *method;
	const char *text;
	size_t text_len, signature_len;
	unsigned char signature[SIGNATURE_MAX];
};

static double
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool
verify_bare(const struct bare *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, b->method, NULL, b->key) == 1 &&
	            EVP_DigestVerify(ctx, b->signature, b->signature_len,
	                    (const unsigned char *)b->text, b->text_len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

static bool
verify_ours(struct jwt_authenticator *j, const char *token, int64_t now)
{
	struct jwt_acceptance accepted = {0};
	bool good =
	        jwt_authenticator_check(j, token, strlen(token), now, &accepted) == VERDICT_GRANT;

	security_context_unref(accepted.context);
	return good;
}

static bool
measure(struct jwt_authenticator *j, const struct bare *b, const char *token, double out[2])
{
	double ours[BLOCKS], bare[BLOCKS], from;
	int64_t now = time(NULL);
	bool good = true;

	for (int block = 0; block < BLOCKS; block++) {
		from = cpu_us();
		for (int i = 0; i < PER_BLOCK; i++)
			good &= verify_ours(j, token, now);
		ours[block] = (cpu_us() - from) / PER_BLOCK;
		from = cpu_us();
		for (int i = 0; i < PER_BLOCK; i++)
			good &= verify_bare(b);
		bare[block] = (cpu_us() - from) / PER_BLOCK;
	}
	qsort(ours, BLOCKS, sizeof(ours[0]), bench_ascending);
	qsort(bare, BLOCKS, sizeof(bare[0]), bench_ascending);
	out[0] = bench_share(ours, BLOCKS, 0.5);
	out[1] = bench_share(bare, BLOCKS, 0.5);
	return good;
}

static bool
take_apart(const char *token, struct bare *b)
{
	const char *dot = strrchr(token, '.');

	b->text = token;
	b->text_len = (size_t)(dot - token);
	return b64url_decode(dot + 1, strlen(dot + 1), b->signature, &b->signature_len);
}

static bool
compare(enum token_key key, const char *name)
{
	char *pem = token_key_pem(key);
	char *claims = token_user_claims("bench", "tasks:* steps:*", time(NULL));
	char *token = token_make(key, name, claims);
	const struct security_settings settings = {
	        .enabled = true,
	        .users = {.public_key_pem = pem, .algorithms = &name, .algorithm_count = 1}
        };
	struct bare bare = {
	        .key = token_key(key), .method = strcmp(name, "EdDSA") == 0 ? NULL : EVP_sha256()};
	AUTO(security_service) struct security_service *service = NULL;
	struct jwt_authenticator *j = NULL;
	struct security_report report = {.count = 0};
	struct err e = {0};
	double us[2];
	bool good = security_service_new(&settings, &service, &report, &e) &&
	            jwt_authenticator_new(service, &j, &e) && take_apart(token, &bare) &&
	            measure(j, &bare, token, us);

	if (good)
		(void)printf("%s %.2f %.2f\n", name, us[0], us[1]);
	else
		(void)fprintf(stderr, "bench_verify: %s: %s\n", name, e.text);
	jwt_authenticator_free(j);
	free(token);
	free(claims);
	free(pem);
	return good;
}

int
main(void)
{
	bool good = true;

	for (size_t i = 0; i < COUNT(algorithms); i++)
		good &= compare(algorithms[i].key, algorithms[i].name);
	return good ? 0 : 1;
}
