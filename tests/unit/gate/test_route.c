/* Route tables: what is found, what is refused when one is made (PM4). */
#include "shared/gate/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
handler(struct request *req, const struct grant *grant, void *app)
{
	(void)req;
	(void)grant;
	(void)app;
}

/* An access given in braces would be torn apart as a macro's arguments. */
#define NEEDS_NOTHING                                                                              \
	{                                                                                          \
		.kind = ACCESS_NEEDS, .permission = PERMISSION__COUNT                              \
	}
#define INTERNAL_USER                                                                              \
	{                                                                                          \
		.kind = ACCESS_INTERNAL, .caller = CALLER_USER                                     \
	}
#define ROW_TO(m, p, a, b, max, h)                                                                 \
	{                                                                                          \
		.method = METHOD_##m, .path = (p), .access = a, .body = BODY_KIND_##b,             \
		.body_max = (max), .handler = (h), .summary = "x"                                  \
	}
#define ROW(m, p, a, b, max)                                                                       \
	{                                                                                          \
		.method = METHOD_##m, .path = (p), .access = a, .body = BODY_KIND_##b,             \
		.body_max = (max), .handler = handler, .summary = "x"                              \
	}

static const struct route rows[] = {
        ROW(GET, "/", OPEN, NO_BODY, 0),
        ROW(GET, "/v1/tasks", NEEDS(TASKS, LIST), NO_BODY, 0),
        ROW(POST, "/v1/tasks", NEEDS(TASKS, CREATE), JSON, 9),
        ROW(GET, "/v1/tasks/summary", SIGNED_IN, NO_BODY, 0),
        ROW(GET, "/v1/tasks/{task}", NEEDS(TASKS, READ), NO_BODY, 0),
        ROW(DELETE, "/v1/tasks/{id}", NEEDS(TASKS, CANCEL), NO_BODY, 0),
        ROW(GET, "/v1/{kind}/summary", OPEN, NO_BODY, 0),
        ROW(GET, "/v1/{a}/{b}/{c}/{d}", SIGNED_IN, NO_BODY, 0),
        ROW(PUT, "/v1/x/{b}/c/{d}", SIGNED_IN, JSON, 1),
};

static struct route_table *
table_or_fail(void)
{
	struct route_table *t = NULL;
	struct err e = {0};

	ck_assert_msg(route_table_new(rows, COUNT(rows), &t, &e), "%s", e.text);
	return t;
}

static enum match
find(const struct route_table *t, enum method method, const char *path, struct route_match *out)
{
	return route_table_find(t, method, (struct span){path, strlen(path)}, out);
}

static const struct {
	enum method method;
	const char *path;
	enum match match;
	int row;           /* of a full match */
	const char *holes; /* joined by '|' */
} finds[] = {
        {METHOD_GET,     "/",                                    MATCH_FULL,      0,  ""             },
        {METHOD_GET,     "/v1/tasks",                            MATCH_FULL,      1,  ""             },
        {METHOD_HEAD,    "/v1/tasks",                            MATCH_FULL,      1,  ""             }, /* PM6 */
        {METHOD_POST,    "/v1/tasks",                            MATCH_FULL,      2,  ""             },
        {METHOD_GET,     "/v1/tasks/summary",                    MATCH_FULL,      3,  ""             }, /* a literal wins over a hole */
        {METHOD_DELETE,  "/v1/tasks/summary",                    MATCH_FULL,      5,  "summary"      },
        {METHOD_GET,     "/v1/tasks/summarx",                    MATCH_FULL,      4,  "summarx"      },
        {METHOD_GET,     "/v1/tasks/%2e",                        MATCH_FULL,      4,  "%2e"          }, /* raw: HP10 */
        {METHOD_DELETE,  "/v1/tasks/7",                          MATCH_FULL,      5,  "7"            },
        {METHOD_GET,     "/v1/steps/summary",                    MATCH_FULL,      6,  "steps"        },
        {METHOD_GET,     "/v1/1/22/333/4444",                    MATCH_FULL,      7,  "1|22|333|4444"},
        {METHOD_PUT,     "/v1/x/22/c/4444",                      MATCH_FULL,      8,  "22|4444"      },
        {METHOD_GET,     "/v1/x/22/c/4444",                      MATCH_FULL,      7,  "x|22|c|4444"  },
        {METHOD_PATCH,   "/v1/tasks",                            MATCH_PATH_ONLY, -1, ""             },
        {METHOD_OPTIONS, "/v1/tasks",                            MATCH_PATH_ONLY, -1, ""             },
        {METHOD_POST,    "/v1/tasks/7",                          MATCH_PATH_ONLY, -1, ""             },
        {METHOD_GET,     "/v1/tasks/",                           MATCH_NONE,      -1, ""             }, /* a hole takes no empty segment */
        {METHOD_GET,     "/v1/tasks//summary",                   MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "/v1",                                  MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "/V1/tasks",                            MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "/v1/tasksx",                           MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "/v1/1/2/3/4/5",                        MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "",                                     MATCH_NONE,      -1, ""             },
        {METHOD_GET,     "v1/tasks",                             MATCH_NONE,      -1, ""             },
};

START_TEST(a_request_finds_the_most_specific_row)
{
	AUTO(route_table) struct route_table *t = table_or_fail();
	struct route_match m;
	char holes[256] = "";

	ck_assert_int_eq(find(t, finds[_i].method, finds[_i].path, &m), finds[_i].match);
	if (finds[_i].match == MATCH_FULL)
		ck_assert_ptr_eq(m.route, &rows[finds[_i].row]);
	else if (finds[_i].match == MATCH_PATH_ONLY)
		ck_assert_ptr_nonnull(m.route);
	else
		ck_assert_ptr_null(m.route);
	if (finds[_i].match != MATCH_FULL)
		return;
	for (size_t i = 0; i < m.hole_count; i++)
		(void)snprintf(holes + strlen(holes), sizeof(holes) - strlen(holes), "%s%.*s",
		        i == 0 ? "" : "|", (int)m.holes[i].len, m.holes[i].text);
	ck_assert_str_eq(holes, finds[_i].holes);
}
END_TEST

START_TEST(allowed_gathers_every_shape_that_fits)
{
	AUTO(route_table) struct route_table *t = table_or_fail();
	struct route_match m;

	ck_assert_int_eq(find(t, METHOD_PATCH, "/v1/tasks/summary", &m), MATCH_PATH_ONLY);
	ck_assert_uint_eq(m.allowed,
	        1U << METHOD_GET | 1U << METHOD_HEAD | 1U << METHOD_DELETE | 1U << METHOD_OPTIONS);
	ck_assert(m.open); /* "/v1/{kind}/summary" is */
	ck_assert_int_eq(find(t, METHOD_PATCH, "/v1/tasks", &m), MATCH_PATH_ONLY);
	ck_assert(!m.open);
}
END_TEST

static const struct route bad[] = {
        {0},
        ROW_TO(GET, "/a", {0}, NO_BODY, 0, handler),
        ROW_TO(GET, "/a", NEEDS_NOTHING, NO_BODY, 0, handler),
        ROW_TO(GET, "/a", {.kind = ACCESS_INTERNAL}, NO_BODY, 0, handler),
        ROW_TO(GET, "/a", INTERNAL_USER, NO_BODY, 0, handler),
        ROW(GET, "/a", OPEN, UNSET, 0),
        ROW(GET, "/a", OPEN, NO_BODY, 1),
        ROW(POST, "/a", OPEN, JSON, 0),
        ROW(GET, "/a", OPEN, JSON, 1),
        ROW(HEAD, "/a", OPEN, NO_BODY, 0),
        ROW(OPTIONS, "/a", OPEN, NO_BODY, 0),
        ROW(NONE, "/a", OPEN, NO_BODY, 0),
        ROW_TO(GET, "/a", OPEN, NO_BODY, 0, NULL),
        ROW(GET, NULL, OPEN, NO_BODY, 0),
        ROW(GET, "", OPEN, NO_BODY, 0),
        ROW(GET, "a", OPEN, NO_BODY, 0),
        ROW(GET, "/a/", OPEN, NO_BODY, 0),
        ROW(GET, "/a//b", OPEN, NO_BODY, 0),
        ROW(GET, "/a/{", OPEN, NO_BODY, 0),
        ROW(GET, "/a/{}", OPEN, NO_BODY, 0),
        ROW(GET, "/a/x{b}", OPEN, NO_BODY, 0),
        ROW(GET, "/a/{b}x", OPEN, NO_BODY, 0),
        ROW(GET, "/a/b}", OPEN, NO_BODY, 0),
        ROW(GET, "/{a}/{b}/{c}/{d}/{e}", OPEN, NO_BODY, 0),
        ROW(GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13", OPEN, NO_BODY, 0),
};

START_TEST(a_row_that_is_wrong_in_itself_makes_no_table)
{
	struct route_table *t = NULL;
	struct err e = {0};

	ck_assert_msg(!route_table_new(&bad[_i], 1, &t, &e), "row %d", _i);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(two_rows_for_the_same_requests_make_no_table)
{
	static const struct route twice[] = {
	        ROW(GET, "/a/{b}", OPEN, NO_BODY, 0), ROW(GET, "/a/{c}", SIGNED_IN, NO_BODY, 0)};
	struct route_table *t = NULL;
	struct err e = {0};

	ck_assert(!route_table_new(twice, COUNT(twice), &t, &e));
	ck_assert_str_eq(e.text, "route 1 (GET /a/{c}): another row matches the same requests");
}
END_TEST

/* The same answer as trying every row in turn, for thousands of paths without holes. */
START_TEST(hashed_paths_are_all_found_and_no_others)
{
	enum { ROWS = 500 };
	static char paths[ROWS][32];
	static struct route many[ROWS];
	AUTO(route_table) struct route_table *t = NULL;
	struct route_match m;
	struct err e = {0};

	for (int i = 0; i < ROWS; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "/p/%d/q", i * 7);
		many[i] = (struct route)ROW(GET, paths[i], OPEN, NO_BODY, 0);
	}
	ck_assert(route_table_new(many, ROWS, &t, &e));
	for (int i = 0; i < ROWS * 7; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/p/%d/q", i);
		ck_assert_int_eq(
		        find(t, METHOD_GET, path, &m), i % 7 == 0 ? MATCH_FULL : MATCH_NONE);
		if (i % 7 == 0)
			ck_assert_ptr_eq(m.route, &many[i / 7]);
	}
}
END_TEST

START_TEST(every_allocation_of_a_route_table_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		AUTO(route_table) struct route_table *t = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 20);
		fault_allocation(++nth);
		built = route_table_new(rows, COUNT(rows), &t, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert_uint_eq(nth, 4);
}
END_TEST

Suite *
route_suite(void)
{
	Suite *s = suite_create("route");
	TCase *tc = tcase_create("route");

	tcase_add_loop_test(tc, a_request_finds_the_most_specific_row, 0, COUNT(finds));
	tcase_add_test(tc, allowed_gathers_every_shape_that_fits);
	tcase_add_loop_test(tc, a_row_that_is_wrong_in_itself_makes_no_table, 0, COUNT(bad));
	tcase_add_test(tc, two_rows_for_the_same_requests_make_no_table);
	tcase_add_test(tc, hashed_paths_are_all_found_and_no_others);
	tcase_add_test(tc, every_allocation_of_a_route_table_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
