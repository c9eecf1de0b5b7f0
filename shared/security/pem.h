/*
 * A configured public key: one PEM block, SubjectPublicKeyInfo ("PUBLIC KEY") or PKCS#1
 * ("RSA PUBLIC KEY"). A private key, a certificate, or a second block of any kind is refused, so
 * that a mistaken file is noticed at start and not in an incident (JT23). Errors name what was
 * found, never its text.
 */
#ifndef SHARED_SECURITY_PEM_H
#define SHARED_SECURITY_PEM_H

#include "shared/security/key.h"

enum { PEM_TEXT_MAX = 64 * 1024 };

/* ERR_LIMIT, or ERR_CRYPTO for a text that is not one fit public key. */
MUST_CHECK bool pem_import(const char *text, size_t len, const struct key_binding *binding,
        OWNED struct key **out, struct err *e);

/* The same from a file; ERR_IO, ERR_MISSING and every other error name it. */
MUST_CHECK bool pem_import_file(
        const char *path, const struct key_binding *binding, OWNED struct key **out, struct err *e);

#endif
