/*
 * Keys and tokens for `make bench`: bench_tokens FOLDER writes users-rsa.pem, users-ec.pem,
 * workers.pem, rs256.tokens and es256.tokens (one a line), and a credential for each worker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "shared/base/attr.h"
#include "tests/lib/token_maker.h"

enum { TOKENS = 2048, SINKS = 4, PATH_BYTES = 4096 };

static const char permissions[] = "tasks:create tasks:read tasks:list"; /* as in README.md */

static FILE *
create(const char *folder, const char *name)
{
	char path[PATH_BYTES];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "wx");
	if (out == NULL)
		perror(path);
	return out;
}

/* Takes text; false if it could not be written. */
static bool
put(FILE *out, char *text)
{
	bool written = out != NULL && fprintf(out, "%s\n", text) > 0;

	free(text);
	return written;
}

static bool
finish(FILE *out, bool written)
{
	return out != NULL && fclose(out) == 0 && written;
}

static bool
write_key(const char *folder, const char *name, enum token_key key)
{
	FILE *out = create(folder, name);

	return finish(out, put(out, token_key_pem(key)));
}

static bool
write_users(const char *folder, const char *name, enum token_key key, const char *alg)
{
	FILE *out = create(folder, name);
	bool written = true;

	for (int i = 0; written && i < TOKENS; i++) {
		char subject[32], *claims;

		(void)snprintf(subject, sizeof(subject), "bench-%d", i);
		claims = token_user_claims(subject, permissions, time(NULL));
		written = put(out, token_make(key, alg, claims));
		free(claims);
	}
	return finish(out, written);
}

static bool
write_worker(const char *folder, const char *worker)
{
	char name[64];
	char *claims = token_worker_claims(worker, "demo", time(NULL));
	FILE *out;
	bool written;

	(void)snprintf(name, sizeof(name), "%s.token", worker);
	out = create(folder, name);
	written = put(out, token_make(TOKEN_KEY_P384, "ES384", claims));
	free(claims);
	return finish(out, written);
}

int
main(int argc, char **argv)
{
	bool written;

	if (argc != 2) {
		(void)fputs("usage: bench_tokens FOLDER\n", stderr);
		return 64;
	}
	(void)umask(077); /* a daemon does not start with a token that others may read */
	written = write_key(argv[1], "users-rsa.pem", TOKEN_KEY_RSA) &&
	          write_key(argv[1], "users-ec.pem", TOKEN_KEY_P256) &&
	          write_key(argv[1], "workers.pem", TOKEN_KEY_P384) &&
	          write_users(argv[1], "rs256.tokens", TOKEN_KEY_RSA, "RS256") &&
	          write_users(argv[1], "es256.tokens", TOKEN_KEY_P256, "ES256") &&
	          write_worker(argv[1], "bench-worker");
	for (int i = 0; written && i < SINKS; i++) {
		char worker[32];

		(void)snprintf(worker, sizeof(worker), "sink-%d", i);
		written = write_worker(argv[1], worker);
	}
	return written ? 0 : 1;
}
