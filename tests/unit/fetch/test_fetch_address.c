/* JK3: which addresses a name may lead to. */
#include "shared/fetch/fetch_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text;
	bool is_public;
} addresses[] = {
        {"8.8.8.8",              true },
        {"1.1.1.1",              true },
        {"172.15.255.255",       true },
        {"172.32.0.0",           true },
        {"100.63.255.255",       true },
        {"100.128.0.0",          true },
        {"223.255.255.255",      true },
        {"192.167.255.255",      true },
        {"192.0.1.0",            true },
        {"198.17.255.255",       true },
        {"198.20.0.0",           true },
        {"11.0.0.0",             true },
        {"9.255.255.255",        true },
        {"128.0.0.1",            true },
        {"126.255.255.255",      true },
        {"169.253.0.1",          true },
        {"0.0.0.0",              false},
        {"0.1.2.3",              false},
        {"10.0.0.1",             false},
        {"10.255.255.255",       false},
        {"100.64.0.1",           false},
        {"100.127.255.255",      false},
        {"127.0.0.1",            false},
        {"127.255.255.254",      false},
        {"169.254.169.254",      false},
        {"172.16.0.1",           false},
        {"172.31.255.255",       false},
        {"192.0.0.1",            false},
        {"192.0.2.1",            false},
        {"192.88.99.1",          false},
        {"192.168.1.1",          false},
        {"198.18.0.1",           false},
        {"198.19.255.255",       false},
        {"198.51.100.1",         false},
        {"203.0.113.1",          false},
        {"224.0.0.1",            false},
        {"240.0.0.1",            false},
        {"255.255.255.255",      false},
        {"2606:4700:4700::1111", true },
        {"2a00:1450::1",         true },
        {"3fff:ffff::1",         true },
        {"::",                   false},
        {"::1",                  false},
        {"fc00::1",              false},
        {"fdff::1",              false},
        {"fe80::1",              false},
        {"fec0::1",              false},
        {"ff02::1",              false},
        {"2001:db8::1",          false},
        {"2001:0:1::1",          false},
        {"100::1",               false},
        {"4000::1",              false},
        {"::ffff:127.0.0.1",     false},
        {"::ffff:10.1.2.3",      false},
        {"::ffff:8.8.8.8",       true },
        {"::127.0.0.1",          false},
        {"64:ff9b::7f00:1",      false},
        {"64:ff9b::808:808",     true },
        {"64:ff9b:1::1",         false},
        {"2002:7f00:1::1",       false},
        {"2002:a9fe:a9fe::1",    false},
        {"2002:808:808::1",      true },
};

START_TEST(jk3_address_is_public_or_not)
{
	const char *text = addresses[_i].text;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const struct sockaddr *address = (const struct sockaddr *)&v4;

	if (strchr(text, ':') != NULL) {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		address = (const struct sockaddr *)&v6;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET, text, &v4.sin_addr), 1);
	}
	ck_assert_msg(fetch_address_is_public(address) == addresses[_i].is_public, "%s", text);
}
END_TEST

START_TEST(another_family_is_not_public)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

	ck_assert(!fetch_address_is_public((const struct sockaddr *)&path));
}
END_TEST

Suite *
fetch_address_suite(void)
{
	Suite *s = suite_create("fetch_address");
	TCase *tc = tcase_create("addresses");

	tcase_add_loop_test(tc, jk3_address_is_public_or_not, 0, (int)COUNT(addresses));
	tcase_add_test(tc, another_family_is_not_public);
	suite_add_tcase(s, tc);
	return s;
}
