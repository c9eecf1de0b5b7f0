#include "tests/fault/rig.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/fault/book.h"

enum {
	PORT_FIRST = 20000, /* to 32767: Linux gives clients ports from 32768 on */
	PORTS = 12768,
	PORT_TRIES = 100,
	READY_MS = 10000,
	ORPHAN_MS = 1000,
	STOP_MS = 20000,
};

/* Where the handler's program is; FAULT_HANDLER names it. */
static bool
handler_path(char out[PATH_MAX])
{
	const char *name = getenv("FAULT_HANDLER");

	return name != NULL && realpath(name, out) != NULL;
}

static bool
is_free(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool got;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	got = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return got;
}

/* The environment wins over the file, so every life of the orchestration gets this port. */
static bool
choose_port(void)
{
	char address[32];

	for (int i = 0; i < PORT_TRIES; i++) {
		int port = PORT_FIRST + (int)(rand_u64() % PORTS);

		if (!is_free(port))
			continue;
		(void)snprintf(address, sizeof(address), "127.0.0.1:%d", port);
		return setenv("TASKER_ORCHESTRATION_WEB_BIND_ADDRESS", address, 1) == 0;
	}
	return false;
}

bool
rig_start(struct rig *r, bool without_worker)
{
	char handler[PATH_MAX], handlers[PATH_MAX + 256], root[PATH_MAX], own[2 * PATH_MAX + 128];

	*r = (struct rig){.second = {.pid = -1}};
	if (!handler_path(handler) || getcwd(root, sizeof(root)) == NULL || !choose_port()) {
		(void)fputs("no FAULT_HANDLER, or no free port\n", stderr);
		return false;
	}
	(void)snprintf(handlers, sizeof(handlers),
	        "[[handlers]]\nname = \"fault\"\ncommand = [\"%s\", \"" RIG_BOOK "\"]\n"
	        "callables = [\"demo.*\"]\nprocesses = 2\nslots = 8\nheartbeat_s = 1\n"
	        "[limits]\nshutdown_ms = %d\n",
	        handler, RIG_SHUTDOWN_MS);
	(void)snprintf(own, sizeof(own),
	        "[engine]\nlease_ms = %d\nbeat_ms = %d\n"
	        "[templates]\npaths = [\"%s/config/templates\", \"%s/tests/fault/templates\"]\n",
	        RIG_LEASE_MS, RIG_BEAT_MS, root, root);
	return pair_start(&r->pair, &(struct pair_settings){.orchestration = own,
	                                    .handlers = handlers,
	                                    .without_worker = without_worker});
}

static bool
stop(struct daemon *d)
{
	int status;

	if (d->pid <= 0)
		return true;
	status = daemon_stop(d, STOP_MS);
	if (status != 0)
		(void)fprintf(stderr, "tasker-%s in %s ended with %d\n", d->role, d->dir, status);
	return status == 0;
}

bool
rig_stop(struct rig *r)
{
	bool second = stop(&r->second), worker = stop(&r->pair.worker);

	return stop(&r->pair.orchestration) && worker && second;
}

void
rig_remove(struct rig *r)
{
	daemon_dir_remove(r->pair.dir);
}

static bool
is_ready(int port)
{
	struct wire_reply reply = wire_call(port, "GET", "/health/ready", "", NULL);
	bool ready = reply.status == 200;

	wire_reply_free(&reply);
	return ready;
}

int
rig_revive(const struct rig *r, struct daemon *d)
{
	const int64_t from = clock_mono_us();
	char role[sizeof(d->role)];

	memcpy(role, d->role, sizeof(role));
	if (!daemon_start(d, r->pair.dir, role, NULL))
		return -1;
	while (clock_mono_us() - from < (int64_t)READY_MS * 1000) {
		if (is_ready(d->port))
			return (int)((clock_mono_us() - from) / 1000);
		(void)poll(NULL, 0, 2);
	}
	return -1;
}

int
rig_restart_orchestration(struct rig *r)
{
	daemon_kill(&r->pair.orchestration);
	return rig_revive(r, &r->pair.orchestration);
}

/* Does /proc/<pid>/<link> lead there? */
static bool
leads_to(const char *pid, const char *link, const char *there)
{
	char path[64], target[PATH_MAX];
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, link);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return strcmp(target, there) == 0;
}

/* Processes that run the handler's program in this folder. */
static size_t
handlers_in(const char *dir)
{
	char handler[PATH_MAX], folder[PATH_MAX];
	DIR *proc = opendir("/proc");
	size_t count = 0;

	if (proc == NULL || !handler_path(handler) || realpath(dir, folder) == NULL) {
		if (proc != NULL)
			(void)closedir(proc);
		return SIZE_MAX;
	}
	for (struct dirent *e = readdir(proc); e != NULL; e = readdir(proc))
		if (isdigit((unsigned char)e->d_name[0]) != 0)
			count += leads_to(e->d_name, "exe", handler) &&
			         leads_to(e->d_name, "cwd", folder);
	(void)closedir(proc);
	return count;
}

size_t
rig_kill_worker(struct rig *r)
{
	int64_t until = clock_mono_us() + (int64_t)ORPHAN_MS * 1000;
	size_t left;

	daemon_kill(&r->pair.worker);
	while ((left = handlers_in(r->pair.dir)) > 0 && clock_mono_us() < until)
		(void)poll(NULL, 0, 1);
	return left;
}

bool
rig_start_worker(struct rig *r)
{
	return daemon_start(&r->pair.worker, r->pair.dir, "worker", NULL);
}

/* The first worker's configuration under another name. */
static bool
copy_settings(const char *from, const char *to)
{
	static const char name[] = "\"e2e-worker\"";
	char *text = daemon_read(from, "worker.toml");
	char *at = text != NULL ? strstr(text, name) : NULL;
	char *other = NULL;
	bool written = false;

	if (at != NULL &&
	        asprintf(&other, "%.*s\"second\"%s", (int)(at - text), text, at + strlen(name)) > 0)
		written = daemon_file(to, "worker.toml", other);
	free(other);
	free(text);
	return written;
}

static bool
write_credentials(const char *dir)
{
	char *pem = token_key_pem(TOKEN_KEY_RSA);
	char *claims = token_worker_claims("second", "demo", time(NULL));
	char *token = token_make(TOKEN_KEY_P256, "ES256", claims);
	bool written =
	        daemon_file(dir, "users.pem", pem) && daemon_file(dir, "worker.token", token);

	free(token);
	free(claims);
	free(pem);
	return written;
}

bool
rig_second_worker(struct rig *r)
{
	char dir[80], book[PATH_MAX];

	(void)snprintf(dir, sizeof(dir), "%s/2", r->pair.dir);
	(void)snprintf(book, sizeof(book), "%s/" RIG_BOOK, dir);
	return mkdir(dir, 0700) == 0 && symlink("../" RIG_BOOK, book) == 0 &&
	       copy_settings(r->pair.dir, dir) && write_credentials(dir) &&
	       daemon_start(&r->second, dir, "worker", NULL);
}

struct wire_reply
rig_call(const struct rig *r, const char *method, const char *path, const char *body)
{
	return wire_call(r->pair.orchestration.port, method, path, RIG_KEY, body);
}

OWNED char *
rig_linear(const struct rig *r, int ms)
{
	char body[512];
	struct wire_reply reply;
	char *id;

	(void)snprintf(body, sizeof(body),
	        "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":"
	        "{\"ms\":%d,\"nonce\":\"%llx\"},\"initiator\":\"fault\",\"source_system\":"
	        "\"test\",\"reason\":\"crashes\"}",
	        ms, (unsigned long long)rand_u64());
	reply = rig_call(r, "POST", "/v1/tasks", body);
	id = reply.status == 201 ? pair_member(reply.body, "task_uuid") : NULL;
	if (id == NULL)
		(void)fprintf(stderr, "POST /v1/tasks: %d %s\n", reply.status, reply.body);
	wire_reply_free(&reply);
	return id;
}

bool
rig_begins(const struct rig *r, const char *task, const char *step, int attempt, int within_ms)
{
	int64_t until = clock_mono_us() + (int64_t)within_ms * 1000;
	char line[128];
	bool begun = false;

	if (attempt == 0)
		(void)snprintf(line, sizeof(line), "begin %s %s ", task, step);
	else
		(void)snprintf(line, sizeof(line), "begin %s %s %d ", task, step, attempt);
	while (!begun && clock_mono_us() < until) {
		char *text = daemon_read(r->pair.dir, RIG_BOOK);

		begun = text != NULL && strstr(text, line) != NULL;
		free(text);
		if (!begun)
			(void)poll(NULL, 0, 5);
	}
	if (!begun)
		(void)fprintf(stderr, "not in the book: %s\n", line);
	return begun;
}

int
rig_check(const struct rig *r)
{
	static const char *const args[] = {"--config", "orchestration.toml", "db", "check", NULL};
	int status = daemon_run(r->pair.dir, "tasker-orchestration", "check", args);

	if (status != 0) {
		char *said = daemon_read(r->pair.dir, "check.out");

		(void)fprintf(stderr, "db check: %d\n%s\n", status, said != NULL ? said : "");
		free(said);
	}
	return status;
}
