/* What can go wrong on the way, and that the error says what, where and what to do (JK2). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/fetch/fetch.h"
#include "tests/unit/fetch/peer.h"
#include "tests/unit/unit.h"

enum { RESPONSE_MAX = 8 };

static struct fetch *
client(const char *ca_path)
{
	struct fetch_options options = {.peer = "tasker-orchestration", .ca_path = ca_path};
	struct fetch *f = NULL;
	struct err e = {0};

	ck_assert_msg(fetch_new(&options, &f, &e), "%s", e.text);
	return f;
}

static struct fetch_request
get(const char *url)
{
	return (struct fetch_request){.method = "GET",
	        .url = url,
	        .connect_timeout_ms = 2000,
	        .timeout_ms = 5000,
	        .response_max = RESPONSE_MAX};
}

static void
check_fault(
        struct fetch *f, const struct fetch_request *request, enum err_code code, const char *text)
{
	struct fetch_response r = {.status = 77};
	struct err e = {0};

	ck_assert(!fetch_send(f, request, &r, &e));
	ck_assert_str_eq(e.text, text);
	ck_assert_int_eq(e.code, code);
	ck_assert_int_eq(r.status, 77); /* untouched */
	ck_assert_ptr_null(r.body.data);
}

/* text with the %s in it replaced by the peer's scheme, host and port. */
static const char *
about(const struct peer *p, const char *text)
{
	static char out[256];
	char origin[64];

	(void)snprintf(origin, sizeof(origin), "%.*s", (int)(strlen(p->url) - strlen("/v1/tasks")),
	        p->url);
	(void)snprintf(out, sizeof(out), "%.*s%s%s", (int)strcspn(text, "@"), text, origin,
	        strchr(text, '@') + 1);
	return out;
}

#define HEAD(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CUT "@ closed the connection before its answer was complete"
#define LONG "the answer of @ is longer than 8 bytes"
/* clang-format off */
static const struct {
	const char *answer;
	enum err_code code;
	const char *text; /* @ stands for the origin */
} answers[] = {
	{HEAD("100") "short", ERR_IO, CUT},
	{CHUNKED "5\r\nab", ERR_IO, CUT},
	{"", ERR_IO, CUT},
	{HEAD("9") "123456789", ERR_LIMIT, LONG},
	{CHUNKED "5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n", ERR_LIMIT, LONG},
	{"HTTP/1.1 200 OK\r\n\r\n123456789", ERR_LIMIT, LONG},
	{"gopher says hello\r\n", ERR_IO, "@ does not speak HTTP"},
};
/* clang-format on */

START_TEST(answer_that_is_not_usable_is_a_fault)
{
	struct peer_line script[] = {
	        {.answer = answers[_i].answer, .end = PEER_CLOSE}
        };
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_fault(f, &request, answers[_i].code, about(&p, answers[_i].text));
	peer_end(&p);
}
END_TEST

START_TEST(answer_of_just_the_allowed_length_is_taken)
{
	static const struct peer_line script[] = {{.answer = HEAD("8") "12345678"}};
	AUTO(fetch) struct fetch *f = client(NULL);
	AUTO(fetch_response) struct fetch_response r = {0};
	struct fetch_request request;
	struct err e = {0};
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	ck_assert(fetch_send(f, &request, &r, &e));
	ck_assert_uint_eq(r.body.len, RESPONSE_MAX);
	peer_end(&p);
}
END_TEST

START_TEST(server_that_stays_silent_is_given_up)
{
	static const struct peer_line script[] = {
	        {.answer = "", .end = PEER_HOLD}
        };
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	request.timeout_ms = 50;
	check_fault(f, &request, ERR_IO, about(&p, "@ gave no answer within 50 ms"));
	peer_end(&p);
}
END_TEST

START_TEST(server_that_dribbles_is_given_up)
{
	static const struct peer_line script[] = {
	        {.answer = HEAD("8") "1234", .end = PEER_HOLD}
        };
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	request.timeout_ms = 50;
	check_fault(f, &request, ERR_IO, about(&p, "@ gave no answer within 50 ms"));
	peer_end(&p);
}
END_TEST

START_TEST(refused_connection_says_who_should_be_running)
{
	AUTO(fetch) struct fetch *f = client(NULL);
	char url[64], text[160];
	struct fetch_request request = get(url);
	int port = peer_dead_port();

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/tasks?secret=1", port);
	(void)snprintf(text, sizeof(text),
	        "cannot connect to http://127.0.0.1:%d: Connection refused; is "
	        "tasker-orchestration "
	        "running?",
	        port);
	check_fault(f, &request, ERR_IO, text);
}
END_TEST

static const struct {
	const char *url, *text;
} urls[] = {
        {"file:///etc/passwd",              "not an address that begins with http:// or https://"},
        {"ftp://127.0.0.1/x",               "not an address that begins with http:// or https://"},
        {"gopher://127.0.0.1/x",            "not an address that begins with http:// or https://"},
        {"",                                "not an address that begins with http:// or https://"},
        {"http://",                         "not an address that begins with http:// or https://"},
        {"http://127.0.0.1:1/a\r\nX: y",    "not an address that begins with http:// or https://"},
        {"http://127.0.0.1:99999/",         "not an address that begins with http:// or https://"},
        {"http://user:secret@127.0.0.1:1/", "an address must not hold a user name or password"   },
};

START_TEST(address_we_do_not_ask_is_refused)
{
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request = get(urls[_i].url);

	check_fault(f, &request, ERR_FORMAT, urls[_i].text);
}
END_TEST

static const struct fetch_header forged[] = {
        {"X-A",           "b\r\nX-C: d"},
        {"X-A",           "b\nX-C: d"  },
        {"X-A",           "b\rc"       },
        {"X-A",           "b\x7f"      },
        {"X-A: b\r\nX-C", "d"          },
        {"X A",           "b"          },
        {"",              "b"          },
};

START_TEST(header_that_would_forge_another_is_refused)
{
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request = get("http://127.0.0.1:1/");

	request.headers = &forged[_i];
	request.header_count = 1;
	check_fault(f, &request, ERR_FORMAT, "header 1 has characters that a header must not have");
}
END_TEST

START_TEST(method_is_a_word_and_headers_are_limited)
{
	static const struct fetch_header many[FETCH_HEADERS_MAX + 1];
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request = get("http://127.0.0.1:1/");

	request.method = "GET /x HTTP/1.1\r\n";
	check_fault(f, &request, ERR_FORMAT, "a method must be a word");
	request.method = "";
	check_fault(f, &request, ERR_FORMAT, "a method must be a word");
	request.method = "GET";
	request.headers = many;
	request.header_count = COUNT(many);
	check_fault(f, &request, ERR_LIMIT, "more than 16 headers");
}
END_TEST

/* A label beyond 63 bytes has no address, and the resolver knows without asking anybody. */
START_TEST(host_without_an_address_is_named)
{
	static const char host[] =
	        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	        ":8080";
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request = get(host);
	char text[160];

	(void)snprintf(text, sizeof(text), "cannot find the host of %s; check its name", host);
	check_fault(f, &request, ERR_IO, text);
}
END_TEST

/* ---- TLS, against openssl s_server with a certificate made on the spot ---- */

struct tls_peer {
	char folder[32], certificate[64], url[64];
	FILE *server;
};

static void
tls_start(struct tls_peer *t)
{
	char command[512], line[256];
	const char *port;

	*t = (struct tls_peer){.folder = "/tmp/tasker-fetch-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(t->folder));
	(void)snprintf(t->certificate, sizeof(t->certificate), "%s/cert.pem", t->folder);
	(void)snprintf(command, sizeof(command),
	        "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	        "-days 2 "
	        "-keyout key.pem -out cert.pem -subj /CN=tasker -addext "
	        "subjectAltName=IP:127.0.0.1 "
	        "2>log && exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem "
	        "-www "
	        "-naccept 1 2>&1",
	        t->folder);
	t->server = popen(command, "re"); /* ends by itself after one connection */
	ck_assert_ptr_nonnull(t->server);
	do
		ck_assert_msg(fgets(line, sizeof(line), t->server) != NULL, "no openssl s_server");
	while (strncmp(line, "ACCEPT 127.0.0.1:", 17) != 0);
	port = line + 17;
	(void)snprintf(
	        t->url, sizeof(t->url), "https://127.0.0.1:%.*s", (int)strcspn(port, "\r\n"), port);
}

static void
tls_end(struct tls_peer *t)
{
	static const char *const files[] = {"cert.pem", "key.pem", "log"};
	char line[256];

	while (fgets(line, sizeof(line), t->server) != NULL)
		;
	(void)pclose(t->server);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(line, sizeof(line), "%s/%s", t->folder, files[i]);
		(void)unlink(line);
	}
	(void)rmdir(t->folder);
}

START_TEST(certificate_of_a_named_issuer_is_trusted)
{
	AUTO(fetch_response) struct fetch_response r = {0};
	struct fetch *f;
	struct fetch_request request;
	struct err e = {0};
	struct tls_peer t;

	tls_start(&t);
	f = client(t.certificate);
	request = get(t.url);
	request.response_max = KIB(64);
	ck_assert_msg(fetch_send(f, &request, &r, &e), "%s", e.text);
	ck_assert_int_eq(r.status, 200);
	fetch_free(f);
	tls_end(&t);
}
END_TEST

START_TEST(certificate_of_a_stranger_is_refused)
{
	struct fetch_response r = {.status = 77};
	struct fetch *f = client(NULL);
	struct fetch_request request;
	struct err e = {0};
	char start[128];
	struct tls_peer t;

	tls_start(&t);
	request = get(t.url);
	ck_assert(!fetch_send(f, &request, &r, &e));
	ck_assert_int_eq(e.code, ERR_IO);
	(void)snprintf(start, sizeof(start), "the certificate of %s is not trusted (", t.url);
	ck_assert_msg(strncmp(e.text, start, strlen(start)) == 0, "%s", e.text);
	ck_assert_int_eq(r.status, 77);
	fetch_free(f);
	tls_end(&t);
}
END_TEST

START_TEST(certificate_for_another_name_is_refused)
{
	struct fetch_response r = {0};
	struct fetch_request request;
	struct fetch *f;
	struct err e = {0};
	char url[64];
	struct tls_peer t;

	tls_start(&t);
	f = client(t.certificate);
	(void)snprintf(url, sizeof(url), "https://localhost:%s", strrchr(t.url, ':') + 1);
	request = get(url);
	ck_assert(!fetch_send(f, &request, &r, &e));
	ck_assert_msg(strstr(e.text, "is not trusted") != NULL, "%s", e.text);
	fetch_free(f);
	tls_end(&t);
}
END_TEST

START_TEST(missing_file_of_issuers_is_named)
{
	AUTO(fetch) struct fetch *f = client("/nowhere/ca.pem");
	struct fetch_request request;
	struct fetch_response r = {0};
	struct err e = {0};
	struct tls_peer t;

	tls_start(&t);
	request = get(t.url);
	ck_assert(!fetch_send(f, &request, &r, &e));
	ck_assert_msg(strncmp(e.text, "cannot read the file of trusted issuers: ", 41) == 0, "%s",
	        e.text);
	ck_assert_ptr_nonnull(strstr(e.text, "/nowhere/ca.pem"));
	fetch_free(TAKE(f));
	tls_end(&t);
}
END_TEST

START_TEST(https_to_a_plain_server_asks_whether_it_is_https)
{
	static const struct peer_line script[] = {
	        {.answer = HEAD("0"), .unasked = true, .end = PEER_HOLD}
        };
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_response r = {0};
	struct fetch_request request;
	struct err e = {0};
	struct peer p;
	char url[96];

	peer_start(&p, f, script, COUNT(script));
	(void)snprintf(url, sizeof(url), "https%.63s", p.url + strlen("http"));
	request = get(url);
	ck_assert(!fetch_send(f, &request, &r, &e));
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_msg(strstr(e.text, "; is it https?") != NULL, "%s", e.text);
	peer_end(&p);
}
END_TEST

START_TEST(handshake_that_stalls_is_given_up)
{
	static const struct peer_line script[] = {
	        {.answer = "", .unasked = true, .end = PEER_HOLD}
        };
	AUTO(fetch) struct fetch *f = client(NULL);
	struct fetch_request request;
	char url[96], text[160];
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	(void)snprintf(url, sizeof(url), "https%.63s", p.url + strlen("http"));
	(void)snprintf(text, sizeof(text),
	        "cannot connect to %.*s within 50 ms; is tasker-orchestration running?",
	        (int)(strlen(url) - strlen("/v1/tasks")), url);
	request = get(url);
	request.connect_timeout_ms = 50;
	check_fault(f, &request, ERR_IO, text);
	peer_end(&p);
}
END_TEST

Suite *
fetch_faults_suite(void)
{
	Suite *s = suite_create("fetch_faults");
	TCase *tc = tcase_create("faults");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, answer_that_is_not_usable_is_a_fault, 0, (int)COUNT(answers));
	tcase_add_test(tc, answer_of_just_the_allowed_length_is_taken);
	tcase_add_test(tc, server_that_stays_silent_is_given_up);
	tcase_add_test(tc, server_that_dribbles_is_given_up);
	tcase_add_test(tc, refused_connection_says_who_should_be_running);
	tcase_add_loop_test(tc, address_we_do_not_ask_is_refused, 0, (int)COUNT(urls));
	tcase_add_loop_test(tc, header_that_would_forge_another_is_refused, 0, (int)COUNT(forged));
	tcase_add_test(tc, method_is_a_word_and_headers_are_limited);
	tcase_add_test(tc, host_without_an_address_is_named);
	tcase_add_test(tc, certificate_of_a_named_issuer_is_trusted);
	tcase_add_test(tc, certificate_of_a_stranger_is_refused);
	tcase_add_test(tc, certificate_for_another_name_is_refused);
	tcase_add_test(tc, missing_file_of_issuers_is_named);
	tcase_add_test(tc, https_to_a_plain_server_asks_whether_it_is_https);
	tcase_add_test(tc, handshake_that_stalls_is_given_up);
	suite_add_tcase(s, tc);
	return s;
}
