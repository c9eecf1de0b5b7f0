/* The session table: found by digest alone, one session a worker, and every allocation may fail. */
#include "orchestration/identity/session_table.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
make_digest(unsigned n, unsigned char out[32])
{
	memset(out, (int)(n & 0xff), 32);
	out[31] = (unsigned char)(n >> 8);
}

static bool
add(struct session_table *s, const unsigned char digest[32], const char *id, const char *worker,
        int64_t expires_at_s, struct err *e)
{
	struct session_facts facts = {
	        .expires_at_s = expires_at_s, .issued_at_s = expires_at_s / 2};

	(void)snprintf(facts.id, sizeof(facts.id), "%s", id);
	(void)snprintf(facts.worker, sizeof(facts.worker), "%s", worker);
	return session_table_put(s, digest, &facts, e);
}

START_TEST(session_is_found_by_its_digest_and_no_other)
{
	AUTO(session_table) struct session_table *s = NULL;
	struct session_facts facts = {0};
	unsigned char digest[32];
	struct err e = {0};

	ck_assert(session_table_new(4, &s, &e));
	make_digest(7, digest);
	ck_assert(add(s, digest, "s-1", "w1", 99, &e));
	ck_assert_int_eq(session_table_find(digest, &facts, s), VERDICT_GRANT);
	ck_assert_str_eq(facts.worker, "w1");
	ck_assert_str_eq(facts.id, "s-1");
	ck_assert_int_eq(facts.expires_at_s, 99);
	ck_assert_int_eq(facts.issued_at_s, 49);
	for (size_t i = 0; i < 32; i++) {
		digest[i] ^= 1;
		ck_assert_int_eq(session_table_find(digest, &facts, s), VERDICT_DENY_SESSION);
		digest[i] ^= 1;
	}
}
END_TEST

START_TEST(new_registration_ends_the_workers_old_session)
{
	AUTO(session_table) struct session_table *s = NULL;
	struct session_facts facts = {0};
	unsigned char old[32], fresh[32], other[32];
	struct err e = {0};

	make_digest(1, old);
	make_digest(2, fresh);
	make_digest(3, other);
	ck_assert(session_table_new(4, &s, &e));
	ck_assert(add(s, old, "s-1", "w1", 0, &e));
	ck_assert(add(s, other, "s-2", "w2", 0, &e));
	ck_assert(add(s, fresh, "s-3", "w1", 0, &e));
	ck_assert_int_eq(session_table_find(old, &facts, s), VERDICT_DENY_SESSION);
	ck_assert_int_eq(session_table_find(fresh, &facts, s), VERDICT_GRANT);
	ck_assert_int_eq(session_table_find(other, &facts, s), VERDICT_GRANT);
}
END_TEST

/* Workers with ever new names must not fill it for good: who polls stays, who is gone goes. */
START_TEST(full_table_forgets_who_polled_least_recently)
{
	AUTO(session_table) struct session_table *s = NULL;
	struct session_facts facts;
	struct err e = {0};
	unsigned char digest[32] = {0};
	char worker[32];

	ck_assert(session_table_new(4, &s, &e));
	for (unsigned n = 0; n < 4; n++) {
		(void)snprintf(worker, sizeof(worker), "w%u", n);
		make_digest(n, digest);
		ck_assert(add(s, digest, "s", worker, 0, &e));
	}
	make_digest(0, digest);
	ck_assert_int_eq(session_table_find(digest, &facts, s), VERDICT_GRANT);
	make_digest(4, digest);
	ck_assert(add(s, digest, "s", "w4", 0, &e));
	for (unsigned n = 0; n < 5; n++) {
		make_digest(n, digest);
		ck_assert_int_eq(session_table_find(digest, &facts, s),
		        n == 1 ? VERDICT_DENY_SESSION : VERDICT_GRANT);
	}
	ck_assert(add(s, digest, "s", "w3", 0, &e)); /* its own old one goes, no other */
	make_digest(0, digest);
	ck_assert_int_eq(session_table_find(digest, &facts, s), VERDICT_GRANT);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	unsigned nth = 0;
	bool put = false;
	unsigned char digest[32] = {0};

	while (!put) {
		AUTO(session_table) struct session_table *s = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 20);
		fault_allocation(++nth);
		put = session_table_new(4, &s, &e) && add(s, digest, "s", "w", 0, &e);
		fault_allocation(0);
		if (!put)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
}
END_TEST

Suite *
session_table_suite(void)
{
	Suite *s = suite_create("session_table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, session_is_found_by_its_digest_and_no_other);
	tcase_add_test(tc, new_registration_ends_the_workers_old_session);
	tcase_add_test(tc, full_table_forgets_who_polled_least_recently);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
