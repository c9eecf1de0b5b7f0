#include "tests/bench/bench_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_MAX = 8192, TIMEOUT_MS = 30000 };

static char *
read_token(const char *folder, const char *name)
{
	char path[4096], line[TOKEN_MAX];
	FILE *in;
	char *got = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "re");
	if (in == NULL || fgets(line, sizeof(line), in) == NULL)
		perror(path);
	else
		got = strndup(line, strcspn(line, "\r\n"));
	if (in != NULL)
		(void)fclose(in);
	return got;
}

bool
bench_client_open(struct bench_client *c, int port, const char *folder, const char *token)
{
	*c = (struct bench_client){.fd = wire_connect(port), .out = BUF(MIB(8))};
	if (c->fd < 0)
		perror("connect");
	else
		c->token = read_token(folder, token);
	return c->fd >= 0 && c->token != NULL;
}

void
bench_client_close(struct bench_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->token);
	buf_free(&c->out);
}

bool
bench_client_bearer(struct bench_client *c, const char *token)
{
	free(c->token);
	c->token = strdup(token);
	return c->token != NULL;
}

struct wire_reply
bench_client_call(
        struct bench_client *c, const char *method, const char *path, const char *body, size_t len)
{
	buf_clear(&c->out);
	buf_format(&c->out, "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n", method,
	        path, c->token);
	if (body != NULL)
		buf_format(&c->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		        len);
	else
		buf_text(&c->out, "\r\n");
	buf_add(&c->out, body, body != NULL ? len : 0);
	if (!buf_ok(&c->out) || !wire_send(c->fd, c->out.data, c->out.len))
		return (struct wire_reply){0};
	return wire_read(c->fd, TIMEOUT_MS, false, NULL);
}

double
bench_share(const double *sorted, size_t count, double share)
{
	size_t at = (size_t)((double)count * share);

	return sorted[at < count ? at : count - 1];
}

int
bench_ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
