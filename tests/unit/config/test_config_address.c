/* Where to listen. */
#include "shared/config/config_address.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	int family; /* 0: refused */
	uint16_t port;
	bool loopback;
} addresses[] = {
        {"127.0.0.1:8080",                                                       AF_INET,  8080,  true },
        {"127.255.1.2:0",                                                        AF_INET,  0,     true },
        {"localhost:80",                                                         AF_INET,  80,    true },
        {"0.0.0.0:65535",                                                        AF_INET,  65535, false},
        {"192.0.2.1:1",                                                          AF_INET,  1,     false},
        {"128.0.0.1:1",                                                          AF_INET,  1,     false},
        {"[::1]:8080",                                                           AF_INET6, 8080,  true },
        {"[::ffff:127.0.0.1]:1",                                                 AF_INET6, 1,     true },
        {"[::ffff:192.0.2.1]:1",                                                 AF_INET6, 1,     false},
        {"[::]:1",                                                               AF_INET6, 1,     false},
        {"[2001:db8:1111:2222:3333:4444:192.168.100.100]:1",                     AF_INET6, 1,     false},
        {"",                                                                     0,        0,     false},
        {":",                                                                    0,        0,     false},
        {":8080",                                                                0,        0,     false},
        {"8080",                                                                 0,        0,     false},
        {"127.0.0.1",                                                            0,        0,     false},
        {"127.0.0.1:",                                                           0,        0,     false},
        {"127.0.0.1:65536",                                                      0,        0,     false},
        {"127.0.0.1:000001",                                                     0,        0,     false},
        {"127.0.0.1:+1",                                                         0,        0,     false},
        {"127.0.0.1: 1",                                                         0,        0,     false},
        {"127.0.0.1:1 ",                                                         0,        0,     false},
        {"127.1:1",                                                              0,        0,     false},
        {"::1:8080",                                                             0,        0,     false},
        {"[::1]",                                                                0,        0,     false},
        {"[]:1",                                                                 0,        0,     false},
        {"[:1",                                                                  0,        0,     false},
        {"[127.0.0.1]:1",                                                        0,        0,     false},
        {"[fe80::1%lo]:1",                                                       0,        0,     false},
        {"[localhost]:1",                                                        0,        0,     false},
        {"example.com:1",                                                        0,        0,     false},
        {"*:1",                                                                  0,        0,     false},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd]:1", 0,        0,     false},
};

START_TEST(an_address_is_numeric_with_a_port)
{
	struct config_address out = {.port = 7};
	struct err e = {0};
	bool ok = config_address_parse(addresses[_i].text, &out, &e);

	ck_assert_int_eq(ok, addresses[_i].family != 0);
	ck_assert_uint_eq(out.port, ok ? addresses[_i].port : 7);
	if (!ok) {
		ck_assert_int_eq(e.code, ERR_FORMAT);
		return;
	}
	ck_assert_int_eq(out.at.any.sa_family, addresses[_i].family);
	ck_assert_int_eq(out.loopback, addresses[_i].loopback);
	ck_assert_uint_eq(out.at_len,
	        addresses[_i].family == AF_INET ? sizeof(out.at.v4) : sizeof(out.at.v6));
	ck_assert_uint_eq(
	        ntohs(addresses[_i].family == AF_INET ? out.at.v4.sin_port : out.at.v6.sin6_port),
	        addresses[_i].port);
}
END_TEST

Suite *
config_address_suite(void)
{
	Suite *s = suite_create("config_address");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, an_address_is_numeric_with_a_port, 0, COUNT(addresses));
	suite_add_tcase(s, tc);
	return s;
}
