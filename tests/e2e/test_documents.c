/*
 * What README.md and docs/ tell people to type, typed. Every fenced sh block has a row below: it is
 * run, or skipped for a reason; a block without a row fails, and so does a row without its block.
 *
 * The demo runs meanwhile in a tree of its own that looks like the project's, on free ports, which
 * take the place of 8080 and 8081 in the blocks. There `curl` is a script that notes the status, so
 * a block can be held to the statuses that the paragraph behind it promises.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "tests/lib/daemon.h"
#include "tests/lib/fences.h"
#include "tests/unit/unit.h"

enum { FENCES = 128, START_MS = 60000, STATUSES = 8 };
#define BLOCK_S "60" /* the longest that a block may take */

enum how {
	SKIPPED,
	ASKED,  /* against the demo: one run for each status that the paragraph behind it names */
	IN_TURN /* after the document's blocks before it, in a folder of the document's own */
};

static const struct treatment {
	const char *file, *begins;
	enum how how;
	const char *why; /* it is skipped */
} treatments[] = {
        {"README.md",           "apt-get install -y make && make demo",                          SKIPPED,
         "needs a bare Debian; make demo-test runs the script"                                                                   },
        {"README.md",           "apt-get install -y make && make check",                         SKIPPED,
         "needs a bare Debian, and is what runs this"                                                                            },
        {"README.md",           "export TOKEN=",                                                 ASKED,   NULL                   },
        {"README.md",           "curl -i ",                                                      ASKED,   NULL                   },
        {"README.md",           "curl -s -H \"Authorization: Bearer $TOKEN\" -H \"Content-Type", ASKED,   NULL                   },
        {"README.md",           "curl -s -H \"Authorization: Bearer $TOKEN\" \"http",            ASKED,   NULL                   },
        {"README.md",
         "curl -s -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/v1/workers",         ASKED,   NULL                   },
        {"README.md",           "tasker-ctl auth generate-keys",                                 IN_TURN, NULL                   },
        {"README.md",           "tasker-orchestration --config",                                 IN_TURN, NULL                   },
        {"docs/handlers.md",    "#!/bin/sh\nwords=",                                             SKIPPED,
         "no command but a handler: it has a test of its own"                                                                    },
        {"docs/workflows.md",   "export PATH=",                                                  IN_TURN, NULL                   },
        {"docs/workflows.md",   "umask 077",                                                     IN_TURN, NULL                   },
        {"docs/workflows.md",   "cat >words.sh",                                                 IN_TURN, NULL                   },
        {"docs/workflows.md",   "cat api-key.toml",                                              IN_TURN, NULL                   },
        {"docs/workflows.md",   "tasker-orchestration --config orchestration.toml 2>",           IN_TURN, NULL                   },
        {"docs/performance.md", "make bench BENCH_FLAGS",                                        SKIPPED, "measures for a minute"},
        {"docs/performance.md", "make bench   ",                                                 SKIPPED, "measures for minutes" },
};

static struct fence fences[FENCES];
static size_t fence_count;
static char tree[64]; /* build/bin, config, build/demo: as the project's */
static int api_port, worker_port;
static int own_api_port, own_worker_port; /* of the pair that a block starts */
static pid_t demo = -1;

/* ---- the blocks ---- */

static void
read_documents(void)
{
	static glob_t found; /* the fences borrow the paths */

	fence_count = fences_read("README.md", fences, FENCES);
	ck_assert_int_eq(glob("docs/*.md", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		fence_count +=
		        fences_read(found.gl_pathv[i], fences + fence_count, FENCES - fence_count);
}

static const struct treatment *
treatment_of(const struct fence *f)
{
	const struct treatment *only = NULL;

	for (size_t i = 0; i < COUNT(treatments); i++)
		if (strcmp(treatments[i].file, f->file) == 0 &&
		        strncmp(treatments[i].begins, f->text, strlen(treatments[i].begins)) == 0) {
			ck_assert_msg(only == NULL, "%s:%d has two rows", f->file, f->line);
			only = &treatments[i];
		}
	return only;
}

static bool
is_sh(const struct fence *f)
{
	return strcmp(f->kind, "sh") == 0;
}

/* One without a row fails in a test of its own. */
static bool
is_done(const struct fence *f, enum how how)
{
	const struct treatment *t = treatment_of(f);

	return is_sh(f) && t != NULL && t->how == how;
}

/* ---- the shell ---- */

/* From here on what this process says goes to dir/name. */
static void
say_to(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	(void)dup2(out, 1);
	(void)dup2(out, 2);
}

/* A pair started by a block listens here, and tasker-ctl asks it. */
static void
own_ports(void)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "127.0.0.1:%d", own_worker_port);
	(void)setenv("TASKER_WORKER_WEB_BIND_ADDRESS", text, 1);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%d", own_api_port);
	(void)setenv("TASKER_ORCHESTRATION_WEB_BIND_ADDRESS", text, 1);
	(void)snprintf(text, sizeof(text), "http://127.0.0.1:%d", own_worker_port);
	(void)setenv("TASKER_WORKER_URL", text, 1);
	(void)snprintf(text, sizeof(text), "http://127.0.0.1:%d", own_api_port);
	(void)setenv("TASKER_ORCHESTRATION_URL", text, 1);
	(void)setenv("TASKER_LINK_URL", text, 1);
}

/* Runs a script in dir with the programs of the tree and its curl; what it says is
 * repeated if it fails. Its exit status. */
static int
shell(const char *dir, const char *script)
{
	char path[PATH_MAX];
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)snprintf(
		        path, sizeof(path), "%s/tools:%s/build/bin:%s", tree, tree, getenv("PATH"));
		(void)setenv("PATH", path, 1);
		(void)setenv("TREE", tree, 1);
		(void)setenv("TASKER", tree, 1);
		own_ports();
		(void)unsetenv("TASKER_BIN");
		say_to(tree, "shell.out");
		if (chdir(dir) == 0)
			(void)execlp(
			        "timeout", "timeout", BLOCK_S, "sh", "-euc", script, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		char *said = daemon_read(tree, "shell.out");

		(void)fprintf(stderr, "%s", said);
		free(said);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
replace(struct buf *out, const char *text, const char *what, int port)
{
	const char *at;

	while ((at = strstr(text, what)) != NULL) {
		buf_add(out, text, (size_t)(at - text));
		buf_format(out, "127.0.0.1:%d", port);
		text = at + strlen(what);
	}
	buf_text(out, text);
}

/* text with the demo's ports; owned. */
static char *
here(const char *text)
{
	static const char *const api[] = {"127.0.0.1:8080", "localhost:8080"};
	char *now = strdup(text);

	for (size_t i = 0; i < COUNT(api); i++) {
		struct buf out = BUF(KIB(64));

		replace(&out, now, api[i], api_port);
		free(now);
		now = buf_take_text(&out);
		ck_assert_ptr_nonnull(now);
	}
	return now;
}

/* Runs text in the tree as somebody who has the demo's token; the last status that curl saw. */
static int
asked(const char *text)
{
	struct buf script = BUF(KIB(64));
	char *whole, *statuses, *last;
	int status = 0;

	buf_format(&script, ": >status\nTOKEN=$(cat build/demo/user.token)\n%s", text);
	whole = buf_take_text(&script);
	ck_assert_msg(shell(tree, whole) == 0, "failed: %s", text);
	free(whole);
	statuses = daemon_read(tree, "status");
	ck_assert_ptr_nonnull(statuses);
	for (last = statuses; *last >= '0'; last += strcspn(last, "\n") + 1)
		status = (int)strtol(last, NULL, 10);
	free(statuses);
	return status;
}

/* `200`, `401` ... in text, in order; how many. */
static size_t
promised(const char *text, int out[STATUSES])
{
	size_t count = 0;

	for (const char *tick = strchr(text, '`'); tick != NULL; tick = strchr(tick + 1, '`')) {
		char *end;
		long status = strtol(tick + 1, &end, 10);

		if (*end == '`' && end == tick + 4 && status >= 100 && status < 600) {
			ck_assert_uint_lt(count, STATUSES);
			out[count++] = (int)status;
		}
	}
	return count;
}

/* ---- the demo ---- */

static int
free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	(void)close(fd);
	return ntohs(a.sin_port);
}

static void
link_to(const char *target, const char *name)
{
	char whole[PATH_MAX], path[PATH_MAX];

	ck_assert_msg(realpath(target, whole) != NULL, "%s is not there", target);
	(void)snprintf(path, sizeof(path), "%s/%s", tree, name);
	ck_assert_int_eq(symlink(whole, path), 0);
}

static void
make_folder(const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", tree, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
plant_tree(void)
{
	char path[PATH_MAX];

	ck_assert(daemon_dir(tree));
	make_folder("build");
	make_folder("tools");
	link_to(getenv("TASKER_BIN"), "build/bin");
	link_to("config", "config");
	ck_assert(daemon_file(tree, "tools/curl",
	        "#!/bin/sh\nexec /usr/bin/curl -o /dev/null -w '%{http_code}\\n' \"$@\" "
	        ">>\"$TREE/status\"\n"));
	(void)snprintf(path, sizeof(path), "%s/tools/curl", tree);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

static void
run_demo(void)
{
	char text[16];

	say_to(tree, "demo.out");
	(void)snprintf(text, sizeof(text), "%d", api_port);
	(void)setenv("DEMO_API_PORT", text, 1);
	(void)snprintf(text, sizeof(text), "%d", worker_port);
	(void)setenv("DEMO_WORKER_PORT", text, 1);
	(void)unsetenv("DEMO");
	(void)execl("/bin/sh", "sh", "config/demo/demo.sh", (char *)NULL);
}

static bool
demo_is_up(void)
{
	char *out = daemon_read(tree, "demo.out");
	bool up = out != NULL && strstr(out, "The pair stays up") != NULL;

	free(out);
	return up;
}

static void
start(void)
{
	int64_t until = clock_mono_us() + (int64_t)START_MS * 1000;
	char *out;

	read_documents();
	plant_tree();
	api_port = free_port();
	worker_port = free_port();
	own_api_port = free_port();
	own_worker_port = free_port();
	demo = fork();
	if (demo == 0) {
		if (chdir(tree) == 0)
			run_demo();
		_exit(127);
	}
	while (!demo_is_up() && clock_mono_us() < until && waitpid(demo, NULL, WNOHANG) == 0)
		(void)poll(NULL, 0, 20);
	out = daemon_read(tree, "demo.out");
	ck_assert_msg(demo_is_up(), "the demo did not get up:\n%s", out);
	free(out);
}

/* Ctrl-C ends the demo, and well. */
static void
stop(void)
{
	int status = -1;

	(void)kill(demo, SIGINT);
	(void)waitpid(demo, &status, 0);
	daemon_dir_remove(tree);
	fences_free(fences, fence_count);
	ck_assert_msg(
	        WIFEXITED(status) && WEXITSTATUS(status) == 0, "the demo ended with %d", status);
}

/* ---- tests ---- */

START_TEST(every_block_is_run_or_skipped_for_a_reason)
{
	size_t blocks = 0;

	for (size_t i = 0; i < fence_count; i++) {
		const struct treatment *t = treatment_of(&fences[i]);

		if (!is_sh(&fences[i]))
			continue;
		blocks++;
		ck_assert_msg(t != NULL, "%s:%d is neither run nor skipped", fences[i].file,
		        fences[i].line);
		ck_assert_int_eq(t->how == SKIPPED, t->why != NULL);
	}
	ck_assert_uint_eq(blocks, COUNT(treatments)); /* and each row has its block */
}
END_TEST

START_TEST(what_is_asked_is_answered_as_promised)
{
	for (size_t i = 0; i < fence_count; i++) {
		int statuses[STATUSES];
		size_t count;
		char *text;

		if (!is_done(&fences[i], ASKED))
			continue;
		text = here(fences[i].text);
		count = promised(fences[i].after, statuses);
		ck_assert_msg(count > 0, "%s:%d: nothing is promised behind it", fences[i].file,
		        fences[i].line);
		for (size_t n = 0; n < count; n++) {
			int got = asked(text);

			ck_assert_msg(got == statuses[n], "%s:%d promises %d and gives %d",
			        fences[i].file, fences[i].line, statuses[n], got);
		}
		free(text);
	}
}
END_TEST

/* A block of another kind whose first line is "# name" is that file. */
static void
write_named(const char *dir, const struct fence *f)
{
	char name[64];

	if (!is_sh(f) && sscanf(f->text, "# %63[a-z.]\n", name) == 1)
		ck_assert(daemon_file(dir, name, f->text));
}

START_TEST(blocks_by_hand_work_in_turn)
{
	const char *file = "";
	char dir[64] = "";

	for (size_t i = 0; i < fence_count; i++) {
		char *text;

		if (strcmp(file, fences[i].file) != 0) {
			if (dir[0] != '\0')
				daemon_dir_remove(dir);
			ck_assert(daemon_dir(dir));
			file = fences[i].file;
		}
		write_named(dir, &fences[i]);
		if (!is_done(&fences[i], IN_TURN))
			continue;
		text = here(fences[i].text);
		ck_assert_msg(
		        shell(dir, text) == 0, "%s:%d failed", fences[i].file, fences[i].line);
		free(text);
	}
	daemon_dir_remove(dir);
}
END_TEST

START_TEST(demo_prints_lines_that_work)
{
	static const int expected[] = {200, 200, 201, 401};
	char *out = daemon_read(tree, "demo.out");
	char *line = strstr(out, "\ncurl ");

	ck_assert_ptr_nonnull(strstr(out, "complete"));
	for (size_t i = 0; i < COUNT(expected); i++) {
		char *next;

		ck_assert_msg(line != NULL, "the demo prints %zu lines", i);
		next = strstr(line + 1, "\ncurl ");
		if (next != NULL)
			*next = '\0';
		else
			line[1 + strcspn(line + 1, "\n")] = '\0';
		ck_assert_int_eq(asked(line + 1), expected[i]);
		if (next != NULL)
			*next = '\n';
		line = next;
	}
	ck_assert_ptr_null(line);
	free(out);
}
END_TEST

START_TEST(three_lines_of_shell_are_a_handler)
{
	for (size_t i = 0; i < fence_count; i++) {
		char *result;

		if (strcmp(fences[i].file, "docs/handlers.md") != 0 || !is_sh(&fences[i]))
			continue;
		ck_assert(daemon_file(tree, "words.sh", fences[i].text));
		ck_assert_int_eq(shell(tree, "echo '{\"text\":\"one two three\"}' | "
		                             "TASKER_RESULT=words.json sh words.sh"),
		        0);
		result = daemon_read(tree, "words.json");
		ck_assert_str_eq(result, "{\"words\":3}\n");
		free(result);
		return;
	}
	ck_abort_msg("docs/handlers.md shows no handler in shell");
}
END_TEST

Suite *
documents_suite(void)
{
	Suite *s = suite_create("documents");
	TCase *tc = tcase_create("demo");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_block_is_run_or_skipped_for_a_reason);
	tcase_add_test(tc, what_is_asked_is_answered_as_promised);
	tcase_add_test(tc, blocks_by_hand_work_in_turn);
	tcase_add_test(tc, demo_prints_lines_that_work);
	tcase_add_test(tc, three_lines_of_shell_are_a_handler);
	suite_add_tcase(s, tc);
	return s;
}
