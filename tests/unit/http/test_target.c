/* Which targets a router may see, and how they are taken apart. */
#include "shared/http/target.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text, *path, *query; /* query NULL: there is none */
} fine[] = {
        {"/",                        "/",                    NULL            },
        {"/v1/tasks",                "/v1/tasks",            NULL            },
        {"/v1/tasks?",               "/v1/tasks",            ""              },
        {"/v1/tasks?status=error&x", "/v1/tasks",            "status=error&x"},
        {"/a?b?c",                   "/a",                   "b?c"           },
        {"/a?//../%2F%2e",           "/a",                   "//../%2F%2e"   },
        {"/a%20b",                   "/a%20b",               NULL            },
        {"/a..b/...",                "/a..b/...",            NULL            },
        {"/%90%a9%Fa%fA%Af",         "/%90%a9%Fa%fA%Af",     NULL            },
        {"/.hidden",                 "/.hidden",             NULL            },
        {"/a/",                      "/a/",                  NULL            },
        {"/a;b=c/~d!$&'()*+,:@",     "/a;b=c/~d!$&'()*+,:@", NULL            },
};

START_TEST(a_target_is_taken_apart_at_its_first_question_mark_HP10)
{
	struct target t = {0};
	const char *query = fine[_i].query;

	ck_assert_ptr_null(target_parse(fine[_i].text, strlen(fine[_i].text), &t));
	ck_assert_uint_eq(t.path.len, strlen(fine[_i].path));
	ck_assert_mem_eq(t.path.text, fine[_i].path, t.path.len);
	ck_assert_int_eq(t.has_query, query != NULL);
	ck_assert_uint_eq(t.query.len, query != NULL ? strlen(query) : 0);
	if (query != NULL)
		ck_assert_mem_eq(t.query.text, query, t.query.len);
}
END_TEST

static const struct {
	const char *text, *reason;
} refused[] = {
        {"",          "the target is not in origin form"                                          },
        {"*",         "the target is not in origin form"                                          },
        {"a:80",      "the target is not in origin form"                                          },
        {"http://a/", "the target is not in origin form"                                          },
        {"//a",       "an empty segment in the path"                                              },
        {"/a//",      "an empty segment in the path"                                              },
        {"/./a",      "a dot segment in the path"                                                 },
        {"/a/.",      "a dot segment in the path"                                                 },
        {"/..",       "a dot segment in the path"                                                 },
        {"/a/../b",   "a dot segment in the path"                                                 },
        {"/a/..?b",   "a dot segment in the path"                                                 },
        {"/a\\b",     "a backslash in the path"                                                   },
        {"/a b",      "a character in the target that has to be escaped"                          },
        {"/a#b",      "a character in the target that has to be escaped"                          },
        {"/a?b#c",    "a character in the target that has to be escaped"                          },
        {"/\x80",     "a character in the target that has to be escaped"                          },
        {"/a\x7f",    "a character in the target that has to be escaped"                          },
        {"/%",        "a malformed escape in the path"                                            },
        {"/%4",       "a malformed escape in the path"                                            },
        {"/%4g",      "a malformed escape in the path"                                            },
        {"/%00",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/%1f",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/%7F",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/%2f",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/%5C",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/%2e",      "an escape in the path that hides a separator, a dot or a control character"},
        {"/?%0",      "a malformed escape in the query"                                           },
        {"/?%x0",     "a malformed escape in the query"                                           },
        {"/?%00",     "an escaped NUL in the query"                                               },
};

START_TEST(a_target_with_two_readings_is_refused_HP9_HP10)
{
	struct target t = {0};

	ck_assert_pstr_eq(
	        target_parse(refused[_i].text, strlen(refused[_i].text), &t), refused[_i].reason);
	ck_assert_ptr_null(t.path.text);
}
END_TEST

Suite *
target_suite(void)
{
	Suite *s = suite_create("target");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, a_target_with_two_readings_is_refused_HP9_HP10, 0, COUNT(refused));
	tcase_add_loop_test(
	        tc, a_target_is_taken_apart_at_its_first_question_mark_HP10, 0, COUNT(fine));
	suite_add_tcase(s, tc);
	return s;
}
