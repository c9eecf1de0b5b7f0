/*
 * A full lane over the wire: while the database is locked by somebody else, what finds room waits,
 * what does not is told so at once, and only what was answered 201 is there afterwards.
 */
#include <limits.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

enum { WAIT_MS = 200 }; /* for an operation to get from its socket to the store */

static struct pair pair;

static void
start(void)
{
	static char toml[PATH_MAX + 256];
	char root[PATH_MAX];

	token_maker_prepare();
	ck_assert_ptr_nonnull(getcwd(root, sizeof(root)));
	(void)snprintf(toml, sizeof(toml),
	        "queue_max = 1\nbusy_timeout_ms = 20000\ndeadline_ms = 20000\n"
	        "[templates]\npaths = [\"%s/config/templates\"]\n",
	        root);
	ck_assert(
	        pair_start(&pair, &(struct pair_settings){.store = toml, .without_worker = true}));
}

static void
stop(void)
{
	pair_stop(&pair);
}

/* Sends a create on a connection of its own and does not wait. */
static int
send_create(const char *admin, int number)
{
	char body[256], request[8192];
	int fd = wire_connect(pair.orchestration.port);

	(void)snprintf(body, sizeof(body),
	        "{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":{"
	        "\"n\":%d},"
	        "\"initiator\":\"e2e\",\"source_system\":\"test\",\"reason\":\"overload\"}",
	        number);
	(void)snprintf(request, sizeof(request),
	        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %zu\r\n\r\n%s",
	        admin, strlen(body), body);
	ck_assert(wire_send(fd, request, strlen(request)));
	(void)poll(NULL, 0, WAIT_MS);
	return fd;
}

START_TEST(full_lane_is_503_at_once_and_creates_nothing)
{
	char path[PATH_MAX], *admin = pair_admin();
	int64_t from;
	int fds[3];
	struct wire_reply r;
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/tasker.db", pair.dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	fds[0] = send_create(admin, 0); /* the writer takes it and waits for the lock */
	fds[1] = send_create(admin, 1); /* fills the lane */
	from = clock_mono_us();
	fds[2] = send_create(admin, 2);
	r = wire_read(fds[2], 5000, false, NULL);
	ck_assert_msg(r.status == 503, "%d %s", r.status, r.body);
	ck_assert_int_lt(clock_mono_us() - from, 2000000);
	ck_assert_ptr_nonnull(wire_field(&r, "Retry-After"));
	ck_assert_ptr_nonnull(strstr(r.body, "\"BACKPRESSURE\""));
	ck_assert_ptr_nonnull(strstr(r.body, "try again later"));
	wire_reply_free(&r);
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	for (int i = 0; i < 2; i++) {
		r = wire_read(fds[i], 15000, false, NULL);
		ck_assert_msg(r.status == 201, "%d: %d %s", i, r.status, r.body);
		wire_reply_free(&r);
	}
	r = wire_call(pair.orchestration.port, "GET", "/v1/tasks", admin, NULL);
	ck_assert_msg(strstr(r.body, "\"total_count\":2") != NULL, "%s", r.body);
	wire_reply_free(&r);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
	free(admin);
}
END_TEST

Suite *
overload_suite(void)
{
	Suite *s = suite_create("overload");
	TCase *tc = tcase_create("lane");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, full_lane_is_503_at_once_and_creates_nothing);
	suite_add_tcase(s, tc);
	return s;
}
