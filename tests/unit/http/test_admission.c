/* How many may come, in all and from one address (LM3). */
#include "shared/http/admission.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static struct admission admission;

static uint64_t
v4(const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	ck_assert_int_eq(inet_pton(AF_INET, text, &a.sin_addr), 1);
	return admission_address((const struct sockaddr *)&a);
}

static uint64_t
v6(const char *text)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return admission_address((const struct sockaddr *)&a);
}

START_TEST(nobody_enters_past_the_cap_LM3)
{
	admission_init(&admission, 2, 10);
	ck_assert_int_eq(admission_enter(&admission, 1), ADMISSION_ENTERED);
	ck_assert(!admission_is_full(&admission));
	ck_assert_int_eq(admission_enter(&admission, 2), ADMISSION_ENTERED);
	ck_assert(admission_is_full(&admission));
	ck_assert_int_eq(admission_enter(&admission, 3), ADMISSION_FULL);
	admission_leave(&admission, 1);
	ck_assert(!admission_is_full(&admission));
	ck_assert_int_eq(admission_enter(&admission, 3), ADMISSION_ENTERED);
}
END_TEST

START_TEST(one_address_cannot_take_all_LM3)
{
	const uint64_t a = v4("192.0.2.1"), b = v4("192.0.2.2");

	admission_init(&admission, 10, 2);
	ck_assert_int_eq(admission_enter(&admission, a), ADMISSION_ENTERED);
	ck_assert_int_eq(admission_enter(&admission, a), ADMISSION_ENTERED);
	ck_assert_int_eq(admission_enter(&admission, a), ADMISSION_ADDRESS_FULL);
	ck_assert_int_eq(admission_enter(&admission, b), ADMISSION_ENTERED);
	admission_leave(&admission, a);
	ck_assert_int_eq(admission_enter(&admission, a), ADMISSION_ENTERED);
	ck_assert_uint_eq(atomic_load(&admission.open), 3);
}
END_TEST

START_TEST(an_ipv6_network_counts_as_one_and_mapped_ipv4_as_ipv4)
{
	ck_assert(v6("2001:db8::1") == v6("2001:db8::ffff:ffff"));
	ck_assert(v6("2001:db8::1") != v6("2001:db8:0:1::1"));
	ck_assert(v6("::ffff:192.0.2.1") == v4("192.0.2.1"));
	ck_assert(v4("192.0.2.1") != v4("192.0.2.3"));
}
END_TEST

/* Many others in the table hardly ever cost a stranger his place, and never give him two. */
START_TEST(a_crowd_neither_blocks_nor_widens_the_limit)
{
	size_t blocked = 0;

	admission_init(&admission, 100000, 4);
	for (uint64_t who = 0; who < 1000; who++)
		for (int i = 0; i < 4; i++)
			blocked += admission_enter(&admission, who) == ADMISSION_ENTERED ? 0 : 1;
	ck_assert_uint_lt(blocked, 1200);
	for (uint64_t who = 0; who < 1000; who++)
		ck_assert_int_eq(admission_enter(&admission, who), ADMISSION_ADDRESS_FULL);
}
END_TEST

Suite *
admission_suite(void)
{
	Suite *s = suite_create("admission");
	TCase *tc = tcase_create("caps");

	tcase_add_test(tc, nobody_enters_past_the_cap_LM3);
	tcase_add_test(tc, one_address_cannot_take_all_LM3);
	tcase_add_test(tc, an_ipv6_network_counts_as_one_and_mapped_ipv4_as_ipv4);
	tcase_add_test(tc, a_crowd_neither_blocks_nor_widens_the_limit);
	suite_add_tcase(s, tc);
	return s;
}
