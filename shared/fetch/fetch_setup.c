/*
 * Traps of libcurl 7.88 this file works around: file:// is on by default (PROTOCOLS_STR),
 * http_proxy is obeyed (PROXY ""), a body beyond 1 MiB waits a second for 100 Continue (Expect:
 * without a value), a body is declared to be a form (Content-Type), and header values are sent with
 * whatever line ends they hold (is_clean).
 */
#include "shared/fetch/fetch_setup.h"

#include <string.h>
#include <strings.h>

#include "shared/base/secret.h"

static void
set_long(struct fetch_setup *s, CURLoption option, long value)
{
	if (s->code == CURLE_OK)
		s->code = curl_easy_setopt(s->easy, option, value);
}

static void
set_text(struct fetch_setup *s, CURLoption option, const char *value)
{
	if (s->code == CURLE_OK)
		s->code = curl_easy_setopt(s->easy, option, value);
}

static void
set_pointer(struct fetch_setup *s, CURLoption option, const void *value)
{
	if (s->code == CURLE_OK)
		s->code = curl_easy_setopt(s->easy, option, value);
}

/* Neither ends a line nor hides in one. */
static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return false;
	return true;
}

static bool
is_word(const char *text)
{
	size_t len =
	        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

	return len > 0 && text[len] == '\0';
}

bool
fetch_setup_check(const struct fetch_request *request, struct err *e)
{
	if (!is_word(request->method))
		return err_set(e, ERR_FORMAT, "a method must be a word");
	if (request->header_count > FETCH_HEADERS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d headers", FETCH_HEADERS_MAX);
	for (size_t i = 0; i < request->header_count; i++)
		if (!is_word(request->headers[i].name) || !is_clean(request->headers[i].value))
			return err_set(e, ERR_FORMAT,
			        "header %zu has characters that a header must not have", i + 1);
	return true;
}

static bool
add_line(struct fetch_setup *s, const char *line)
{
	struct curl_slist *longer = curl_slist_append(s->headers, line);

	if (longer != NULL)
		s->headers = longer;
	return longer != NULL;
}

static bool
add_header(struct fetch_setup *s, const struct fetch_header *header)
{
	AUTO(buf) struct buf line = BUF(strlen(header->name) + strlen(header->value) + 4);
	bool added;

	/* libcurl sends a header without value only when it ends in a semicolon. */
	buf_format(
	        &line, header->value[0] != '\0' ? "%s: %s" : "%s;%s", header->name, header->value);
	buf_char(&line, '\0');
	added = buf_ok(&line) && add_line(s, line.data);
	if (line.data != NULL)
		secret_wipe(line.data, line.len); /* it may be a token */
	return added;
}

static bool
set_headers(struct fetch_setup *s)
{
	bool typed = false;

	for (size_t i = 0; i < s->request->header_count; i++) {
		typed = typed || strcasecmp(s->request->headers[i].name, "Content-Type") == 0;
		if (!add_header(s, &s->request->headers[i]))
			return false;
	}
	if (!typed && !add_line(s, s->request->body != NULL ? "Content-Type: application/json"
	                                                    : "Content-Type:"))
		return false;
	return add_line(s, "Expect:");
}

static void
set_body(struct fetch_setup *s)
{
	const struct fetch_request *r = s->request;
	bool wants_length = strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 ||
	                    strcmp(r->method, "PATCH") == 0;

	if (r->body != NULL || wants_length) {
		set_long(s, CURLOPT_POST, 1);
		set_pointer(s, CURLOPT_POSTFIELDS, r->body != NULL ? r->body : "");
		set_long(s, CURLOPT_POSTFIELDSIZE, (long)r->body_len);
	}
	if (strcmp(r->method, "HEAD") == 0)
		set_long(s, CURLOPT_NOBODY, 1);
	set_text(s, CURLOPT_CUSTOMREQUEST, r->method);
}

static void
set_options(struct fetch_setup *s)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
	        {CURLOPT_NOSIGNAL,                 1                    },
	        {CURLOPT_FOLLOWLOCATION,           0                    },
	        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1                    },
	        {CURLOPT_HTTPAUTH,                 (long)CURLAUTH_NONE  },
	        {CURLOPT_HTTP_VERSION,             CURL_HTTP_VERSION_1_1},
	        {CURLOPT_SSL_VERIFYPEER,           1                    },
	        {CURLOPT_SSL_VERIFYHOST,           2                    },
	        {CURLOPT_TCP_NODELAY,              1                    },
	        {CURLOPT_TCP_KEEPALIVE,            1                    },
	};

	for (size_t i = 0; i < COUNT(numbers); i++)
		set_long(s, numbers[i].option, numbers[i].value);
	set_long(s, CURLOPT_CONNECTTIMEOUT_MS, s->request->connect_timeout_ms);
	set_long(s, CURLOPT_TIMEOUT_MS, s->request->timeout_ms);
	set_text(s, CURLOPT_URL, s->request->url);
	set_text(s, CURLOPT_PROTOCOLS_STR, "http,https");
	set_text(s, CURLOPT_USERAGENT, "tasker/" TASKER_VERSION);
	set_pointer(s, CURLOPT_HTTPHEADER, s->headers);
	if (!s->env_proxy)
		set_text(s, CURLOPT_PROXY, "");
	if (s->ca_path != NULL)
		set_text(s, CURLOPT_CAINFO, s->ca_path);
	set_body(s);
}

CURLcode
fetch_setup_apply(struct fetch_setup *s)
{
	if (set_headers(s))
		set_options(s);
	else
		s->code = CURLE_OUT_OF_MEMORY;
	return s->code;
}

void
fetch_setup_free(struct fetch_setup *s)
{
	for (const struct curl_slist *line = s->headers; line != NULL; line = line->next)
		secret_wipe(line->data, strlen(line->data));
	curl_slist_free_all(s->headers);
	s->headers = NULL;
}
