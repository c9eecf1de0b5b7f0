#include "shared/fetch/fetch_address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/base/attr.h"

struct block4 {
	uint32_t net;
	unsigned bits;
};

static const struct block4 closed4[] = {
        {0x00000000, 8 }, /* this network */
        {0x0A000000, 8 }, /* private */
        {0x64400000, 10}, /* shared, RFC 6598 */
        {0x7F000000, 8 }, /* loopback */
        {0xA9FE0000, 16}, /* link-local */
        {0xAC100000, 12}, /* private */
        {0xC0000000, 24}, /* protocol assignments */
        {0xC0000200, 24}, /* documentation */
        {0xC0586300, 24}, /* 6to4 relays, gone */
        {0xC0A80000, 16}, /* private */
        {0xC6120000, 15}, /* benchmarks */
        {0xC6336400, 24}, /* documentation */
        {0xCB007100, 24}, /* documentation */
        {0xE0000000, 3 }, /* multicast and reserved */
};

static bool
is_public4(uint32_t address)
{
	for (size_t i = 0; i < COUNT(closed4); i++)
		if ((address ^ closed4[i].net) >> (32 - closed4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t
word(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* IPv6 addresses that stand for an IPv4 address, and where they hold it. */
static const struct {
	unsigned char prefix[12];
	size_t len, at;
} translated[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF},       12, 12}, /* v4-mapped */
        {{0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0}, 12, 12}, /* NAT64, RFC 6052 */
        {{0x20, 0x02},                                     2,  2 }, /* 6to4 */
};

static bool
is_public6(const unsigned char a[16])
{
	for (size_t i = 0; i < COUNT(translated); i++)
		if (memcmp(a, translated[i].prefix, translated[i].len) == 0)
			return is_public4(word(a + translated[i].at));
	/* Of the rest only 2000::/3 is given out, and in it documentation and Teredo are not. */
	return a[0] >> 5 == 1 && word(a) != 0x20010DB8 && word(a) != 0x20010000;
}

bool
fetch_address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		return is_public4(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		return is_public6(v6.sin6_addr.s6_addr);
	}
	return false;
}
