/*
 * A JWK set (RFC 7517) into keys.
 *
 * Two kinds of wrong. What shows that the sender confuses public with secret, or that names are
 * ambiguous, spoils the whole set: a symmetric key, a private member, one kid twice (JK12). What is
 * merely not for us - another use, curve, size or algorithm - is skipped and reported (JK13).
 */
#ifndef SHARED_SECURITY_JWK_H
#define SHARED_SECURITY_JWK_H

#include "shared/security/key_set.h"
#include "shared/security/security_report.h"

enum { JWK_SET_BYTES_MAX = 256 * 1024 };

/*
 * Keys fit for the allowed algorithms. ERR_FORMAT, ERR_LIMIT or ERR_CRYPTO refuse the set, also
 * when no key of it is usable (JK9). report gets a line for each key left out.
 */
MUST_CHECK bool jwk_set_import(const char *text, size_t len, struct algorithm_set allowed,
        OWNED struct key_set **out, struct security_report *report, struct err *e);

#endif
