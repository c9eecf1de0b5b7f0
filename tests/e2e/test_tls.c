/*
 * Both daemons over TLS: who gets in, what a certificate is refused for on either side, and a
 * change of certificates that nobody notices (TL1 to TL7, TL10).
 */
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/lib/certificates.h"
#include "tests/lib/patience.h"
#include "tests/lib/tls_peer.h"
#include "tests/unit/unit.h"

enum { REPLY_MS = 10000, CLIENTS = 4, SWAPS = 40, STALLED_MS = 400 };

static char dir[64]; /* of the certificates */
static struct pair pair;
static struct tls_wish trusting;

#define LIVE "GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n"

static void
make_certificates(void)
{
	static const char here[] = "IP:127.0.0.1,DNS:localhost";

	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	ck_assert(daemon_dir(dir));
	ck_assert(certificates_usual(dir));
	ck_assert(certificate_make(
	        dir, "second", &(struct certificate_wish){.issuer = "ca", .names = here}));
	ck_assert(certificate_make(dir, "elsewhere",
	        &(struct certificate_wish){.issuer = "ca", .names = "DNS:other.example"}));
	ck_assert(certificate_make(dir, "late",
	        &(struct certificate_wish){
	                .issuer = "ca", .names = here, .from_s = -7200, .until_s = -3600}));
	ck_assert(certificate_make(dir, "lone", &(struct certificate_wish){.names = here}));
	ck_assert(certificate_make(dir, "other-ca", &(struct certificate_wish){.authority = true}));
	ck_assert(certificate_make(
	        dir, "foreign", &(struct certificate_wish){.issuer = "other-ca", .names = here}));
}

static void
remove_certificates(void)
{
	daemon_dir_remove(dir);
}

static const char *
in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static int
through_tls(int port)
{
	return tls_relay(port, &trusting);
}

static void
start_pair(void)
{
	static const char quick[] = "[limits]\nhead_timeout_ms = 2000\n";
	static char ca[128];

	token_maker_prepare();
	make_certificates();
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	trusting = (struct tls_wish){.ca_path = ca, .host = "127.0.0.1"};
	wire_through(through_tls);
	ck_assert(pair_start(
	        &pair, &(struct pair_settings){
	                       .certificates = dir, .orchestration = quick, .worker = quick}));
}

static void
stop_pair(void)
{
	wire_through(NULL);
	pair_stop(&pair);
	remove_certificates();
}

static int
port_of(int n)
{
	return n == 0 ? pair.orchestration.port : pair.worker.port;
}

/* The status of one GET on a connection like that; 0: none was to be had. */
static int
asked(int port, const struct tls_wish *w)
{
	char reply[4096] = "";
	struct tls_peer p;
	int status = 0;

	ck_assert(tls_peer_open(&p, wire_connect_plain(port), w));
	if (tls_peer_handshake(&p) && tls_peer_say_text(&p, LIVE) &&
	        tls_peer_read(&p, reply, sizeof(reply) - 1, REPLY_MS) > 0)
		(void)sscanf(reply, "HTTP/1.1 %d", &status);
	tls_peer_close(&p);
	return status;
}

/* ---- the pair ---- */

START_TEST(TL7_a_workflow_completes_over_verified_links)
{
	char *admin = pair_admin(), *id;

	ck_assert(pair_template(&pair, "/v1/templates/demo/diamond/1.0.0"));
	id = pair_task(&pair, admin, "demo", "diamond");
	ck_assert_ptr_nonnull(id);
	ck_assert(pair_task_is(&pair, id, "complete", 20000));
	free(id);
	free(admin);
}
END_TEST

#define ONLY(version) .least = version, .most = version

static const struct {
	struct tls_wish wish;
	int status;
} versions[] = {
        {{.least = 0},                                                            200},
        {{ONLY(TLS1_3_VERSION)},                                                  200},
        {{ONLY(TLS1_2_VERSION)},                                                  200},
        {{ONLY(TLS1_2_VERSION), .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},      200},
        {{ONLY(TLS1_2_VERSION), .ciphers = "ECDHE-ECDSA-AES128-SHA256"},          0  },
        {{ONLY(TLS1_2_VERSION), .ciphers = "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"}, 0  },
        {{ONLY(TLS1_1_VERSION), .ciphers = "ALL:@SECLEVEL=0"},                    0  },
        {{ONLY(TLS1_VERSION), .ciphers = "ALL:@SECLEVEL=0"},                      0  },
};

START_TEST(TL1_old_versions_and_suites_are_refused)
{
	for (size_t i = 0; i < COUNT(versions); i++)
		ck_assert_msg(
		        asked(port_of(_i), &versions[i].wish) == versions[i].status, "%zu", i);
}
END_TEST

START_TEST(TL2_plaintext_is_closed_without_a_reply)
{
	const int fd = wire_connect_plain(port_of(_i));
	const int64_t before = clock_mono_us();
	struct wire_reply r;

	ck_assert(wire_send(fd, LIVE, strlen(LIVE)));
	r = wire_read(fd, REPLY_MS, false, NULL);
	ck_assert_int_eq(r.status, 0);
	ck_assert_int_lt(clock_mono_us() - before, patience_ms(2000) * INT64_C(1000));
	wire_reply_free(&r);
	(void)close(fd);
}
END_TEST

/* How many tasks the orchestration knows by that name. */
static bool
knows_task(const char *name)
{
	char *admin = pair_admin();
	AUTO(wire_reply)
	struct wire_reply r = wire_call(pair.orchestration.port, "GET", "/v1/tasks", admin, NULL);

	free(admin);
	ck_assert_int_eq(r.status, 200);
	return strstr(r.body, name) != NULL;
}

static const char cut_body[] =
        "{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":{},"
        "\"initiator\":\"cut-off\",\"source_system\":\"test\",\"reason\":\"because\"}";

/* All of the body but its last bytes, then the end of the stream, with a word and without one. */
START_TEST(TL10_a_body_that_is_cut_off_makes_no_task)
{
	char *admin = pair_admin(), head[4096];

	ck_assert(pair_template(&pair, "/v1/templates/demo/diamond/1.0.0"));
	(void)snprintf(head, sizeof(head),
	        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %zu\r\n\r\n",
	        admin, strlen(cut_body));
	for (size_t left = 1; left < strlen(cut_body); left += 10) {
		struct tls_peer p;

		ck_assert(
		        tls_peer_open(&p, wire_connect_plain(pair.orchestration.port), &trusting));
		ck_assert(tls_peer_handshake(&p));
		ck_assert(tls_peer_say_text(&p, head));
		ck_assert(tls_peer_say(&p, cut_body, strlen(cut_body) - left));
		if (_i == 1)
			tls_peer_say_end(&p);
		ck_assert_int_eq(shutdown(p.fd, SHUT_WR), 0);
		ck_assert(wire_closes(p.fd, REPLY_MS));
		tls_peer_close(&p);
	}
	ck_assert(!knows_task("cut-off"));
	free(admin);
}
END_TEST

/* ---- one daemon ---- */

struct rig {
	struct daemon d;
	char dir[64];
};

static const char *const roles[] = {"orchestration", "worker"};

static const char *
toml_of(const char *certificate, const char *more)
{
	static char text[2048];

	(void)snprintf(text, sizeof(text),
	        "[web]\nbind_address = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n%s%s",
	        pair_tls(dir, certificate), more);
	return text;
}

static void
open_rig(struct rig *r, const char *role, const char *certificate, const char *more)
{
	make_certificates();
	ck_assert(daemon_dir(r->dir));
	ck_assert(daemon_start(&r->d, r->dir, role, toml_of(certificate, more)));
}

static void
close_rig(struct rig *r)
{
	ck_assert_int_eq(daemon_stop(&r->d, 15000), 0);
	daemon_dir_remove(r->dir);
	remove_certificates();
}

/* How often the log has that. */
static unsigned
said(const struct rig *r, const char *text)
{
	char name[64], *log;
	unsigned n = 0;

	(void)snprintf(name, sizeof(name), "%s.log", r->d.role);
	log = daemon_read(r->dir, name);
	for (const char *at = log; at != NULL && (at = strstr(at, text)) != NULL; at++)
		n++;
	free(log);
	return n;
}

static bool
comes_to_say(const struct rig *r, const char *text, unsigned times)
{
	const int64_t until = clock_mono_us() + patience_ms(5000) * INT64_C(1000);

	while (said(r, text) < times) {
		if (clock_mono_us() > until)
			return false;
		(void)poll(NULL, 0, 5);
	}
	return true;
}

static void
reload(struct rig *r, const char *toml)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.toml", r->d.role);
	ck_assert(daemon_file(r->dir, name, toml));
	ck_assert_int_eq(kill(r->d.pid, SIGHUP), 0);
}

/* Does it end with 78 when started or checked, and say that file? */
static bool
is_refused(const char *role, const char *toml, const char *file)
{
	char work[64], program[64], *why;
	bool refused = true;

	ck_assert(daemon_dir(work));
	ck_assert(daemon_file(work, "bad.toml", toml));
	(void)snprintf(program, sizeof(program), "tasker-%s", role);
	for (int i = 0; i < 2; i++) {
		const char *const args[] = {
		        "--config", "bad.toml", i == 0 ? "--check-config" : NULL, NULL};

		ck_assert_int_eq(daemon_run(work, program, "bad", args), 78);
		why = daemon_read(work, "bad.err");
		refused = refused && why != NULL && strstr(why, file) != NULL;
		free(why);
	}
	daemon_dir_remove(work);
	return refused;
}

START_TEST(TL4_a_key_that_others_could_reach_is_exit_78_and_named)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0660, 0644};

	make_certificates();
	for (size_t i = 0; i < COUNT(modes); i++) {
		ck_assert_int_eq(chmod(in_dir("server.key"), modes[i]), 0);
		ck_assert(is_refused(roles[_i], toml_of("server", ""), in_dir("server.key")));
	}
	remove_certificates();
}
END_TEST

START_TEST(a_key_without_its_certificate_is_exit_78_and_named)
{
	char toml[512];

	make_certificates();
	(void)snprintf(toml, sizeof(toml),
	        "[web.tls]\ncertificate_path = \"%s/server.pem\"\nkey_path = \"%s/second.key\"\n",
	        dir, dir);
	ck_assert(is_refused(roles[_i], toml, in_dir("second.key")));
	(void)snprintf(
	        toml, sizeof(toml), "[web.tls]\ncertificate_path = \"%s/server.pem\"\n", dir);
	ck_assert(is_refused(roles[_i], toml, "web.tls.key_path"));
	remove_certificates();
}
END_TEST

START_TEST(TL5_who_does_not_shake_hands_is_closed_in_time)
{
	const int64_t before = clock_mono_us();
	struct rig r;
	int fds[20];

	open_rig(&r, roles[_i], "server", "handshake_timeout_ms = 400\n");
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = wire_connect_plain(r.d.port);
	ck_assert_int_eq(asked(r.d.port, &(struct tls_wish){.least = 0}), 200);
	for (size_t i = 0; i < COUNT(fds); i++) {
		ck_assert(wire_closes(fds[i], 4000));
		(void)close(fds[i]);
	}
	ck_assert_int_ge(clock_mono_us() - before, STALLED_MS * 1000);
	close_rig(&r);
}
END_TEST

START_TEST(a_certificate_whose_time_is_over_is_warned_of)
{
	struct rig r;

	open_rig(&r, roles[_i], "late", "");
	ck_assert(comes_to_say(&r, "tls.expired", 1));
	ck_assert(comes_to_say(&r, "late.pem", 1));
	close_rig(&r);
}
END_TEST

START_TEST(only_clients_with_a_certificate_get_in_where_one_is_asked_for)
{
	char more[256], certificate[128], key[128];
	struct tls_wish mine = {.certificate_path = certificate, .key_path = key};
	struct rig r;

	make_certificates();
	(void)snprintf(more, sizeof(more), "client_ca_path = \"ca.pem\"\n");
	ck_assert(daemon_dir(r.dir));
	ck_assert(certificates_usual(r.dir));
	ck_assert(daemon_start(&r.d, r.dir, roles[_i], toml_of("server", more)));
	ck_assert_int_eq(asked(r.d.port, &(struct tls_wish){.least = 0}), 0);
	(void)snprintf(certificate, sizeof(certificate), "%s/lone.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/lone.key", dir);
	ck_assert_int_eq(asked(r.d.port, &mine), 0);
	(void)snprintf(certificate, sizeof(certificate), "%s/server.pem", r.dir);
	(void)snprintf(key, sizeof(key), "%s/server.key", r.dir);
	ck_assert_int_eq(asked(r.d.port, &mine), 200);
	close_rig(&r);
}
END_TEST

/* ---- new certificates ---- */

struct load {
	int port;
	bool keeps; /* one connection for all, or one each */
	atomic_bool *stop;
	atomic_uint answered, failed;
};

static void *
load_run(void *arg)
{
	struct load *l = arg;
	struct tls_peer p = {.fd = -1};
	char reply[4096] = "";

	while (!atomic_load(l->stop)) {
		bool stays;
		const bool begins = p.fd < 0;
		bool ok = !begins || (tls_peer_open(&p, wire_connect_plain(l->port), &trusting) &&
		                             tls_peer_handshake(&p));

		ok = ok && tls_peer_say_text(&p, LIVE) &&
		     tls_peer_read(&p, reply, sizeof(reply), REPLY_MS) > 12 &&
		     memcmp(reply, "HTTP/1.1 200", 12) == 0;
		atomic_fetch_add(ok ? &l->answered : &l->failed, 1);
		stays = memmem(reply, sizeof(reply), "Connection: close", 17) == NULL;
		memset(reply, 0, sizeof(reply));
		if (!l->keeps || !ok || !stays) /* a connection has a share of requests */
			tls_peer_close(&p);
	}
	tls_peer_close(&p);
	return NULL;
}

START_TEST(TL6_new_certificates_under_load_drop_nobody)
{
	struct load loads[CLIENTS] = {0};
	pthread_t threads[CLIENTS];
	atomic_bool stop = false;
	unsigned answered = 0;
	char ca[128];
	struct rig r;

	open_rig(&r, roles[_i], "server", "");
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	trusting = (struct tls_wish){.ca_path = ca, .host = "127.0.0.1"};
	for (size_t i = 0; i < CLIENTS; i++) {
		loads[i].port = r.d.port;
		loads[i].keeps = i % 2 == 0;
		loads[i].stop = &stop;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, load_run, &loads[i]), 0);
	}
	for (unsigned n = 1; n <= SWAPS; n++) {
		reload(&r, toml_of(n % 2 == 1 ? "second" : "server", ""));
		ck_assert(comes_to_say(&r, "config.reloaded", n));
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(atomic_load(&loads[i].failed), 0);
		ck_assert_uint_gt(atomic_load(&loads[i].answered), 0);
		answered += atomic_load(&loads[i].answered);
	}
	ck_assert_uint_gt(answered, SWAPS);
	close_rig(&r);
}
END_TEST

/* Who is shown to whom comes now: the certificate's serial number. */
static bool
shown(int port, char out[64])
{
	struct tls_peer p;
	bool there;

	ck_assert(tls_peer_open(&p, wire_connect_plain(port), &(struct tls_wish){.least = 0}));
	there = tls_peer_handshake(&p);
	if (there) {
		X509_NAME *name = X509_get_subject_name(SSL_get0_peer_certificate(p.ssl));

		there = X509_NAME_get_text_by_NID(name, NID_commonName, out, 64) > 0;
	}
	tls_peer_close(&p);
	return there;
}

START_TEST(TL6_a_reload_shows_the_new_certificate_or_keeps_the_old_one)
{
	char name[64];
	struct rig r;

	open_rig(&r, roles[_i], "server", "");
	ck_assert(shown(r.d.port, name));
	ck_assert_str_eq(name, "server");
	reload(&r, toml_of("second", ""));
	ck_assert(comes_to_say(&r, "config.reloaded", 1));
	ck_assert(shown(r.d.port, name));
	ck_assert_str_eq(name, "second");
	ck_assert_int_eq(chmod(in_dir("server.key"), 0644), 0);
	reload(&r, toml_of("server", ""));
	ck_assert(comes_to_say(&r, "config.kept", 1));
	ck_assert_uint_gt(said(&r, in_dir("server.key")), 0);
	reload(&r, toml_of("gone", ""));
	ck_assert(comes_to_say(&r, "config.kept", 2));
	reload(&r, "[web]\nbind_address = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n");
	ck_assert(comes_to_say(&r, "config.kept", 3));
	ck_assert_uint_gt(said(&r, "only a restart begins or ends TLS"), 0);
	ck_assert(shown(r.d.port, name));
	ck_assert_str_eq(name, "second");
	close_rig(&r);
}
END_TEST

/* ---- the other side: who is not believed ---- */

static const struct {
	const char *certificate;
	bool trusted;
} servers[] = {
        {"server",    true },
        {"elsewhere", false},
        {"late",      false},
        {"lone",      false},
        {"foreign",   false}
};

START_TEST(TL7_tasker_ctl_believes_only_who_the_authority_vouches_for)
{
	char url[64], ca[128];
	const char *const args[] = {"--worker-url", url, "--ca-file", ca, "worker", "health", NULL};
	const char *const no_ca[] = {"--worker-url", url, "worker", "health", NULL};
	struct rig r;
	int status;

	open_rig(&r, "worker", servers[_i].certificate, "");
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d", r.d.port);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	status = daemon_run(r.dir, "tasker-ctl", "ctl", args);
	/* 1: it was asked and says that nobody to link to is there; 6: nobody was asked. */
	ck_assert_int_eq(status, servers[_i].trusted ? 1 : 6);
	ck_assert_int_eq(daemon_run(r.dir, "tasker-ctl", "ctl", no_ca), 6);
	close_rig(&r);
}
END_TEST

START_TEST(TL7_a_worker_says_nothing_to_whom_it_does_not_believe)
{
	char link[512];
	struct rig r, w;

	if (servers[_i].trusted)
		return; /* the pair above */
	open_rig(&r, "orchestration", servers[_i].certificate, "");
	ck_assert(daemon_dir(w.dir));
	(void)snprintf(link, sizeof(link),
	        "[web]\nbind_address = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n"
	        "[link]\nurl = \"https://127.0.0.1:%d\"\nca_path = \"%s/ca.pem\"\n"
	        "[worker]\nid = \"w\"\nnamespaces = [\"demo\"]\n",
	        r.d.port, dir);
	ck_assert(daemon_start(&w.d, w.dir, "worker", link));
	ck_assert(comes_to_say(&w, "is not trusted", 1));
	ck_assert_uint_eq(said(&r, "/v1/internal"), 0);
	ck_assert_int_eq(daemon_stop(&w.d, 15000), 0);
	daemon_dir_remove(w.dir);
	close_rig(&r);
}
END_TEST

Suite *
tls_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *both = tcase_create("pair"), *one = tcase_create("daemon");
	const int each = (int)COUNT(roles);

	tcase_add_unchecked_fixture(both, start_pair, stop_pair);
	tcase_set_timeout(both, 60);
	tcase_add_test(both, TL7_a_workflow_completes_over_verified_links);
	tcase_add_loop_test(both, TL1_old_versions_and_suites_are_refused, 0, 2);
	tcase_add_loop_test(both, TL2_plaintext_is_closed_without_a_reply, 0, 2);
	tcase_add_loop_test(both, TL10_a_body_that_is_cut_off_makes_no_task, 0, 2);
	suite_add_tcase(s, both);

	tcase_set_timeout(one, 60);
	tcase_add_loop_test(one, TL4_a_key_that_others_could_reach_is_exit_78_and_named, 0, each);
	tcase_add_loop_test(one, a_key_without_its_certificate_is_exit_78_and_named, 0, each);
	tcase_add_loop_test(one, TL5_who_does_not_shake_hands_is_closed_in_time, 0, each);
	tcase_add_loop_test(one, a_certificate_whose_time_is_over_is_warned_of, 0, each);
	tcase_add_loop_test(
	        one, only_clients_with_a_certificate_get_in_where_one_is_asked_for, 0, each);
	tcase_add_loop_test(one, TL6_new_certificates_under_load_drop_nobody, 0, each);
	tcase_add_loop_test(
	        one, TL6_a_reload_shows_the_new_certificate_or_keeps_the_old_one, 0, each);
	tcase_add_loop_test(one, TL7_tasker_ctl_believes_only_who_the_authority_vouches_for, 0,
	        (int)COUNT(servers));
	tcase_add_loop_test(
	        one, TL7_a_worker_says_nothing_to_whom_it_does_not_believe, 0, (int)COUNT(servers));
	suite_add_tcase(s, one);
	return s;
}
