#include "tests/torture/daemon_thread.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/runtime/process.h"
#include "tests/lib/patience.h"
#include "tests/torture/fault.h"
#include "tests/unit/unit.h"

static void
write_text(const struct daemon_thread *d, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", d->folder, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static void
write_keys(const struct daemon_thread *d, enum token_key users)
{
	char *user_pem = token_key_pem(users), *worker_pem = token_key_pem(TOKEN_KEY_P256);
	char *claims = token_worker_claims("w1", "demo", time(NULL));
	char *token = token_make(TOKEN_KEY_P256, "ES256", claims);

	write_text(d, "users.pem", user_pem);
	write_text(d, "workers.pem", worker_pem);
	write_text(d, "worker.token", token);
	free(user_pem);
	free(worker_pem);
	free(claims);
	free(token);
}

void
daemon_thread_configure(const struct daemon_thread *d, const char *toml)
{
	char text[8192] = "";
	size_t len = 0;

	for (const char *at = toml; *at != '\0'; at++) {
		ck_assert_uint_lt(len + sizeof(d->folder), sizeof(text));
		if (at[0] == '%' && at[1] == 's') {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", d->folder);
			at++;
		} else {
			text[len++] = *at;
		}
	}
	text[len] = '\0';
	write_text(d, "daemon.toml", text);
}

void
daemon_thread_prepare(
        struct daemon_thread *d, enum config_role role, enum token_key users, const char *toml)
{
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	static struct config_notes notes;
	struct err e = {0};
	const char *path_to_log;

	*d = (struct daemon_thread){.port = 0};
	(void)snprintf(d->folder, sizeof(d->folder), "%s/tasker-torture-XXXXXX", memory);
	ck_assert_ptr_nonnull(mkdtemp(d->folder));
	write_keys(d, users);
	daemon_thread_configure(d, toml);
	(void)snprintf(d->path, sizeof(d->path), "%s/daemon.toml", d->folder);
	d->source = (struct config_source){.role = role, .path = d->path};
	ck_assert_msg(config_load(&d->source, &notes, &d->config, &e), "%s: %s", e.text,
	        notes.problems.count > 0 ? notes.problems.text[0] : "");
	process_prepare();
	path_to_log = getenv("TORTURE_LOG");
	log_open(open(path_to_log != NULL ? path_to_log : "/dev/null",
	                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
	        LOG_JSON, LEVEL_INFO, "torture");
	ck_assert_msg(log_start(&e), "%s", e.text);
}

struct life {
	struct daemon_thread *daemon;
	char port_file[128];
	_Atomic bool ended;
};

/* One daemon at a time: Check forks each test. */
static struct life life;

static void *
live(void *arg)
{
	struct life *l = arg;

	l->daemon->exit_code = app_run(&(struct daemon_start){.config = l->daemon->config,
	        .source = &l->daemon->source,
	        .port_file = l->port_file});
	l->ended = true;
	return NULL;
}

static int
read_port(const char *path)
{
	FILE *f = fopen(path, "re");
	int port = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%d", &port) != 1)
		port = 0;
	(void)fclose(f);
	return port;
}

bool
daemon_thread_start(struct daemon_thread *d)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	pthread_t thread;
	int rc;

	d->port = 0;
	life.daemon = d;
	life.ended = false;
	(void)snprintf(life.port_file, sizeof(life.port_file), "%s/port", d->folder);
	(void)unlink(life.port_file);
	fault_spare_this_thread(true);
	rc = pthread_create(&thread, NULL, live, &life);
	if (rc != 0)
		ck_abort_msg("no thread for the daemon");
	d->thread = thread;
	for (int i = 0; i < patience_ms(20000) && !life.ended; i++) {
		d->port = read_port(life.port_file);
		if (d->port != 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	if (!life.ended)
		ck_abort_msg("the daemon neither starts nor ends; %s failed", fault_last());
	(void)pthread_join(thread, NULL);
	return false;
}

void
daemon_thread_stop(struct daemon_thread *d)
{
	/* Blocked in every thread: the daemon's signalfd reads it. */
	if (kill(getpid(), SIGTERM) != 0)
		ck_abort_msg("no signal for the daemon");
	(void)pthread_join(d->thread, NULL);
}

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

void
daemon_thread_clear(struct daemon_thread *d)
{
	config_free(d->config);
	log_stop();
	(void)nftw(d->folder, discard, 8, FTW_DEPTH | FTW_PHYS);
}
