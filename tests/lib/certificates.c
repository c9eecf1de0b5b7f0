#include "tests/lib/certificates.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "shared/base/rand.h"

static FILE *
open_in(const char *dir, const char *name, const char *suffix, const char *how)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	return fopen(path, how);
}

static bool
extend(X509 *x, X509 *issuer, int what, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	bool added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
	added = extension != NULL && X509_add_ext(x, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

/* All but the issuer's part. */
static bool
fill(X509 *x, const char *name, const struct certificate_wish *w, EVP_PKEY *key)
{
	const long until_s = w->until_s != 0 ? w->until_s : 3600;
	time_t now = time(NULL);

	return X509_set_version(x, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), rand_u64() >> 1) == 1 &&
	       X509_time_adj_ex(X509_getm_notBefore(x), 0, w->from_s - 60, &now) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(x), 0, until_s, &now) != NULL &&
	       X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	               (const unsigned char *)name, -1, -1, 0) == 1 &&
	       X509_set_pubkey(x, key) == 1;
}

static bool
issue(X509 *x, X509 *issuer, EVP_PKEY *signer, const struct certificate_wish *w)
{
	return X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
	       extend(x, issuer, NID_basic_constraints,
	               w->authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
	       extend(x, issuer, NID_key_usage,
	               w->authority ? "critical,keyCertSign,cRLSign" : "digitalSignature") &&
	       extend(x, issuer, NID_subject_key_identifier, "hash") &&
	       (w->names == NULL || extend(x, issuer, NID_subject_alt_name, w->names)) &&
	       X509_sign(x, signer, EVP_sha256()) > 0;
}

static bool
load_issuer(const char *dir, const char *name, X509 **x, EVP_PKEY **key)
{
	FILE *certificate = open_in(dir, name, ".pem", "re");
	FILE *private = open_in(dir, name, ".key", "re");

	*x = certificate != NULL ? PEM_read_X509(certificate, NULL, NULL, NULL) : NULL;
	*key = private != NULL ? PEM_read_PrivateKey(private, NULL, NULL, NULL) : NULL;
	if (certificate != NULL)
		(void)fclose(certificate);
	if (private != NULL)
		(void)fclose(private);
	return *x != NULL && *key != NULL;
}

static bool
save(const char *dir, const char *name, X509 *x, EVP_PKEY *key)
{
	FILE *certificate = open_in(dir, name, ".pem", "we");
	FILE *private = open_in(dir, name, ".key", "we");
	bool saved = certificate != NULL && private != NULL;

	saved = saved && fchmod(fileno(private), 0600) == 0 &&
	        PEM_write_X509(certificate, x) == 1 &&
	        PEM_write_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (certificate != NULL)
		saved = fclose(certificate) == 0 && saved;
	if (private != NULL)
		saved = fclose(private) == 0 && saved;
	return saved;
}

bool
certificate_make(const char *dir, const char *name, const struct certificate_wish *w)
{
	EVP_PKEY *key = w->rsa_bits > 0 ? EVP_RSA_gen((unsigned)w->rsa_bits) : EVP_EC_gen("P-256");
	EVP_PKEY *signer = NULL;
	X509 *x = X509_new(), *issuer = NULL;
	bool made;

	made = key != NULL && x != NULL && fill(x, name, w, key);
	if (made && w->issuer == NULL)
		made = issue(x, x, key, w);
	else if (made)
		made = load_issuer(dir, w->issuer, &issuer, &signer) && issue(x, issuer, signer, w);
	made = made && save(dir, name, x, key);
	if (!made)
		ERR_print_errors_fp(stderr);
	X509_free(x);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	return made;
}

bool
certificates_usual(const char *dir)
{
	return certificate_make(dir, "ca", &(struct certificate_wish){.authority = true}) &&
	       certificate_make(dir, "server",
	               &(struct certificate_wish){
	                       .issuer = "ca", .names = "IP:127.0.0.1,DNS:localhost"});
}
