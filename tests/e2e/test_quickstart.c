/*
 * Seed 002's quick start, word for word (tasker-ctl for `cargo run --bin tasker-ctl --`): keys, a
 * token, authentication on, and curl's 200 on port 8080. Runs in a network namespace of its own, so
 * that it needs no free port; where the system gives none it runs outside.
 */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/daemon.h"
#include "tests/unit/unit.h"

static const char script[] =
        "set -eu\n"
        "PATH=\"$TASKER_BIN_DIR:$PATH\"\n"
        "tasker-ctl auth generate-keys --output-dir ./keys\n"
        "tasker-ctl auth generate-token \\\n"
        "  --private-key ./keys/jwt-private-key.pem \\\n"
        "  --permissions \"tasks:create,tasks:read,tasks:list\" \\\n"
        "  --subject my-service \\\n"
        "  --expiry-hours 24 >token\n"
        "cat >orchestration.toml <<'TOML'\n"
        "[web.auth]\n"
        "enabled = true\n"
        "jwt_public_key_path = \"./keys/jwt-public-key.pem\"\n"
        "TOML\n"
        "tasker-orchestration --config orchestration.toml --check-config\n"
        "tasker-orchestration --config orchestration.toml --port-file port 2>log &\n"
        "daemon=$!\n"
        "n=0\n"
        "until [ -s port ]; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.1; done\n"
        "curl -s -o answer -w '%{http_code}' -H \"Authorization: Bearer $(cat token)\" "
        "http://localhost:8080/v1/tasks >status\n"
        "curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/v1/tasks >status-without\n"
        "kill $daemon\n"
        "wait $daemon\n";

/* Loopback of the new namespace is down at first. */
static void
loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	(void)ioctl(fd, SIOCSIFFLAGS, &lo);
	(void)close(fd);
}

START_TEST(quick_start_of_the_seed_ends_in_200)
{
	char dir[64], path[4096];
	char *status, *without, *answer;
	pid_t pid;
	int code;

	ck_assert(daemon_dir(dir));
	ck_assert(daemon_file(dir, "quickstart.sh", script));
	ck_assert_ptr_nonnull(realpath(getenv("TASKER_BIN"), path));
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
			loopback_up();
		(void)setenv("TASKER_BIN_DIR", path, 1);
		if (chdir(dir) == 0)
			(void)execl("/bin/sh", "sh", "quickstart.sh", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &code, 0), pid);
	status = daemon_read(dir, "status");
	without = daemon_read(dir, "status-without");
	answer = daemon_read(dir, "answer");
	ck_assert_msg(code == 0, "the script ended with %d", code);
	ck_assert_str_eq(status, "200");
	ck_assert_str_eq(without, "401");
	ck_assert_ptr_nonnull(strstr(answer, "\"tasks\":[]"));
	free(status);
	free(without);
	free(answer);
	daemon_dir_remove(dir);
}
END_TEST

Suite *
quickstart_suite(void)
{
	Suite *s = suite_create("quickstart");
	TCase *tc = tcase_create("seed");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, quick_start_of_the_seed_ends_in_200);
	suite_add_tcase(s, tc);
	return s;
}
