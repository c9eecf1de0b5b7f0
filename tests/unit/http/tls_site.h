/* A kit that speaks TLS, its certificates, and clients of it. */
#ifndef TESTS_UNIT_HTTP_TLS_SITE_H
#define TESTS_UNIT_HTTP_TLS_SITE_H

#include <openssl/ssl.h>

#include "tests/lib/tls_peer.h"
#include "tests/unit/http/kit.h"

enum { TLS_SITE_RECORD = 16384, TLS_SITE_VERSIONS = 2 };

/* The versions that are spoken: TLS1_2_VERSION and TLS1_3_VERSION. */
extern const int tls_site_versions[TLS_SITE_VERSIONS];

/* A folder with ca and server, and its end; SIGPIPE is ignored from now on. */
void tls_site_open(void);
void tls_site_close(void);
/* Of a file in it; the last four are valid. */
const char *tls_site_path(const char *name);

void tls_site_start(struct kit *k, const struct http_limits *limits);

/* Who speaks that version, verifies the server, and has shaken hands. */
struct tls_peer tls_site_peer(const struct kit *k, int version);
/* Reads until so many replies with status 200 were there; how many were. */
size_t tls_site_replies(struct tls_peer *p, size_t wanted);

#endif
