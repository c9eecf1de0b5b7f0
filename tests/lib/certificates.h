/* Certificates made on the spot, good and bad, as files. */
#ifndef TESTS_LIB_CERTIFICATES_H
#define TESTS_LIB_CERTIFICATES_H

#include <stdbool.h>

struct certificate_wish {
	const char *issuer; /* the name of one made before in that folder; NULL: signed by itself */
	bool authority;
	const char *names;    /* "IP:127.0.0.1,DNS:localhost"; NULL: none */
	long from_s, until_s; /* after now; until_s 0: an hour */
	int rsa_bits;         /* 0: P-256 */
};

/* Writes dir/<name>.pem and, at mode 0600, dir/<name>.key. False: why is on stderr. */
bool certificate_make(const char *dir, const char *name, const struct certificate_wish *wish);

/* An authority "ca" and "server", issued by it for 127.0.0.1 and localhost. */
bool certificates_usual(const char *dir);

#endif
