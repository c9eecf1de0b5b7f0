/* Revocations in the store, and what the feed puts in force of them. */
#include <stdio.h>
#include <string.h>

#include "orchestration/identity/revocation_feed.h"
#include "tests/unit/orchestration/lab.h"

enum { US_PER_S = 1000000 };

static struct lab lab;

static void
open_store(void)
{
	lab_open(&lab);
}

static void
close_store(void)
{
	lab_close(&lab);
}

static int64_t
now_s(void)
{
	return atomic_load(&lab.wall) / US_PER_S;
}

static struct store_op *
revoke_op(enum revocation_kind kind, const char *id, int64_t until_s)
{
	struct store_op *op = store_op_new(STORE_REVOKE);

	op->caller = lab_caller(SCOPE_TENANT, "", "key:root");
	op->in.revoke = (struct revoke_in){
	        .what = {kind, store_op_text(op, id, strlen(id)), 77},
	        .until_s = until_s,
	        .reason = "because"
        };
	return op;
}

static struct store_op *
revoke(enum revocation_kind kind, const char *id, int64_t until_s)
{
	struct store_op *op = revoke_op(kind, id, until_s);

	ck_assert_msg(lab_run(&lab, op) == STORE_OK, "%s", op->text);
	return op;
}

static struct store_op *
listed(int page, int per_page)
{
	struct store_op *op = store_op_new(STORE_REVOCATION_LIST);

	op->in.revocations = (struct revocation_list_in){page, per_page};
	ck_assert_msg(lab_run(&lab, op) == STORE_OK, "%s", op->text);
	return op;
}

static enum store_outcome
unrevoke(const struct uuid *id)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_UNREVOKE);

	op->in.unrevoke = *id;
	return lab_run(&lab, op);
}

START_TEST(what_is_unknown_cannot_be_taken_back)
{
	AUTO(store_op) struct store_op *made = revoke(REVOCATION_TOKEN, "t-1", 0);
	AUTO(store_op) struct store_op *list = NULL;
	struct uuid other = uuid_v4();

	ck_assert_int_eq(unrevoke(&other), STORE_NOT_FOUND);
	list = listed(1, 0);
	ck_assert_uint_eq(list->out.page.count, 1);
}
END_TEST

START_TEST(a_revocation_stays_until_it_is_taken_back)
{
	AUTO(store_op) struct store_op *made = revoke(REVOCATION_SUBJECT, "alice", 0);
	const struct uuid id = made->out.revoke.made.id;
	AUTO(store_op) struct store_op *list = NULL, *after = NULL;
	const struct revocation_view *v;

	lab_reopen(&lab);
	list = listed(1, 0);
	ck_assert_uint_eq(list->out.page.count, 1);
	v = &list->out.page.revocations[0];
	ck_assert_mem_eq(&v->id, &id, sizeof(id));
	ck_assert_int_eq(v->what.kind, REVOCATION_SUBJECT);
	ck_assert_str_eq(v->what.id, "alice");
	ck_assert_int_eq(v->what.before_s, 77);
	ck_assert_str_eq(v->created_by, "key:root");
	ck_assert_str_eq(v->reason, "because");
	ck_assert_int_eq(unrevoke(&id), STORE_OK);
	ck_assert_int_eq(unrevoke(&id), STORE_NOT_FOUND);
	after = listed(1, 0);
	ck_assert_uint_eq(after->out.page.count, 0);
}
END_TEST

/* A list that knows more has a higher number: the feed relies on it. */
START_TEST(each_change_tells_all_that_is_in_force)
{
	AUTO(store_op) struct store_op *first = revoke(REVOCATION_TOKEN, "t-1", 0);
	AUTO(store_op) struct store_op *second = revoke(REVOCATION_API_KEY, "ci", 0);
	AUTO(store_op) struct store_op *third = store_op_new(STORE_UNREVOKE);

	third->in.unrevoke = first->out.revoke.made.id;
	ck_assert_int_eq(lab_run(&lab, third), STORE_OK);
	ck_assert_uint_eq(first->out.revoke.all.count, 1);
	ck_assert_uint_eq(second->out.revoke.all.count, 2);
	ck_assert_str_eq(second->out.revoke.all.revocations[0].what.id, "ci");
	ck_assert_uint_eq(third->out.revoke.all.count, 1);
	ck_assert_uint_gt(first->out.revoke.version, 0);
	ck_assert_uint_gt(second->out.revoke.version, first->out.revoke.version);
	ck_assert_uint_gt(third->out.revoke.version, second->out.revoke.version);
}
END_TEST

START_TEST(what_is_over_is_left_out_and_goes_with_the_next)
{
	AUTO(store_op) struct store_op *first = revoke(REVOCATION_TOKEN, "t-1", now_s() + 10);
	AUTO(store_op) struct store_op *second = NULL, *before = listed(1, 0), *after = NULL;

	ck_assert_uint_eq(before->out.page.count, 1);
	lab_advance(&lab, 10 * LAB_SECOND);
	after = listed(1, 0);
	ck_assert_uint_eq(after->out.page.count, 0);
	ck_assert_int_eq(after->out.page.total, 0);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM revocations"), 1);
	second = revoke(REVOCATION_TOKEN, "t-2", now_s() + 10);
	ck_assert_uint_eq(second->out.revoke.all.count, 1);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM revocations"), 1);
}
END_TEST

START_TEST(pages_are_newest_first)
{
	AUTO(store_op) struct store_op *bad = store_op_new(STORE_REVOCATION_LIST);
	AUTO(store_op) struct store_op *first = NULL, *last = NULL, *beyond = NULL;

	for (int i = 0; i < 5; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "t-%d", i);
		store_op_free(revoke(REVOCATION_TOKEN, id, 0));
	}
	first = listed(1, 2);
	ck_assert_uint_eq(first->out.page.count, 2);
	ck_assert_int_eq(first->out.page.total, 5);
	ck_assert(first->out.page.more);
	ck_assert_str_eq(first->out.page.revocations[0].what.id, "t-4");
	last = listed(3, 2);
	ck_assert_uint_eq(last->out.page.count, 1);
	ck_assert(!last->out.page.more);
	ck_assert_str_eq(last->out.page.revocations[0].what.id, "t-0");
	beyond = listed(4, 2);
	ck_assert_uint_eq(beyond->out.page.count, 0);
	bad->in.revocations = (struct revocation_list_in){1, STORE_PAGE_MAX + 1};
	ck_assert_int_eq(lab_run(&lab, bad), STORE_INVALID);
}
END_TEST

/* What is full is refused, and room is made by what is over. */
START_TEST(there_are_never_more_than_may_be)
{
	char sql[512];
	AUTO(store_op) struct store_op *last = NULL, *fits = NULL;
	AUTO(store_op) struct store_op *refused = revoke_op(REVOCATION_TOKEN, "too-much", 0);

	(void)snprintf(sql, sizeof(sql),
	        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	        "INSERT INTO revocations (uuid, kind, name, before_s, until_s, created_at, "
	        "created_by) SELECT randomblob(16), 1, 't' || i, 0, %lld, 1, 'x' FROM n",
	        REVOCATIONS_MAX - 1, (long long)now_s() + 5);
	lab_write(&lab, sql);
	last = revoke(REVOCATION_TOKEN, "last", 0);
	ck_assert_uint_eq(last->out.revoke.all.count, REVOCATIONS_MAX);
	ck_assert_int_eq(lab_run(&lab, refused), STORE_CONFLICT);
	ck_assert_ptr_nonnull(strstr(refused->text, "10000 revocations"));
	lab_advance(&lab, 5 * LAB_SECOND);
	fits = revoke(REVOCATION_TOKEN, "fits", 0);
	ck_assert_uint_eq(fits->out.revoke.all.count, 2);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM revocations"), 2);
}
END_TEST

START_TEST(a_revocation_that_cannot_be_written_is_not_answered)
{
	AUTO(store_op) struct store_op *op = revoke_op(REVOCATION_TOKEN, "t-1", 0);
	AUTO(store_op) struct store_op *list = NULL;

	lab.fault_in = "REVOCATION_INSERT";
	ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
	lab.fault_in = NULL;
	list = listed(1, 0);
	ck_assert_uint_eq(list->out.page.count, 0);
}
END_TEST

START_TEST(a_damaged_row_is_refused)
{
	static const char *const damages[] = {"kind = 0", "kind = 99", "name = 'a' || char(0)"};
	AUTO(store_op) struct store_op *made = revoke(REVOCATION_TOKEN, "t-1", 0);
	AUTO(store_op) struct store_op *op = store_op_new(STORE_REVOCATION_LIST);
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "UPDATE revocations SET %s", damages[_i]);
	lab_write(&lab, sql);
	ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
}
END_TEST

/* ---- feed ---- */

static struct security_live *
open_live(void)
{
	static const struct security_settings off = {.enabled = false};
	struct security_report report = {.count = 0};
	struct security_service *service = NULL;
	struct security_live *live = NULL;
	struct err e = {0};

	ck_assert_msg(security_service_new(&off, &service, &report, &e), "%s", e.text);
	ck_assert(security_live_new(service, &live, &e));
	return live;
}

static bool
is_in_force(struct security_live *live, const char *jti)
{
	uint64_t generation;
	struct security_service *s = security_live_get(live, &generation);
	const struct security_context who = {
	        .method = AUTH_METHOD_JWT, .subject = "x", .token_id = jti};
	const bool hit = revocations_hit(security_service_revocations(s), &who);

	security_service_free(s);
	return hit;
}

START_TEST(an_older_list_changes_nothing)
{
	static const struct revocation_view views[] = {
	        {.what = {REVOCATION_TOKEN, "a", 0}}, {.what = {REVOCATION_TOKEN, "b", 0}}};
	const struct page_out one = {.count = 1, .revocations = views};
	const struct page_out both = {.count = 2, .revocations = views};
	const struct page_out none = {.count = 0, .revocations = views};
	struct security_live *live = open_live();
	struct revocation_feed *f = NULL;
	struct err e = {0};

	ck_assert(revocation_feed_new(live, &f, &e));
	ck_assert(revocation_feed_put(f, 0, &one, &e));
	ck_assert(is_in_force(live, "a") && !is_in_force(live, "b"));
	ck_assert(revocation_feed_put(f, 2, &both, &e));
	ck_assert(revocation_feed_put(f, 1, &one, &e));
	ck_assert(is_in_force(live, "a") && is_in_force(live, "b"));
	ck_assert(revocation_feed_put(f, 3, &none, &e));
	ck_assert(!is_in_force(live, "a") && !is_in_force(live, "b"));
	revocation_feed_free(f);
	revocation_feed_free(NULL);
	security_live_free(live);
}
END_TEST

/* What fails leaves in force what was, and can be put again. */
START_TEST(every_allocation_of_the_feed_may_fail)
{
	static const struct revocation_view views[] = {{.what = {REVOCATION_TOKEN, "a", 0}}};
	const struct page_out one = {.count = 1, .revocations = views};
	struct security_live *live = open_live();
	struct revocation_feed *f = NULL;
	struct err e = {0};
	unsigned nth = 0;
	bool done = false;

	while (!done && nth < 20) {
		fault_allocation(++nth);
		done = (f != NULL || revocation_feed_new(live, &f, &e)) &&
		       revocation_feed_put(f, 1, &one, &e);
		fault_allocation(0);
		ck_assert_int_eq(is_in_force(live, "a"), done);
	}
	ck_assert(done);
	ck_assert_uint_gt(nth, 4);
	revocation_feed_free(f);
	security_live_free(live);
}
END_TEST

Suite *
store_revoke_suite(void)
{
	Suite *s = suite_create("store_revoke");
	TCase *tc = tcase_create("store"), *feed = tcase_create("feed");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_store, close_store);
	tcase_add_test(tc, what_is_unknown_cannot_be_taken_back);
	tcase_add_test(tc, a_revocation_stays_until_it_is_taken_back);
	tcase_add_test(tc, each_change_tells_all_that_is_in_force);
	tcase_add_test(tc, what_is_over_is_left_out_and_goes_with_the_next);
	tcase_add_test(tc, pages_are_newest_first);
	tcase_add_test(tc, there_are_never_more_than_may_be);
	tcase_add_test(tc, a_revocation_that_cannot_be_written_is_not_answered);
	tcase_add_loop_test(tc, a_damaged_row_is_refused, 0, 3);
	suite_add_tcase(s, tc);
	tcase_add_test(feed, an_older_list_changes_nothing);
	tcase_add_test(feed, every_allocation_of_the_feed_may_fail);
	suite_add_tcase(s, feed);
	return s;
}
