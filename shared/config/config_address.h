/* "127.0.0.1:8080", "[::1]:0", "localhost:8080": where a daemon listens. No name is looked up. */
#ifndef SHARED_CONFIG_CONFIG_ADDRESS_H
#define SHARED_CONFIG_CONFIG_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>

#include "shared/base/err.h"

struct config_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at; /* ready for bind() */
	socklen_t at_len;
	uint16_t port;
	bool loopback; /* only this host can reach it */
};

/* ERR_FORMAT unless text is an IPv4 address, an IPv6 address in brackets or localhost, then a port.
 */
MUST_CHECK bool config_address_parse(const char *text, struct config_address *out, struct err *e);

#endif
