#include "shared/config/config_address.h"

#include <arpa/inet.h>
#include <string.h>

/* One to five digits and nothing else, at most 65535. */
static bool
parse_port(const char *text, uint16_t *port)
{
	unsigned long n = 0;
	size_t len = strlen(text);

	if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (unsigned long)(text[i] - '0');
	if (n > UINT16_MAX)
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool
parse_v4(const char *host, struct config_address *out)
{
	struct sockaddr_in *v4 = &out->at.v4;

	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return false;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(out->port);
	out->at_len = sizeof(*v4);
	out->loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return true;
}

static bool
parse_v6(const char *host, struct config_address *out)
{
	struct sockaddr_in6 *v6 = &out->at.v6;
	const struct in6_addr *ip = &v6->sin6_addr;

	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(out->port);
	out->at_len = sizeof(*v6);
	out->loopback =
	        IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
	return true;
}

bool
config_address_parse(const char *text, struct config_address *out, struct err *e)
{
	struct config_address address = {0};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);
	bool ok;

	if (len == 0 || len >= sizeof(host) || !parse_port(colon + 1, &address.port))
		return err_set(e, ERR_FORMAT,
		        "not an address and port such as 127.0.0.1:8080 or [::1]:8080");
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		ok = parse_v6(host + 1, &address);
	} else {
		ok = parse_v4(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &address);
	}
	if (!ok)
		return err_set(e, ERR_FORMAT,
		        "not an IPv4 address, an IPv6 address in brackets or localhost");
	*out = address;
	return true;
}
