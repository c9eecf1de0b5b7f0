#include "ctl/endpoint.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	enum endpoint endpoint;
	const char *flag, *env;
	const char *url; /* NULL: refused */
} urls[] = {
        {ENDPOINT_ORCHESTRATION, NULL,                 NULL,                                "http://localhost:8080"},
        {ENDPOINT_WORKER,        NULL,                 NULL,                                "http://localhost:8081"},
        {ENDPOINT_ORCHESTRATION, NULL,                 "TASKER_ORCHESTRATION_URL=http://a", "http://a"             },
        {ENDPOINT_WORKER,        NULL,                 "TASKER_ORCHESTRATION_URL=http://a", "http://localhost:8081"},
        {ENDPOINT_WORKER,        NULL,                 "TASKER_WORKER_URL=http://b/",       "http://b"             },
        {ENDPOINT_WORKER,        "https://c:1/base//", "TASKER_WORKER_URL=http://b",        "https://c:1/base"     },
        {ENDPOINT_WORKER,        NULL,                 "TASKER_WORKER_URL=",                "http://localhost:8081"},
        {ENDPOINT_WORKER,        "localhost:8081",     NULL,                                NULL                   },
        {ENDPOINT_WORKER,        "ftp://a",            NULL,                                NULL                   },
        {ENDPOINT_WORKER,        "http://a?b",         NULL,                                NULL                   },
        {ENDPOINT_WORKER,        "http://a b",         NULL,                                NULL                   },
        {ENDPOINT_WORKER,        "http://a\r\nX: y",   NULL,                                NULL                   },
        {ENDPOINT_WORKER,        "",                   NULL,                                NULL                   },
};

START_TEST(an_address_is_the_flag_then_the_variable_then_the_default)
{
	const char *const env[] = {"OTHER=1", urls[_i].env, NULL};
	char url[ENDPOINT_URL_MAX] = "untouched";
	struct err e = {0};
	bool ok = endpoint_url(urls[_i].endpoint, urls[_i].flag, env, url, &e);

	ck_assert_int_eq(ok, urls[_i].url != NULL);
	ck_assert_str_eq(url, ok ? urls[_i].url : "untouched");
}
END_TEST

START_TEST(an_address_has_a_limit)
{
	char flag[ENDPOINT_URL_MAX + 1] = "http://", url[ENDPOINT_URL_MAX];
	struct err e = {0};

	memset(flag + 7, 'a', sizeof(flag) - 8);
	flag[ENDPOINT_URL_MAX] = '\0';
	ck_assert(!endpoint_url(ENDPOINT_WORKER, flag, NULL, url, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	flag[ENDPOINT_URL_MAX - 1] = '\0';
	ck_assert(endpoint_url(ENDPOINT_WORKER, flag, NULL, url, &e));
}
END_TEST

static const struct {
	const char *env;
	bool ok;
	int milliseconds;
} timeouts[] = {
        {NULL,                               true,  0      },
        {"TASKER_WORKER_TIMEOUT_MS=5",       true,  5      },
        {"TASKER_WORKER_TIMEOUT_MS=3600000", true,  3600000},
        {"TASKER_WORKER_TIMEOUT_MS=3600001", false, 0      },
        {"TASKER_WORKER_TIMEOUT_MS=0",       false, 0      },
        {"TASKER_WORKER_TIMEOUT_MS=-1",      false, 0      },
        {"TASKER_WORKER_TIMEOUT_MS=5s",      false, 0      },
};

START_TEST(a_timeout_is_a_number_within_limits)
{
	const char *const env[] = {timeouts[_i].env, NULL};
	struct err e = {0};
	int milliseconds = 0;

	ck_assert_int_eq(
	        endpoint_timeout(ENDPOINT_WORKER, env, &milliseconds, &e), timeouts[_i].ok);
	ck_assert_int_eq(milliseconds, timeouts[_i].milliseconds);
}
END_TEST

Suite *
endpoint_suite(void)
{
	Suite *s = suite_create("endpoint");
	TCase *tc = tcase_create("addresses");

	tcase_add_loop_test(
	        tc, an_address_is_the_flag_then_the_variable_then_the_default, 0, COUNT(urls));
	tcase_add_test(tc, an_address_has_a_limit);
	tcase_add_loop_test(tc, a_timeout_is_a_number_within_limits, 0, COUNT(timeouts));
	suite_add_tcase(s, tc);
	return s;
}
