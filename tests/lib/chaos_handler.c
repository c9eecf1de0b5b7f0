/*
 * A handler that misbehaves on request, for the tests of the runner. The callable of a step names
 * what it does: "chaos.echo", "chaos.crash" ... Arguments: -s slots to announce, -q never say
 * ready, -g say garbage instead of ready, -x exit at once, -m no answers to ping (mute),
 * -e NAME print this environment variable at the start.
 *
 * It reads frames with a scanner of its own that is only as good as the worker's compact frames.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/attr.h"

enum { FRAME_MAX = 4 * 1024 * 1024, IDS = 64, FLOOD = 4 * 1024 * 1024 };

static char line[FRAME_MAX];
static char last_id[128];
static bool mute;
static const char *last_words; /* the error that answers a cancel; NULL: a result does */

static void
say(const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		const ssize_t n = write(4, text, len);

		if (n < 0 && errno != EINTR)
			_exit(0);
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* The text of the first string member with this name. */
static const char *
member(const char *name, char *out, size_t size)
{
	char pattern[64];
	const char *at, *end;

	(void)snprintf(pattern, sizeof(pattern), "\"%s\":\"", name);
	at = strstr(line, pattern);
	out[0] = '\0';
	if (at == NULL)
		return out;
	at += strlen(pattern);
	end = strchr(at, '"');
	if (end != NULL)
		(void)snprintf(out, size, "%.*s", (int)(end - at), at);
	return out;
}

static void
result(const char *id, const char *json)
{
	char frame[1024];

	(void)snprintf(frame, sizeof(frame), "{\"type\":\"result\",\"id\":\"%s\",\"result\":%s}\n",
	        id, json);
	say(frame);
}

static void
typed(const char *id, const char *type, const char *rest)
{
	char frame[1024];

	(void)snprintf(frame, sizeof(frame), "{\"type\":\"%s\",\"id\":\"%s\"%s}\n", type, id, rest);
	say(frame);
}

/* ---- one function a mode ---- */

static void
mode_echo(const char *id)
{
	const char *at = strstr(line, "\"input\":"), *end;
	char frame[4096];

	/* The input runs up to the member after it. */
	end = at != NULL ? strstr(at, ",\"dependencies\":") : NULL;
	(void)printf("echoing\n");
	(void)fflush(stdout);
	if (end == NULL) {
		result(id, "{}");
		return;
	}
	(void)snprintf(frame, sizeof(frame),
	        "{\"type\":\"result\",\"id\":\"%s\",\"result\":%.*s}\n", id, (int)(end - at - 8),
	        at + 8);
	say(frame);
}

static void
mode_crash(const char *id)
{
	(void)id;
	(void)raise(SIGKILL);
}

static void
mode_exit(const char *id)
{
	(void)id;
	(void)fprintf(stderr, "giving up\n");
	_exit(3);
}

static void
mode_garbage(const char *id)
{
	(void)id;
	say("this is no JSON\n");
}

static void
mode_nan(const char *id)
{
	result(id, "{\"score\":NaN}");
}

static void
mode_half_line(const char *id)
{
	char frame[256];

	(void)snprintf(frame, sizeof(frame), "{\"type\":\"result\",\"id\":\"%s\",\"resu", id);
	say(frame);
	_exit(0);
}

static void
mode_result_then_exit(const char *id)
{
	result(id, "{\"last\":true}");
	_exit(0);
}

static void
long_text(const char *head, size_t len, const char *tail)
{
	char chunk[4097];

	memset(chunk, 'a', sizeof(chunk) - 1);
	chunk[sizeof(chunk) - 1] = '\0';
	say(head);
	for (size_t sent = 0; sent < len; sent += sizeof(chunk) - 1)
		say(chunk);
	say(tail);
}

static void
mode_huge_line(const char *id)
{
	(void)id;
	long_text("{\"type\":\"result\",\"result\":\"", 1024 * 1024, "\"}\n");
}

static void
mode_large_result(const char *id)
{
	char head[256];

	(void)snprintf(head, sizeof(head), "{\"type\":\"result\",\"id\":\"%s\",\"result\":\"", id);
	long_text(head, 40960, "\"}\n");
}

static void
mode_flood(const char *id)
{
	char chunk[4096];

	memset(chunk, 'x', sizeof(chunk));
	(void)fputs("first\n", stdout);
	(void)fflush(stdout);
	for (size_t sent = 0; sent < FLOOD; sent += sizeof(chunk))
		if (write(1, chunk, sizeof(chunk)) < 0)
			break;
	(void)fputs("last \xFF\n", stdout);
	(void)fflush(stdout);
	result(id, "{}");
}

/* Neither the cancel frame nor SIGTERM matter to it. */
static void
mode_ignore(const char *id)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)id;
	(void)sigaction(SIGTERM, &ignore, NULL);
	for (int i = 0; i < 600; i++)
		(void)usleep(100000);
	_exit(0);
}

static void
mode_hold(const char *id)
{
	(void)snprintf(last_id, sizeof(last_id), "%s", id);
}

/* They hold, and answer a cancel with an error. */
static void
mode_give_up(const char *id)
{
	(void)id;
	last_words = ",\"code\":\"GAVE_UP\",\"message\":\"cancelled\"";
}

static void
mode_give_up_for_good(const char *id)
{
	(void)id;
	last_words = ",\"code\":\"GAVE_UP\",\"message\":\"cancelled\",\"retryable\":false";
}

static void
mode_double_fork(const char *id)
{
	char json[64];
	int fds[2];
	long orphan = 0;

	if (pipe(fds) != 0)
		_exit(1);
	if (fork() == 0) {
		const pid_t grandchild = fork();

		if (grandchild == 0) {
			(void)setsid();
			(void)close(4);
			(void)close(1);
			(void)close(2);
			(void)sleep(60);
			_exit(0);
		}
		orphan = (long)grandchild;
		if (write(fds[1], &orphan, sizeof(orphan)) < 0)
			_exit(1);
		_exit(0);
	}
	if (read(fds[0], &orphan, sizeof(orphan)) < 0)
		_exit(1);
	(void)snprintf(json, sizeof(json), "{\"orphan\":%ld,\"self\":%ld}", orphan, (long)getpid());
	result(id, json);
}

static void
mode_twice(const char *id)
{
	result(id, "{\"answer\":1}");
	result(id, "{\"answer\":2}");
	typed(id, "error", ",\"code\":\"LATE\",\"message\":\"no\"");
}

static void
mode_wrong_id(const char *id)
{
	result("somebody-elses", "{}");
	result(id, "{\"right\":true}");
}

static void
mode_notes(const char *id)
{
	typed(id, "log",
	        ",\"level\":\"warn\",\"message\":\"slow source\",\"fields\":{\"ms\":2100}");
	typed(id, "progress", ",\"percent\":40,\"message\":\"40 of 100\"");
	typed(id, "from_the_future", ",\"x\":1");
	result(id, "{}");
}

static void
mode_error(const char *id)
{
	typed(id, "error",
	        ",\"code\":\"UPSTREAM_503\",\"message\":\"not now\",\"retryable\":true,"
	        "\"retry_after_ms\":30000");
}

static void
mode_permanent(const char *id)
{
	typed(id, "error", ",\"code\":\"BAD_INPUT\",\"message\":\"never\",\"retryable\":false");
}

static void
mode_checkpoint(const char *id)
{
	typed(id, "checkpoint", ",\"data\":{\"cursor\":42}");
	mode_hold(id);
}

static void
mode_wait(const char *id)
{
	typed(id, "wait", ",\"event\":\"approval\"");
	mode_hold(id);
}

static const struct {
	const char *callable;
	void (*run)(const char *id);
} modes[] = {
        {"chaos.echo",             mode_echo            },
        {"chaos.crash",            mode_crash           },
        {"chaos.exit",             mode_exit            },
        {"chaos.garbage",          mode_garbage         },
        {"chaos.nan",              mode_nan             },
        {"chaos.half_line",        mode_half_line       },
        {"chaos.result_then_exit", mode_result_then_exit},
        {"chaos.huge_line",        mode_huge_line       },
        {"chaos.large_result",     mode_large_result    },
        {"chaos.flood",            mode_flood           },
        {"chaos.ignore",           mode_ignore          },
        {"chaos.give_up",          mode_give_up         },
        {"chaos.give_up_for_good", mode_give_up_for_good},
        {"chaos.hold",             mode_hold            },
        {"chaos.double_fork",      mode_double_fork     },
        {"chaos.twice",            mode_twice           },
        {"chaos.wrong_id",         mode_wrong_id        },
        {"chaos.notes",            mode_notes           },
        {"chaos.error",            mode_error           },
        {"chaos.permanent",        mode_permanent       },
        {"chaos.checkpoint",       mode_checkpoint      },
        {"chaos.wait",             mode_wait            },
};

static void
on_step(void)
{
	char id[128], callable[128];

	(void)member("id", id, sizeof(id));
	(void)member("handler", callable, sizeof(callable));
	for (size_t i = 0; i < COUNT(modes); i++)
		if (strcmp(modes[i].callable, callable) == 0)
			modes[i].run(id);
}

static void
on_frame(void)
{
	char type[32], id[128];
	const char *n;

	(void)member("type", type, sizeof(type));
	if (strcmp(type, "step") == 0)
		on_step();
	if (strcmp(type, "cancel") == 0 && last_words != NULL)
		typed(member("id", id, sizeof(id)), "error", last_words);
	else if (strcmp(type, "cancel") == 0) /* the answer after a cancel: kept, but cancelled */
		result(member("id", id, sizeof(id)), "{\"after\":\"cancel\"}");
	n = strstr(line, "\"n\":");
	if (strcmp(type, "ping") == 0 && !mute && n != NULL) {
		char frame[64];

		(void)snprintf(frame, sizeof(frame), "{\"type\":\"pong\",\"n\":%d}\n",
		        (int)strtol(n + 4, NULL, 10));
		say(frame);
	}
}

static void
ready(int slots)
{
	char frame[8192];
	size_t len = (size_t)snprintf(frame, sizeof(frame),
	        "{\"type\":\"ready\",\"protocol\":1,\"name\":\"chaos\",\"slots\":%d,\"handlers\":[",
	        slots);

	for (size_t i = 0; i < COUNT(modes); i++)
		len += (size_t)snprintf(frame + len, sizeof(frame) - len, "%s\"%s\"",
		        i > 0 ? "," : "", modes[i].callable);
	(void)snprintf(frame + len, sizeof(frame) - len, "]}\n");
	say(frame);
}

static void
show_environment(const char *name)
{
	const char *value = getenv(name);

	(void)printf("%s=%s\n", name, value != NULL ? value : "(unset)");
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	int slots = 1, letter;
	bool quiet = false, garbage = false;
	FILE *in;

	while ((letter = getopt(argc, argv, "s:qgxme:")) != -1) {
		if (letter == 's')
			slots = (int)strtol(optarg, NULL, 10);
		else if (letter == 'x')
			_exit(1);
		else if (letter == 'e')
			show_environment(optarg);
		quiet = quiet || letter == 'q';
		garbage = garbage || letter == 'g';
		mute = mute || letter == 'm';
	}
	in = fdopen(3, "r");
	if (in == NULL)
		return 1;
	if (garbage)
		say("hello there\n");
	else if (!quiet)
		ready(slots);
	while (fgets(line, sizeof(line), in) != NULL)
		on_frame();
	return 0;
}
