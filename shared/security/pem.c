#include "shared/security/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/secret.h"

AUTO_DEFINE(bio, BIO, BIO_vfree)
AUTO_DEFINE(evp_pkey, EVP_PKEY, EVP_PKEY_free)

/* One decoded block; its bytes are wiped, since a private key may have come by mistake. */
struct block {
	char *label, *header;
	unsigned char *der;
	long len;
};

static void
block_clear(struct block *b)
{
	OPENSSL_free(b->label);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->der, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct block){0};
}

static bool
next_block(BIO *in, struct block *b)
{
	bool found = PEM_read_bio(in, &b->label, &b->header, &b->der, &b->len) == 1;

	ERR_clear_error();
	return found;
}

static const struct unwanted {
	const char *label_part, *what;
} unwanted[] = {
        {"PRIVATE KEY", "a private key; give the public one"},
        {"CERTIFICATE", "a certificate; give its public key"},
        {"PARAMETERS",  "parameters without a key"          },
};

static bool
parse(const struct block *b, OWNED EVP_PKEY **out, struct err *e)
{
	const unsigned char *at = b->der;
	EVP_PKEY *made = NULL;

	for (size_t i = 0; i < COUNT(unwanted); i++)
		if (strstr(b->label, unwanted[i].label_part) != NULL)
			return err_set(e, ERR_CRYPTO, "it is %s", unwanted[i].what);
	if (b->header[0] != '\0')
		return err_set(e, ERR_CRYPTO, "the PEM block carries headers");
	if (strcmp(b->label, "PUBLIC KEY") == 0)
		made = d2i_PUBKEY(NULL, &at, b->len);
	else if (strcmp(b->label, "RSA PUBLIC KEY") == 0)
		made = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, b->len);
	ERR_clear_error();
	if (made == NULL || at != b->der + b->len) {
		EVP_PKEY_free(made);
		return err_set(e, ERR_CRYPTO, "the PEM block is no public key");
	}
	*out = made;
	return true;
}

static bool
parse_only_block(const char *text, size_t len, OWNED EVP_PKEY **out, struct err *e)
{
	AUTO(bio) BIO *in = BIO_new_mem_buf(text, (int)len);
	AUTO(evp_pkey) EVP_PKEY *pkey = NULL;
	struct block first = {0}, second = {0};
	bool ok;

	if (in == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a PEM text");
	if (!next_block(in, &first))
		return err_set(e, ERR_CRYPTO, "no PEM block in it");
	ok = parse(&first, &pkey, e);
	if (ok && next_block(in, &second))
		ok = err_set(e, ERR_CRYPTO, "more than one PEM block in it");
	block_clear(&first);
	block_clear(&second);
	if (ok)
		*out = TAKE(pkey);
	return ok;
}

bool
pem_import(const char *text, size_t len, const struct key_binding *binding, OWNED struct key **out,
        struct err *e)
{
	AUTO(evp_pkey) EVP_PKEY *pkey = NULL;

	if (len > PEM_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "a PEM text of more than %d bytes", PEM_TEXT_MAX);
	return parse_only_block(text, len, &pkey, e) && key_new(pkey, binding, out, e);
}

/* Reads at most max bytes; one more is asked for so that a longer file is noticed. */
static bool
read_text(const char *path, char *text, size_t max, size_t *len, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t got = 0;
	ssize_t n = 1;

	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "%s", strerror(errno));
	while (n > 0 && got <= max) {
		n = read(fd, text + got, max + 1 - got);
		got += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	if (n < 0)
		return err_set(e, ERR_IO, "%s", strerror(errno));
	*len = got;
	return true;
}

bool
pem_import_file(
        const char *path, const struct key_binding *binding, OWNED struct key **out, struct err *e)
{
	char *text = malloc(PEM_TEXT_MAX + 1);
	size_t len = 0;
	bool ok;

	if (text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key file");
	ok = read_text(path, text, PEM_TEXT_MAX, &len, e) && pem_import(text, len, binding, out, e);
	secret_wipe(text, PEM_TEXT_MAX + 1);
	free(text);
	return ok || err_while(e, "%s", path);
}
