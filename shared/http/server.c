#include "shared/http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/http/endpoint.h"
#include "shared/http/input.h"

enum {
	BACKLOG = 4096,
	OTHER_FILES = 64, /* descriptors that are no clients: store, logs, peers */
	CONNECTIONS_MIN = 16,
	ADDRESS_MAX = 256
};

/* ---- limits ---- */

/* Raises the soft limit of descriptors to the hard one; how many connections that leaves. */
static size_t
connections_from_rlimit(void)
{
	struct rlimit files = {0};

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return CONNECTIONS_MIN;
	if (files.rlim_cur < files.rlim_max) {
		const struct rlimit raised = {files.rlim_max, files.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			files = raised;
	}
	return files.rlim_cur > OTHER_FILES + CONNECTIONS_MIN ? (size_t)files.rlim_cur - OTHER_FILES
	                                                      : CONNECTIONS_MIN;
}

static bool
limits_check(const struct http_limits *l, struct err *e)
{
	if (l->head_fields > HTTP_FIELDS_MAX)
		return err_set(e, ERR_LIMIT, "at most %d fields a head, not %zu", HTTP_FIELDS_MAX,
		        l->head_fields);
	if (l->head_bytes == 0)
		return err_set(e, ERR_LIMIT, "a head has to be allowed some bytes");
	if (l->handshake_us <= 0 || l->head_us <= 0 || l->body_us <= 0 || l->idle_us <= 0 ||
	        l->write_us <= 0)
		return err_set(e, ERR_LIMIT, "a deadline of connections has to be above 0");
	if (l->requests == 0 || l->pipeline == 0 || l->lifetime_us <= 0)
		return err_set(e, ERR_LIMIT, "a connection has to be allowed a request");
	return true;
}

static void
limits_settle(struct http_limits *l)
{
	const size_t most = connections_from_rlimit();

	if (l->connections == 0 || l->connections > most)
		l->connections = most;
	if (l->connections_per_address == 0)
		l->connections_per_address = (l->connections + 1) / 2;
	/* The head of the request in progress and that of the next one. */
	if (l->memory < 2 * l->head_bytes)
		l->memory = 2 * l->head_bytes;
}

/* ---- the listening socket ---- */

/* "127.0.0.1:8080" or "[::1]:0" into its parts; false if it is neither. */
static bool
split_address(const char *address, char host[ADDRESS_MAX], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon != NULL ? (size_t)(colon - address) : 0;

	if (colon == NULL || len >= ADDRESS_MAX || colon[1] == '\0')
		return false;
	if (address[0] == '[') {
		if (len < 2 || address[len - 1] != ']')
			return false;
		address++;
		len -= 2;
	}
	memcpy(host, address, len);
	host[len] = '\0';
	*port = colon + 1;
	return len > 0;
}

static bool
bind_to(int fd, const struct addrinfo *at, const char *address, struct err *e)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return true;
	return err_set(e,
	        errno == EADDRINUSE                 ? ERR_BUSY
	        : errno == EACCES || errno == EPERM ? ERR_DENIED
	                                            : ERR_IO,
	        "listening on %s: %s", address, strerror(errno));
}

static bool
listen_at(const char *address, int *out, struct err *e)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
	        .ai_socktype = SOCK_STREAM,
	        .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[ADDRESS_MAX];
	const char *port;
	int fd, rc;
	bool ok;

	if (!split_address(address, host, &port))
		return err_set(e, ERR_FORMAT, "%s is not host:port", address);
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0)
		return err_set(e, ERR_FORMAT, "%s: %s", address, gai_strerror(rc));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ok = fd >= 0 ? bind_to(fd, found, address, e)
	             : err_set(e, ERR_IO, "a socket for %s: %s", address, strerror(errno));
	freeaddrinfo(found);
	if (!ok && fd >= 0)
		(void)close(fd);
	if (ok)
		*out = fd;
	return ok;
}

static int
port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

/* ---- the server ---- */

bool
http_server_new(const char *address, int fd, const struct http_limits *limits,
        OWNED struct http_server **out, struct err *e)
{
	struct http_server *s;
	const int on = 1;

	if (!limits_check(limits, e))
		return false;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a server");
	s->limits = *limits;
	limits_settle(&s->limits);
	admission_init(&s->admission, s->limits.connections, s->limits.connections_per_address);
	(void)pthread_mutex_init(&s->lock, NULL); /* cannot fail on Linux */
	if (fd < 0 && !listen_at(address, &fd, e)) {
		free(s);
		return false;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* Accepted sockets inherit it; on a unix socket it does not apply. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->fd = fd;
	s->port = port_of(fd);
	*out = s;
	return true;
}

void
http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	(void)close(s->fd);
	tls_context_free(s->tls);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void
http_server_tls(struct http_server *s, OWNED struct tls_context *t)
{
	struct tls_context *last;

	(void)pthread_mutex_lock(&s->lock);
	last = s->tls;
	s->tls = t;
	(void)pthread_mutex_unlock(&s->lock);
	if (last == NULL)
		s->has_tls = true;
	tls_context_free(last);
}

bool
http_server_transport(struct http_server *s, int fd, struct transport *out)
{
	bool made;

	if (!s->has_tls) {
		*out = transport_plain(fd);
		return true;
	}
	(void)pthread_mutex_lock(&s->lock);
	made = tls_context_accept(s->tls, fd, out);
	(void)pthread_mutex_unlock(&s->lock);
	return made;
}

int
http_server_port(const struct http_server *s)
{
	return s->port;
}
