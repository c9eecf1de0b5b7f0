/* sees: security */
/*
 * Z3: with four fixed keys, only the four tokens that were once signed with them are accepted. The
 * private keys were thrown away, so anything else that verifies is a forgery.
 */
#include <string.h>

#include "shared/security/jwk.h"
#include "shared/security/jws.h"
#include "tests/fuzz/fuzz.h"

/* clang-format off */
static const char keys[] =
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"uieN1jXBSY5fw1as9Bmd6xqz1TysccnxD3s3Bun2qVgdbAXesObxYYJea"
        "gJv7uRXpXErPdC7AdYOlA7G8pQUnZFLiqMVCrmEWrOQrcY-SQrqwm6pAQinXZ5UqX3kxi-rHuu8ybZbd0b9P"
        "psuXLrrq7Bt23EwvfrZZDqEJTuvO4_WLM8dq_kL1zpwB9GWVVhDnfiwh4QfFba9-OUfs81r1nvcAK4qpVkIO"
        "3q-Qr5gpbVnGlMj3edbrYt1eKSBG520mya8BXr8WFyInEMv8K4uH87W64jxQNQ1Y3iTf9OyzKUcamUjA26YB"
        "Gb9YiaKcx71jE-CmDhFgx9ewbR3klm6ew\",\"e\":\"AQAB\",\"kid\":\"rs\",\"alg\":\"RS256\"},{\"kty\":\"RSA\""
        ",\"n\":\"04ZWGvU1fh_kQEUF80bvVcKwBClrNujFI4dnzz1u8flJFwHuCEQnB2SL6ifcl7OMBTQbh82hIt5sIG"
        "NjWqr-Mk7CoyhOQHnGCWuiZ_WLW0VoP45o5m5dIFNZ_lYD4Mv350K_9NEveuSzycD2sDppI9OJyyUylSy1C1"
        "vlG5YcSeM4mzwdNbojL1pvqjIcv0HvXVZxHmA77y-Rud7_jap39ghaWk-6whlRLnAK4EMIL8NB3PWCfgo86I"
        "ivXZiEb1SjlRUbUEY7j1DC8kSW24kGZqz1X_nuhGgIX907_lb4tXdU9TtdgZdXNhPD0NbQEHICVExJO6xORm"
        "6Issu4GPx7OQ\",\"e\":\"AQAB\",\"kid\":\"ps\",\"alg\":\"PS256\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"6X"
        "xLrW11MPMp1QxMOGY0EFbj6DWn66Y4WjYhh9Ae5Rw\",\"y\":\"_OPP-kDRrHP_iWxV8x_fecQ0mJtzW-3AXb_b"
        "xXPVTxI\",\"kid\":\"es\",\"alg\":\"ES256\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"OzGyM1lStYLdEFY"
        "aKVIk-aT8VGMjIQu0a73K6s_Xn7Y\",\"kid\":\"ed\",\"alg\":\"EdDSA\"}]}";
static const char rs[] =
        "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJhbGljZSJ9.JNAFQcbpxbnoUam9MIAo9SOalCk"
        "PnS6NoHcMYyCCUZRj5fx4bTAsj59caOzJR21Avod4QB8WDxynLGOjJBor9vDUBOxE7ndmLD6azcLRIPSbd_5"
        "0MVRWCIXzdHz4I0uJxmGdZ9VSShJiJCxp2oQ0fCkviUZDtZwVmXGvoFRDn1FylIl4pO3q-mkTP666_aANNQk"
        "eaYM2_M_Iq-3lfjBk0nQmNazY2moPdmoDlEgT5Rcs9dgNXSQp4JEnUX0295Bs03R2hTB95gKpO9EhC-tCsZ7"
        "UkJ-V6JI2ZaqN59SvX8CNkR3wNA4NlQv9ebmB3ubH7JLsl3-RCFbeF0voBDo0lQ";
static const char ps[] =
        "eyJhbGciOiJQUzI1NiIsImtpZCI6InBzIn0.eyJzdWIiOiJhbGljZSJ9.MzM_MmobLHT6Xl0vSeEt_MmexAn"
        "e4f607kzeq2w3B03RCqA09Ay2xNZSMCuIGiRidoUmrukyonwyPNSwXUzVqTLgJDcZ0igfRBRnuNdLpsOyYcl"
        "Kd9_RCbL0MLj5tLjI0EBhxYZCnp8h__1b7fOh4qj30sfjyMqon6uBqAsP1-_z9vnC4QTq3pe3rhBymCWEZrE"
        "JUzOOkG5MH0E2nVSAoGiWxpmZoF3JDhhvwvRI0hhl2P-IH-j93vlBW_tz959yLR6cYB_brqEW3Af6TCeLA9f"
        "NXmgGdn1xhZwuVZajKxKm5myBQcCNNwFGR_6zmHzJ0okEHVFY-kEDPrb5uIFcPQ";
static const char es[] =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJhbGljZSJ9.CGHIkA2BnQiMoiayzJxwLYMOWbn"
        "B9u3t6I1Q72pcV2KLUsCLRbU4J5-W0Oos9eDFp4m70TzkaZbUz1RfBknrGw";
static const char ed[] =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJhbGljZSJ9.TSiY12UI7FSMIgFzjBV2ZfI5QeA"
        "wrBJggyS1Lf9x8ij2wd-elbmDIg02V6mFr1FtNtTIjM8LWtTppk3qjMwiDg";
/* clang-format on */

static const char *const signed_tokens[] = {rs, ps, es, ed};

static bool
was_signed(const char *token, size_t len)
{
	for (size_t i = 0; i < COUNT(signed_tokens); i++)
		if (strlen(signed_tokens[i]) == len && memcmp(signed_tokens[i], token, len) == 0)
			return true;
	return false;
}

static struct jws_verifier *
verifier(void)
{
	static struct jws_verifier *made;
	static struct key_set *set;
	struct err e = {0};

	if (made == NULL) {
		CLAIM(jwk_set_import(keys, strlen(keys), algorithm_set_all(), &set, NULL, &e));
		CLAIM(jws_verifier_new(set, &made, &e));
	}
	return made;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jws jws;
	const struct key *key = NULL;
	char *token = malloc(size + 1); /* its own block, so that reading past it is noticed */
	bool accepted;

	CLAIM(token != NULL);
	memcpy(token, data, size);
	accepted = jws_open(&jws, token, size) == VERDICT_GRANT &&
	           jws_check(verifier(), &jws, &key) == VERDICT_GRANT;
	CLAIM(accepted == was_signed(token, size));
	free(token);
	return 0;
}
