/* Which addresses are public, so that a name cannot lead a request into one's own network. */
#ifndef SHARED_FETCH_FETCH_ADDRESS_H
#define SHARED_FETCH_FETCH_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/*
 * False for what the IANA special-purpose registries (RFC 6890) do not call globally reachable:
 * loopback, private, link-local (cloud metadata services are there), shared (CGNAT), multicast,
 * reserved; for IPv6 also unique-local, and IPv4 behind v4-mapped, 6to4 and NAT64 by what they
 * hold. False for any other family.
 */
bool fetch_address_is_public(const struct sockaddr *address);

#endif
