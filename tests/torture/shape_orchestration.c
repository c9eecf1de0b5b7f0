/* What a stranger, a user and a worker ask of the orchestration daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/wire.h"
#include "tests/torture/fault.h"
#include "tests/torture/requests.h"
#include "tests/unit/unit.h"

const enum config_role request_role = CONFIG_ORCHESTRATION;

const char request_settings[] =
        "enabled = true\n"
        "jwt_public_key_path = \"%s/users.pem\"\n"
        "[[web.auth.api_keys]]\nid = \"right\"\nkey = \"" REQUEST_RIGHT_KEY "\"\n"
        "permissions = [\"tasks:*\", \"steps:*\", \"templates:*\", \"system:*\", \"workers:*\", "
        "\"any:read\", \"any:write\"]\n"
        "[[web.auth.api_keys]]\nid = \"weak\"\nkey = \"" REQUEST_WEAK_KEY "\"\n"
        "permissions = [\"templates:read\"]\n"
        "[web]\nbind_address = \"127.0.0.1:0\"\nthreads = 1\nconfig_endpoint_enabled = true\n"
        "[web.internal]\npublic_key_path = \"%s/workers.pem\"\n"
        "[store]\nurl = \"sqlite://%s/tasker.db\"\n";

#define CREATE                                                                                     \
	"{\"name\":\"single\",\"namespace\":\"demo\",\"version\":\"1.0.0\","                       \
	"\"context\":{\"n\":%u},\"initiator\":\"t\",\"source_system\":\"t\",\"reason\":\"t\"}"
/* With every member that may be there. */
#define FULL                                                                                       \
	"{\"name\":\"single\",\"namespace\":\"demo\",\"version\":\"1.0.0\","                       \
	"\"context\":{\"n\":%u},\"initiator\":\"t\",\"source_system\":\"t\",\"reason\":\"t\","     \
	"\"idempotency_key\":\"%b\",\"tags\":[\"a\",\"b\"],\"priority\":3,\"options\":{},"         \
	"\"correlation_id\":\"%b\",\"parent_correlation_id\":\"%b\","                              \
	"\"requested_at\":\"2026-01-31T12:00:00\"}"
#define REGISTER                                                                                   \
	"{\"proto\":1,\"worker\":\"w1\",\"boot\":\"%b\",\"slots\":4,\"namespaces\":[\"demo\"],"    \
	"\"handlers\":[\"demo.a\"],\"templates\":[{\"yaml\":\"name: single\\nnamespace_name: "     \
	"demo\\nversion: '1.0.0'\\nsteps:\\n  - {name: a, handler: {callable: demo.a}}\\n\"}]}"
#define POLL "{\"id\":\"%b\",\"free\":0,\"held\":[],\"wait_ms\":0,\"results\":[]}"
#define NO_TASK "/v1/tasks/01970000-0000-7000-8000-000000000000"

const struct request_case request_cases[] = {
        {"whoami, nobody",          "GET",    "/v1/whoami",                      NOBODY,      NULL,     401},
        {"whoami, spoiled",         "GET",    "/v1/whoami",                      SPOILED,     NULL,     401},
        {"whoami, a stranger's",    "GET",    "/v1/whoami",                      STRANGER,    NULL,     401},
        {"whoami, HS256",           "GET",    "/v1/whoami",                      HMAC,        NULL,     401},
        {"whoami, expired",         "GET",    "/v1/whoami",                      EXPIRED,     NULL,     401},
        {"whoami, wrong key",       "GET",    "/v1/whoami",                      WRONG_KEY,   NULL,     401},
        {"whoami, worker",          "GET",    "/v1/whoami",                      SYSTEM,      NULL,     403},
        {"create, nobody",          "POST",   "/v1/tasks",                       NOBODY,      CREATE,   401},
        {"create, weak token",      "POST",   "/v1/tasks",                       WEAK,        CREATE,   403},
        {"create, weak key",        "POST",   "/v1/tasks",                       WEAK_KEY,    CREATE,   403},
        {"read, weak",              "GET",    NO_TASK,                           WEAK,        NULL,     403},
        {"cancel, weak",            "DELETE", NO_TASK,                           WEAK,        NULL,     403},
        {"config, weak",            "GET",    "/config",                         WEAK,        NULL,     403},
        {"register, a user",        "POST",   "/v1/internal/workers",            RIGHT,       REGISTER, 403},
        {"poll, nobody's session",  "POST",   "/v1/internal/poll",               BAD_SESSION, POLL,     401},
        {"poll, a user",            "POST",   "/v1/internal/poll",               RIGHT,       POLL,     403},
        {"unknown, nobody",         "GET",    "/v1/nothing",                     NOBODY,      NULL,     401},
        {"unknown, user",           "GET",    "/v1/nothing",                     RIGHT,       NULL,     404},
        {"wrong method",            "PUT",    "/v1/tasks",                       RIGHT,       NULL,     405},
        {"health",                  "GET",    "/health",                         NOBODY,      NULL,     200},
        {"health in detail",        "GET",    "/health/detailed",                NOBODY,      NULL,     200},
        {"metrics",                 "GET",    "/metrics",                        NOBODY,      NULL,     200},
        {"openapi",                 "GET",    "/api-docs/openapi.json",          NOBODY,      NULL,     200},
        {"config",                  "GET",    "/config",                         RIGHT,       NULL,     200},
        {"whoami, token",           "GET",    "/v1/whoami",                      RIGHT,       NULL,     200},
        {"whoami, key",             "GET",    "/v1/whoami",                      KEY,         NULL,     200},
        {"create, token",           "POST",   "/v1/tasks",                       RIGHT,       CREATE,   201},
        {"create, every member",    "POST",   "/v1/tasks",                       RIGHT,       FULL,     201},
        {"create, key",             "POST",   "/v1/tasks",                       KEY,         CREATE,   201},
        {"create, no JSON",         "POST",   "/v1/tasks",                       RIGHT,       "{\"n\"", 400},
        {"create, members missing", "POST",   "/v1/tasks",                       RIGHT,       "{}",     400},
        {"list",                    "GET",    "/v1/tasks?per_page=2",            RIGHT,       NULL,     200},
        {"read, missing",           "GET",    NO_TASK,                           RIGHT,       NULL,     404},
        {"steps, missing",          "GET",    NO_TASK "/workflow_steps",         RIGHT,       NULL,     404},
        {"cancel, missing",         "DELETE", NO_TASK,                           RIGHT,       NULL,     404},
        {"templates",               "GET",    "/v1/templates",                   WEAK,        NULL,     200},
        {"template",                "GET",    "/v1/templates/demo/single/1.0.0", WEAK,        NULL,     200},
        {"workers",                 "GET",    "/v1/workers",                     RIGHT,       NULL,     200},
        {"poll",                    "POST",   "/v1/internal/poll",               SESSION,     POLL,     200},
 /* Last: it ends the session before. */
        {"register",                "POST",   "/v1/internal/workers",            SYSTEM,      REGISTER, 200},
};
const size_t request_case_count = COUNT(request_cases);

char request_session[128];

void
requests_begin(const struct daemon_thread *d)
{
	static const char body[] =
	        "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"0197d6a0-0000-7000-8000-000000000001\","
	        "\"slots\":4,\"namespaces\":[\"demo\"],\"handlers\":[\"demo.a\"],\"templates\":["
	        "{\"yaml\":\"name: single\\nnamespace_name: demo\\nversion: '1.0.0'\\nsteps:\\n"
	        "  - {name: a, handler: {callable: demo.a}}\\n\"}]}";
	struct wire_reply r =
	        wire_call(d->port, "POST", "/v1/internal/workers", request_fields(SYSTEM), body);
	const char *at;

	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	at = strstr(r.body, "\"session\":\"");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "\"session\":\"%127[^\"]", request_session), 1);
	wire_reply_free(&r);
}

/* Nothing acknowledged is lost: at least as many tasks as were answered with 201. */
void
requests_end(const struct daemon_thread *d, unsigned created)
{
	struct wire_reply r =
	        wire_call(d->port, "GET", "/v1/tasks?per_page=1", request_fields(RIGHT), NULL);
	const char *at;
	unsigned total = 0;

	ck_assert_int_eq(r.status, 200);
	at = strstr(r.body, "\"total_count\":");
	ck_assert_msg(at != NULL, "%s", r.body);
	ck_assert_int_eq(sscanf(at, "\"total_count\":%u", &total), 1);
	ck_assert_uint_gt(created, 0);
	ck_assert_msg(total >= created, "%u tasks, %u were acknowledged", total, created);
	wire_reply_free(&r);
}
