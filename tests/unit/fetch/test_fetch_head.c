#include "shared/fetch/fetch_head.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct fetch_response
after(const char *const *lines, size_t count)
{
	struct fetch_response r = {.retry_after_s = -1};

	for (size_t i = 0; i < count; i++)
		fetch_head_line(&r, lines[i], strlen(lines[i]));
	return r;
}

static const struct {
	const char *line;
	int seconds;
} waits[] = {
        {"Retry-After: 7\r\n",                             7    },
        {"retry-after:0\r\n",                              0    },
        {"RETRY-AFTER:  \t15  \r\n",                       15   },
        {"Retry-After: 99999999999999999999\r\n",          86400},
        {"Retry-After: 86401\r\n",                         86400},
        {"Retry-After: \r\n",                              -1   },
        {"Retry-After: -1\r\n",                            -1   },
        {"Retry-After: 1.5\r\n",                           -1   },
        {"Retry-After: Sun, 22 Nov 2026 02:24:15 GMT\r\n", -1   },
        {"X-Retry-After: 7\r\n",                           -1   },
        {"Retry-After 7\r\n",                              -1   },
        {"\r\n",                                           -1   },
};

START_TEST(retry_after_is_read_as_seconds)
{
	struct fetch_response r = after(&waits[_i].line, 1);

	ck_assert_int_eq(r.retry_after_s, waits[_i].seconds);
}
END_TEST

START_TEST(first_field_of_a_name_counts)
{
	static const char *const lines[] = {"HTTP/1.1 200 OK\r\n", "X-Request-Id: a\r\n",
	        "X-Request-Id: b\r\n", "Retry-After: 1\r\n", "Retry-After: 2\r\n"};
	struct fetch_response r = after(lines, COUNT(lines));

	ck_assert_str_eq(r.request_id, "a");
	ck_assert_int_eq(r.retry_after_s, 1);
}
END_TEST

START_TEST(fields_of_an_interim_answer_are_forgotten)
{
	static const char *const lines[] = {"HTTP/1.1 103 Early Hints\r\n", "Location: /x\r\n",
	        "Content-Type: a\r\n", "X-Request-Id: b\r\n", "Retry-After: 9\r\n", "\r\n",
	        "HTTP/1.1 200 OK\r\n", "\r\n"};
	struct fetch_response r = after(lines, COUNT(lines));

	ck_assert_str_eq(r.location, "");
	ck_assert_str_eq(r.content_type, "");
	ck_assert_str_eq(r.request_id, "");
	ck_assert_int_eq(r.retry_after_s, -1);
}
END_TEST

START_TEST(value_too_long_for_its_place_counts_as_absent)
{
	char line[2048] = "Location: ";
	struct fetch_response r = {.retry_after_s = -1};
	size_t fits = sizeof(r.location) - 1;
	size_t name = strlen(line);

	memset(line + name, 'x', fits + 1);
	fetch_head_line(&r, line, name + fits + 1);
	ck_assert_str_eq(r.location, "");
	fetch_head_line(&r, line, name + fits);
	ck_assert_uint_eq(strlen(r.location), fits);
}
END_TEST

/* JK16: RFC 9111 section 5.2.2. */
static const struct {
	const char *line;
	int seconds;
} ages[] = {
        {"Cache-Control: max-age=3600\r\n",                  3600 },
        {"cache-control:public , MAX-AGE=60, immutable\r\n", 60   },
        {"Cache-Control: max-age=0\r\n",                     0    },
        {"Cache-Control: max-age=99999999999999999999\r\n",  86400},
        {"Cache-Control: no-store, max-age=3600\r\n",        0    },
        {"Cache-Control: no-cache\r\n",                      0    },
        {"Cache-Control: max-age=\r\n",                      -1   },
        {"Cache-Control: max-age=-1\r\n",                    -1   },
        {"Cache-Control: max-age=1x\r\n",                    -1   },
        {"Cache-Control: s-maxage=5\r\n",                    -1   },
        {"Cache-Control: ,,,\r\n",                           -1   },
        {"Cache-Control:\r\n",                               -1   },
        {"Expires: 0\r\n",                                   -1   },
};

START_TEST(jk16_max_age_is_read)
{
	struct fetch_response r = {.retry_after_s = -1, .max_age_s = -1};

	fetch_head_line(&r, ages[_i].line, strlen(ages[_i].line));
	ck_assert_int_eq(r.max_age_s, ages[_i].seconds);
}
END_TEST

Suite *
fetch_head_suite(void)
{
	Suite *s = suite_create("fetch_head");
	TCase *tc = tcase_create("fields");

	tcase_add_loop_test(tc, retry_after_is_read_as_seconds, 0, (int)COUNT(waits));
	tcase_add_test(tc, first_field_of_a_name_counts);
	tcase_add_test(tc, fields_of_an_interim_answer_are_forgotten);
	tcase_add_test(tc, value_too_long_for_its_place_counts_as_absent);
	tcase_add_loop_test(tc, jk16_max_age_is_read, 0, (int)COUNT(ages));
	suite_add_tcase(s, tc);
	return s;
}
