/* TLS as a transport: the handshake is part of the first reads. */
#ifndef SHARED_HTTP_TLS_TRANSPORT_H
#define SHARED_HTTP_TLS_TRANSPORT_H

#include <openssl/ssl.h>

#include "shared/base/attr.h"
#include "shared/http/transport.h"

/* Takes ssl, whose descriptor is fd. */
struct transport transport_tls(OWNED SSL *ssl, int fd);

#endif
