/*
 * libcurl's multi interface with one transfer in it. The multi handle keeps the connection between
 * requests, and its poll also watches two eventfds, which is how another thread ends the wait.
 *
 *   fetch_wake   sets one eventfd; the first wakeable request that finds it set clears it and
 *                ends. A wake is thus never lost: it ends this wait or the next.
 *   fetch_stop   sets another, which no request clears.
 *
 * The answer's size is counted in take_body: libcurl's own limit ignores chunked answers. Its
 * timeout covers name resolution as well, since Debian's libcurl resolves in a thread.
 */
#include "shared/fetch/fetch.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/fetch/fetch_address.h"
#include "shared/fetch/fetch_fault.h"
#include "shared/fetch/fetch_head.h"
#include "shared/fetch/fetch_setup.h"

enum { POLL_MS = 1000, ORIGIN_MAX = 128 };

struct fetch {
	CURLM *multi;
	CURL *easy;
	char *ca_path, *peer;
	bool env_proxy, public_only, curl_ready;
	int wake_fd, stop_fd; /* -1: not open */
};

/* One request under way. */
struct call {
	struct fetch *fetch;
	const struct fetch_request *request;
	struct fetch_response response;
	CURLcode code;
	bool woken, too_long, closed_address; /* the last: it led to one that is not public */
	char origin[ORIGIN_MAX];
	char detail[CURL_ERROR_SIZE];
};

static bool
no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a request");
}

static bool
copy_text(const char *text, char **out)
{
	if (text == NULL)
		return true;
	*out = strdup(text);
	return *out != NULL;
}

bool
fetch_new(const struct fetch_options *options, OWNED struct fetch **out, struct err *e)
{
	AUTO(fetch) struct fetch *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return no_memory(e);
	f->wake_fd = f->stop_fd = -1;
	f->env_proxy = options->env_proxy;
	f->public_only = options->public_only;
	if (!copy_text(options->ca_path, &f->ca_path) ||
	        !copy_text(options->peer != NULL ? options->peer : "the server", &f->peer))
		return no_memory(e);
	f->curl_ready =
	        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; /* counted, thread-safe */
	if (!f->curl_ready)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	f->multi = curl_multi_init();
	f->easy = curl_easy_init();
	if (f->multi == NULL || f->easy == NULL)
		return no_memory(e);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd < 0 || f->stop_fd < 0)
		return err_set(e, ERR_IO, "eventfd: %s", strerrordesc_np(errno));
	*out = TAKE(f);
	return true;
}

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	curl_easy_cleanup(f->easy);
	(void)curl_multi_cleanup(f->multi);
	if (f->curl_ready)
		curl_global_cleanup();
	if (f->wake_fd >= 0)
		(void)close(f->wake_fd);
	if (f->stop_fd >= 0)
		(void)close(f->stop_fd);
	free(f->ca_path);
	free(f->peer);
	free(f);
}

void
fetch_response_free(struct fetch_response *r)
{
	buf_free(&r->body);
	*r = (struct fetch_response){.retry_after_s = -1, .max_age_s = -1};
}

static void
set_event(int fd)
{
	uint64_t one = 1;

	/* The only failure is a counter that is full, and then it is set already. */
	if (write(fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

void
fetch_wake(struct fetch *f)
{
	set_event(f->wake_fd);
}

void
fetch_stop(struct fetch *f)
{
	set_event(f->stop_fd);
}

static bool
is_set(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

/* Should this call end now? Clears the wake that ends it. */
static bool
is_woken(const struct call *c)
{
	uint64_t wakes;

	return is_set(c->fetch->stop_fd) ||
	       (c->request->wakeable && read(c->fetch->wake_fd, &wakes, sizeof(wakes)) > 0);
}

static size_t
take_head(char *line, size_t size, size_t count, void *arg)
{
	struct call *c = arg;

	fetch_head_line(&c->response, line, size * count);
	return size * count;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct call *c = arg;
	struct buf *body = &c->response.body;

	c->too_long = size * count > body->max - body->len;
	if (c->too_long)
		return CURL_WRITEFUNC_ERROR;
	buf_add(body, bytes, size * count);
	return buf_ok(body) ? size * count : CURL_WRITEFUNC_ERROR;
}

/* Looks at the address that a name led to, not at the name (JK3). */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *c = arg;

	(void)purpose;
	if (c->fetch->public_only && !fetch_address_is_public(&address->addr)) {
		c->closed_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Scheme, host and port for messages: a path or query may hold what no log should. */
static void
find_origin(struct call *c)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;

	(void)snprintf(c->origin, sizeof(c->origin), "the server");
	if (url != NULL && curl_url_set(url, CURLUPART_URL, c->request->url, 0) == CURLUE_OK &&
	        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
		(void)snprintf(c->origin, sizeof(c->origin), "%s://%s:%s", scheme, host, port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
}

static CURLMcode
run(struct call *c)
{
	struct curl_waitfd ends[] = {
	        {.fd = c->fetch->stop_fd, .events = CURL_WAIT_POLLIN},
	        {.fd = c->fetch->wake_fd, .events = CURL_WAIT_POLLIN}
        };
	/* A wake that this call must leave for another would make its poll spin. */
	unsigned watched = c->request->wakeable ? 2 : 1;
	CURLMcode code = CURLM_OK;
	int running = 1;

	while (code == CURLM_OK && running > 0) {
		c->woken = is_woken(c);
		if (c->woken)
			return CURLM_OK;
		code = curl_multi_perform(c->fetch->multi, &running);
		if (code == CURLM_OK && running > 0)
			code = curl_multi_poll(c->fetch->multi, ends, watched, POLL_MS, NULL);
	}
	return code;
}

static void
transfer(struct call *c)
{
	struct fetch *f = c->fetch;
	const CURLMsg *message;
	CURLMcode code = curl_multi_add_handle(f->multi, f->easy);
	int left;

	if (code == CURLM_OK) {
		code = run(c);
		if (code == CURLM_OK && !c->woken) {
			message = curl_multi_info_read(f->multi, &left);
			c->code = message != NULL ? message->data.result : CURLE_FAILED_INIT;
		}
		(void)curl_multi_remove_handle(f->multi, f->easy);
	}
	if (code != CURLM_OK)
		c->code = code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

static bool
fault(struct call *c, struct err *e)
{
	struct fetch_fault f = {.code = c->code,
	        .origin = c->origin,
	        .peer = c->fetch->peer,
	        .detail = c->detail[0] != '\0' ? c->detail : curl_easy_strerror(c->code),
	        .connect_timeout_ms = c->request->connect_timeout_ms,
	        .timeout_ms = c->request->timeout_ms,
	        .response_max = c->request->response_max};
	double connected = 0;
	long os_error = 0;

	(void)curl_easy_getinfo(c->fetch->easy, CURLINFO_PRETRANSFER_TIME, &connected);
	(void)curl_easy_getinfo(c->fetch->easy, CURLINFO_OS_ERRNO, &os_error);
	f.connected = connected > 0;
	if (c->code == CURLE_COULDNT_CONNECT && strerrordesc_np((int)os_error) != NULL)
		f.detail = strerrordesc_np((int)os_error);
	if (c->code == CURLE_WRITE_ERROR && !c->too_long)
		return no_memory(e);
	if (c->closed_address && !f.connected)
		return err_set(e, ERR_IO, "%s is at an address that is not public", c->origin);
	return fetch_fault(&f, e);
}

static bool
finish(struct call *c, struct fetch_response *out, struct err *e)
{
	long status = 0;

	if (c->woken) {
		fetch_response_free(&c->response);
	} else if (c->code != CURLE_OK) {
		bool answered = fault(c, e);

		fetch_response_free(&c->response);
		return answered;
	} else {
		(void)curl_easy_getinfo(c->fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	}
	c->response.status = (int)status;
	*out = c->response;
	return true;
}

static void
set_callbacks(struct call *c)
{
	CURL *easy = c->fetch->easy;

	if (curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_HEADERDATA, c) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_WRITEDATA, c) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, c) != CURLE_OK ||
	        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->detail) != CURLE_OK)
		c->code = CURLE_OUT_OF_MEMORY;
}

bool
fetch_send(struct fetch *f, const struct fetch_request *request, struct fetch_response *out,
        struct err *e)
{
	struct call c = {.fetch = f, .request = request};
	struct fetch_setup setup = {.easy = f->easy,
	        .request = request,
	        .ca_path = f->ca_path,
	        .env_proxy = f->env_proxy};
	bool good;

	assert(request->connect_timeout_ms > 0 && request->timeout_ms > 0); /* 0 waits for ever */
	if (!fetch_setup_check(request, e))
		return false;
	c.response.retry_after_s = c.response.max_age_s = -1;
	c.response.body = BUF(request->response_max);
	find_origin(&c);
	c.code = fetch_setup_apply(&setup);
	if (c.code == CURLE_OK)
		set_callbacks(&c);
	if (c.code == CURLE_OK)
		transfer(&c);
	good = finish(&c, out, e);
	curl_easy_reset(f->easy); /* it must not keep pointers into this call */
	fetch_setup_free(&setup);
	return good;
}
