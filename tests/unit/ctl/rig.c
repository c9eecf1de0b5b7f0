#include "tests/unit/ctl/rig.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { TURNS = 4, ANSWERS = 8, ANSWER_MAX = 8192 };

static int64_t now_us = 1000000;
static int64_t paused;
static void (*pause_hook)(void);

/* Pauses cost no time of the test's and move the clock that watches look at. */
static void
pause_for(int milliseconds)
{
	paused += milliseconds;
	now_us += (int64_t)milliseconds * 1000;
	if (pause_hook != NULL)
		TAKE(pause_hook)();
}

static int64_t
clock_us(void)
{
	return now_us;
}

void
rig_at_pause(void (*hook)(void))
{
	pause_hook = hook;
}

int64_t
rig_paused_ms(void)
{
	return paused;
}

void
rig_run(struct rig *r, ...)
{
	char *argv[RIG_ARGS_MAX + 2] = {(char *)(uintptr_t) "tasker-ctl"};
	int argc = 1;
	size_t out_len = 0, err_len = 0;
	struct ctl_world world = {.env = r->env,
	        .out_tty = r->tty,
	        .err_tty = r->tty,
	        .rows = r->rows,
	        .pause = pause_for,
	        .mono_us = clock_us};
	const char *input = r->input != NULL ? r->input : "";
	va_list ap;

	rig_end(r);
	va_start(ap, r);
	while ((argv[argc] = va_arg(ap, char *)) != NULL)
		ck_assert_int_le(argc++, RIG_ARGS_MAX);
	va_end(ap);
	world.out = open_memstream(&r->out, &out_len);
	world.err = open_memstream(&r->err, &err_len);
	world.in = input[0] != '\0' ? fmemopen((void *)(uintptr_t)input, strlen(input), "r")
	                            : fopen("/dev/null", "re");
	ck_assert(world.in != NULL && world.out != NULL && world.err != NULL);
	r->status = ctl_run(&world, argc, argv);
	(void)fclose(world.in);
	(void)fclose(world.out);
	(void)fclose(world.err);
}

void
rig_end(struct rig *r)
{
	free(r->out);
	free(r->err);
	r->out = r->err = NULL;
}

/* ---- a folder ---- */

static char folder[RIG_PATH];

void
rig_folder_begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/tasker-ctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Two floors: keys/ and what stands beside it. */
static void
remove_all(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char name[2 * RIG_PATH];

		(void)snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		if (d->d_name[0] != '.' || strlen(d->d_name) > 2)
			(void)unlink(name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

void
rig_folder_end(void)
{
	remove_all(rig_path("keys"));
	remove_all(folder);
}

const char *
rig_path(const char *name)
{
	static char paths[TURNS][2 * RIG_PATH];
	static unsigned turn;
	char *path = paths[turn++ % TURNS];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

void
rig_write(const char *name, const char *text)
{
	FILE *f = fopen(rig_path(name), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

char *
rig_read(const char *name)
{
	FILE *f = fopen(rig_path(name), "re");
	char *text = calloc(1, 65536);

	ck_assert(f != NULL && text != NULL);
	text[fread(text, 1, 65535, f)] = '\0';
	(void)fclose(f);
	return text;
}

/* ---- a daemon ---- */

const char *
rig_url(const char *variable, const struct peer *p)
{
	static char urls[TURNS][128];
	static unsigned turn;
	char *url = urls[turn++ % TURNS];
	const char *path = strstr(p->url, "/v1/");

	ck_assert_ptr_nonnull(path);
	(void)snprintf(url, sizeof(urls[0]), "%s=%.*s", variable, (int)(path - p->url), p->url);
	return url;
}

const char *
rig_answer(int status, const char *json)
{
	static char answers[ANSWERS][ANSWER_MAX];
	static unsigned turn;
	char *answer = answers[turn++ % ANSWERS];
	int n = snprintf(answer, ANSWER_MAX,
	        "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n"
	        "X-Request-Id: request-7\r\nContent-Length: %zu\r\n\r\n%s",
	        status, strlen(json), json);

	ck_assert_int_lt(n, ANSWER_MAX);
	return answer;
}

void
rig_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part, text);
}

void
rig_lacks(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "'%s' in:\n%s", part, text);
}
