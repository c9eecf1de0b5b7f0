/*
 * Route × credential, from routes.def of both daemons: every cell is asked through a real socket
 * and its answer asserted (CR1, CR7, CR12, PM3, PM4, OW1, LA-01, LA-03 to LA-05, WI1, WI2). A
 * protected route without a row in success.def fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/rand.h"
#include "shared/gate/route.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

enum which { orchestration, worker };
enum { BODY_PUBLIC = 1, BODY_POLL = 2 };

struct row {
	enum which daemon;
	enum method method;
	const char *path, *handler;
	struct access access;
};

static const struct row rows[] = {
#define ROUTE(m, p, a, b, max, h, s) {orchestration, METHOD_##m, p, #h, a},
#include "orchestration/routes.def"
#undef ROUTE
#define ROUTE(m, p, a, b, max, h, s) {worker, METHOD_##m, p, #h, a},
#include "worker/routes.def"
#undef ROUTE
};

#define TASK_BODY                                                                                  \
	"{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":{"         \
	"\"nonce\":\"@NONCE\"},"                                                                   \
	"\"initiator\":\"e2e\",\"source_system\":\"test\",\"reason\":\"matrix\"}"
#define REGISTER_BODY                                                                              \
	"{\"proto\":1,\"worker\":\"w-matrix\",\"boot\":\"0197d6a0-0000-7000-8000-00000000000@N\"," \
	"\"slots\":1,"                                                                             \
	"\"namespaces\":[\"matrix\"],\"handlers\":[\"matrix.none\"],\"templates\":[]}"
#define REVOCATION_BODY "{\"kind\":\"token\",\"id\":\"matrix-@NONCE\"}"
#define POLL_BODY                                                                                  \
	"{\"id\":\"0197d6a0-0000-7000-8000-00000000000@N\",\"free\":0,\"held\":[],\"wait_ms\":0,"  \
	"\"results\":[]}"

static const struct success {
	enum which daemon;
	const char *handler, *path, *body;
	int status, foreign;
} successes[] = {
#define SUCCESS(d, h, p, b, s, f) {d, #h, p, b, s, f},
#include "tests/e2e/success.def"
#undef SUCCESS
};

enum credential {
	NONE,
	MALFORMED,
	BASIC,
	EXPIRED,
	WRONG_ISSUER,
	WRONG_AUDIENCE,
	WRONG_KEY,
	UNKNOWN_API_KEY,
	NO_PERMISSION,
	OTHER_PERMISSION,
	EXACT,
	WILDCARD,
	API_KEY,
	FOREIGN_TENANT,
	SYSTEM,
	SESSION,
	CREDENTIALS,
};

static const char *const credential_names[CREDENTIALS] = {"none", "malformed", "basic", "expired",
        "wrong issuer", "wrong audience", "wrong key", "unknown API key", "no permission",
        "other permission", "exact", "wildcard", "API key", "foreign tenant", "system", "session"};

/* A template whose only step nobody handles: its tasks stay as they are. */
#define IDLE_TEMPLATE                                                                              \
	"name: idle\\nnamespace_name: matrix\\nversion: '1.0.0'\\nsteps:\\n  - name: only\\n"      \
	"    handler: {callable: matrix.none}\\n"

static struct pair pair;
static char session_header[128];

/* Opens a session of its own by hand, so that the poll route has a credential. */
static bool
open_session(void)
{
	char *system = pair_system("w-matrix", "matrix");
	struct wire_reply r =
	        wire_call(pair.orchestration.port, "POST", "/v1/internal/workers", system,
	                "{\"proto\":1,\"worker\":\"w-matrix\",\"boot\":"
	                "\"0197d6a0-0000-7000-8000-000000000001\",\"slots\":1,"
	                "\"namespaces\":[\"matrix\"],\"handlers\":[\"matrix.none\"],\"templates\":["
	                "{\"yaml\":\"" IDLE_TEMPLATE "\"}]}");
	char *secret = pair_member(r.body, "session");

	(void)snprintf(session_header, sizeof(session_header), "Authorization: Bearer %s\r\n",
	        secret != NULL ? secret : "");
	free(secret);
	free(system);
	wire_reply_free(&r);
	return session_header[22] == 't';
}

static void
start(void)
{
	token_maker_prepare();
	ck_assert(pair_start(&pair, &(struct pair_settings){.config_endpoint = true}));
	ck_assert(pair_template(&pair, "/v1/templates/demo/diamond/1.0.0"));
}

static void
stop(void)
{
	pair_stop(&pair);
}

static const struct success *
success_of(const struct row *row)
{
	for (size_t i = 0; i < COUNT(successes); i++)
		if (successes[i].daemon == row->daemon &&
		        strcmp(successes[i].handler, row->handler) == 0)
			return &successes[i];
	return NULL;
}

/* The header lines of a credential for this row; owned. */
static char *
header_of(const struct row *row, enum credential c)
{
	bool needs = row->access.kind == ACCESS_NEEDS;
	const char *exact = needs ? permission_spelled(row->access.permission) : PAIR_ALL;
	char wildcard[64];
	struct pair_claims claims = {.permissions = exact, .tenant = "acme"};

	(void)snprintf(wildcard, sizeof(wildcard), "%.*s:*", (int)strcspn(exact, ":"), exact);
	switch (c) {
	case NONE:
		return strdup("");
	case MALFORMED:
		return strdup("Authorization: Bearer not.a.token\r\n");
	case BASIC:
		return strdup(
		        "Authorization: Basic dXNlcjpwYXNz\r\nX-API-Key: " PAIR_API_KEY "\r\n");
	case EXPIRED:
		claims.age_s = 7200;
		break;
	case WRONG_ISSUER:
		claims.issuer = "somebody-else";
		break;
	case WRONG_AUDIENCE:
		claims.audience = "another-api";
		break;
	case WRONG_KEY:
		claims.key = TOKEN_KEY_RSA_OTHER;
		break;
	case UNKNOWN_API_KEY:
		return strdup("X-API-Key: tk_e2e-0000000000000000000000000000000000000000\r\n");
	case NO_PERMISSION:
		claims.permissions = NULL;
		break;
	case OTHER_PERMISSION: /* any but the one asked for */
		claims.permissions = needs && row->access.permission == PERMISSION_DLQ_READ
		                             ? "tasks:read"
		                             : "dlq:read";
		break;
	case WILDCARD:
		claims.permissions = needs ? wildcard : PAIR_ALL;
		break;
	case API_KEY:
		return strdup("X-API-Key: " PAIR_API_KEY "\r\n");
	case FOREIGN_TENANT:
		claims.tenant = "umbrella";
		break;
	case SYSTEM:
		return pair_system("w-matrix", "matrix");
	case SESSION:
		return strdup(session_header);
	case EXACT:
	case CREDENTIALS:
	default:
		break;
	}
	return pair_bearer(&claims);
}

static bool
is_bad(enum credential c)
{
	return c <= UNKNOWN_API_KEY;
}

static bool
is_user(enum credential c)
{
	return c >= NO_PERMISSION && c <= FOREIGN_TENANT;
}

/* The one table of what must be answered; 0 stands for the success of the route. */
static int
expected(const struct row *row, enum credential c)
{
	const struct success *s = success_of(row);

	if (row->access.kind == ACCESS_OPEN)
		return 0;
	/* A session belongs to the orchestration: elsewhere it is no credential at all. */
	if (is_bad(c) || (row->daemon == worker && c == SESSION))
		return 401;
	/* The worker knows no key of workers. */
	if (row->daemon == worker && c == SYSTEM)
		return row->access.kind == ACCESS_OPEN ? 0 : 401;
	if (row->access.kind == ACCESS_INTERNAL) {
		bool right = row->access.caller == CALLER_SYSTEM ? c == SYSTEM : c == SESSION;

		return right ? 0 : 403;
	}
	if (!is_user(c))
		return 403;
	if (row->access.kind == ACCESS_NEEDS && (c == NO_PERMISSION || c == OTHER_PERMISSION))
		return 403;
	return c == FOREIGN_TENANT ? s->foreign : 0;
}

/* The path of a fresh revocation, which hits nobody. */
static void
put_revocation(struct buf *b, const char *admin)
{
	AUTO(wire_reply)
	struct wire_reply r = wire_call(pair.orchestration.port, "POST", "/v1/auth/revocations",
	        admin, "{\"kind\":\"token\",\"id\":\"matrix\"}");
	const char *path = wire_field(&r, "Location");

	ck_assert_ptr_nonnull(path);
	buf_text(b, path);
}

/* Replaces @TASK, @STEP, @REVOCATION, @NONCE and @N in text; owned. */
static char *
filled(const char *text)
{
	AUTO(buf) struct buf b = BUF(KIB(8));
	char *admin = pair_admin(), *task = NULL, *step = NULL;
	char path[96];

	if (strstr(text, "@TASK") != NULL) {
		struct wire_reply r;

		task = pair_task(&pair, admin, "matrix", "idle");
		(void)snprintf(path, sizeof(path), "/v1/tasks/%s/workflow_steps", task);
		r = wire_call(pair.orchestration.port, "GET", path, admin, NULL);
		step = pair_member(r.body, "step_uuid");
		wire_reply_free(&r);
	}
	while (*text != '\0') {
		size_t plain = strcspn(text, "@");

		buf_add(&b, text, plain);
		text += plain;
		if (strncmp(text, "@TASK", 5) == 0) {
			buf_text(&b, task);
			text += 5;
		} else if (strncmp(text, "@STEP", 5) == 0) {
			buf_text(&b, step);
			text += 5;
		} else if (strncmp(text, "@REVOCATION", 11) == 0) {
			put_revocation(&b, admin);
			text += 11;
		} else if (strncmp(text, "@NONCE", 6) == 0) {
			buf_format(&b, "%llx", (unsigned long long)rand_u64());
			text += 6;
		} else if (strncmp(text, "@N", 2) == 0) {
			buf_format(&b, "%llx", (unsigned long long)(rand_u64() % 16));
			text += 2;
		}
	}
	free(admin);
	free(task);
	free(step);
	return buf_take_text(&b);
}

static int
ask(const struct row *row, enum credential c)
{
	const struct success *s = success_of(row);
	int port = row->daemon == worker ? pair.worker.port : pair.orchestration.port;
	char *path = filled(s != NULL ? s->path : row->path);
	char *body = s != NULL && s->body != NULL ? filled(s->body) : NULL;
	char *header = header_of(row, c);
	struct wire_reply r = wire_call(port, method_name(row->method), path, header, body);
	int status = r.status;

	if (status == 401) /* RFC 6750: says how to authenticate */
		ck_assert_ptr_nonnull(wire_field(&r, "WWW-Authenticate"));
	ck_assert(status == 200 || status == 201 || status == 204 ||
	          wire_field(&r, "Content-Type") != NULL);
	free(path);
	free(body);
	free(header);
	wire_reply_free(&r);
	return status;
}

START_TEST(every_cell_answers_as_its_row_says)
{
	const struct row *row = &rows[_i];
	const struct success *s = success_of(row);

	for (int c = 0; c < CREDENTIALS; c++) {
		int want = expected(row, (enum credential)c), got;

		if (want == 0)
			want = s != NULL ? s->status : 200;
		ck_assert(open_session());
		got = ask(row, (enum credential)c);
		ck_assert_msg(got == want, "%s %s with %s: wanted %d, got %d",
		        method_name(row->method), row->path, credential_names[c], want, got);
	}
}
END_TEST

START_TEST(protected_route_has_its_success)
{
	const struct row *row = &rows[_i];

	ck_assert_int_ne(row->access.kind, ACCESS_UNSET);
	if (row->access.kind != ACCESS_OPEN)
		ck_assert_msg(success_of(row) != NULL, "%s %s has no row in success.def",
		        method_name(row->method), row->path);
	else /* CR12: the public set is exactly this */
		ck_assert(strncmp(row->path, "/health", 7) == 0 ||
		          strncmp(row->path, "/metrics", 8) == 0 ||
		          strncmp(row->path, "/api-docs", 9) == 0);
}
END_TEST

Suite *
matrix_suite(void)
{
	Suite *s = suite_create("matrix");
	TCase *table = tcase_create("table");
	TCase *cells = tcase_create("cells");

	tcase_add_loop_test(table, protected_route_has_its_success, 0, COUNT(rows));
	suite_add_tcase(s, table);
	tcase_add_unchecked_fixture(cells, start, stop);
	tcase_set_timeout(cells, 60);
	tcase_add_loop_test(cells, every_cell_answers_as_its_row_says, 0, COUNT(rows));
	suite_add_tcase(s, cells);
	return s;
}
