/* What a stranger and a user ask of the worker daemon. Its orchestration never answers. */
#include "tests/torture/requests.h"
#include "tests/unit/unit.h"

const enum config_role request_role = CONFIG_WORKER;

const char request_settings[] =
        "enabled = true\n"
        "jwt_public_key_path = \"%s/users.pem\"\n"
        "[[web.auth.api_keys]]\nid = \"right\"\nkey = \"" REQUEST_RIGHT_KEY "\"\n"
        "permissions = [\"worker:*\", \"templates:*\"]\n"
        "[[web.auth.api_keys]]\nid = \"weak\"\nkey = \"" REQUEST_WEAK_KEY "\"\n"
        "permissions = [\"templates:read\"]\n"
        "[web]\nbind_address = \"127.0.0.1:0\"\nthreads = 1\nconfig_endpoint_enabled = true\n"
        "[link]\nurl = \"http://127.0.0.1:1\"\ntoken_path = \"%s/worker.token\"\n"
        "[worker]\nid = \"w1\"\nnamespaces = [\"demo\"]\n";

const struct request_case request_cases[] = {
        {"whoami, nobody",        "GET",    "/v1/whoami",                 NOBODY,    NULL, 401},
        {"whoami, spoiled",       "GET",    "/v1/whoami",                 SPOILED,   NULL, 401},
        {"whoami, HS256",         "GET",    "/v1/whoami",                 HMAC,      NULL, 401},
        {"whoami, wrong key",     "GET",    "/v1/whoami",                 WRONG_KEY, NULL, 401},
        {"templates, weak token", "GET",    "/v1/templates",              WEAK,      NULL, 403},
        {"templates, weak key",   "GET",    "/v1/templates",              WEAK_KEY,  NULL, 403},
        {"config, weak",          "GET",    "/config",                    WEAK,      NULL, 403},
        {"config, nobody",        "GET",    "/config",                    NOBODY,    NULL, 401},
        {"unknown, user",         "GET",    "/v1/nothing",                RIGHT,     NULL, 404},
        {"wrong method",          "DELETE", "/v1/templates",              RIGHT,     NULL, 405},
        {"health",                "GET",    "/health",                    NOBODY,    NULL, 200},
        {"metrics",               "GET",    "/metrics",                   NOBODY,    NULL, 200},
        {"config",                "GET",    "/config",                    RIGHT,     NULL, 200},
        {"whoami, token",         "GET",    "/v1/whoami",                 RIGHT,     NULL, 200},
        {"whoami, key",           "GET",    "/v1/whoami",                 KEY,       NULL, 200},
        {"templates",             "GET",    "/v1/templates",              RIGHT,     NULL, 200},
        {"template, missing",     "GET",    "/v1/templates/demo/a/1.0.0", RIGHT,     NULL, 404},
};
const size_t request_case_count = COUNT(request_cases);

char request_session[128];

void
requests_begin(const struct daemon_thread *d)
{
	(void)d;
}

/* It creates nothing. */
void
requests_end(const struct daemon_thread *d, unsigned created)
{
	(void)d;
	ck_assert_uint_eq(created, 0);
}
