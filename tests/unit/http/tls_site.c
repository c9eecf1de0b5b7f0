#include "tests/unit/http/tls_site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/certificates.h"
#include "tests/lib/wire.h"
#include "tests/unit/unit.h"

static char dir[32];

const int tls_site_versions[TLS_SITE_VERSIONS] = {TLS1_2_VERSION, TLS1_3_VERSION};

const char *
tls_site_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

void
tls_site_open(void)
{
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	(void)snprintf(dir, sizeof(dir), "/tmp/tasker-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(certificates_usual(dir));
}

void
tls_site_close(void)
{
	static const char *const files[] = {"ca.pem", "ca.key", "server.pem", "server.key"};

	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlink(tls_site_path(files[i]));
	(void)rmdir(dir);
}

void
tls_site_start(struct kit *k, const struct http_limits *limits)
{
	const struct tls_settings s = {.certificate_path = tls_site_path("server.pem"),
	        .key_path = tls_site_path("server.key")};
	struct tls_context *t = NULL;
	struct err e = {0};

	ck_assert_msg(tls_context_new(&s, &t, &e), "%s", e.text);
	kit_start_tls(k, limits, t);
}

struct tls_peer
tls_site_peer(const struct kit *k, int version)
{
	const struct tls_wish w = {.ca_path = tls_site_path("ca.pem"),
	        .host = "127.0.0.1",
	        .least = version,
	        .most = version};
	struct tls_peer p;

	ck_assert(tls_peer_open(&p, wire_connect(k->port), &w));
	ck_assert(tls_peer_handshake(&p));
	return p;
}

size_t
tls_site_replies(struct tls_peer *p, size_t wanted)
{
	static const char line[] = "HTTP/1.1 200 ";
	struct buf all = BUF(MIB(16));
	size_t seen = 0;

	while (seen < wanted) {
		char *room = buf_room(&all, TLS_SITE_RECORD);
		const ssize_t n = tls_peer_read(p, room, TLS_SITE_RECORD, TLS_PEER_MS);

		if (n <= 0)
			break;
		all.len += (size_t)n;
		seen = 0;
		for (char *at = all.data; (at = memmem(at, (size_t)(all.data + all.len - at), line,
		                                   sizeof(line) - 1)) != NULL;
		        at++)
			seen++;
	}
	buf_free(&all);
	return seen;
}
