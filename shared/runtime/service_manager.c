#include "shared/runtime/service_manager.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FD = 3, FDS_MAX = 16, MESSAGE_MAX = 512 };

/* The whole text as a number; -1 for anything else. */
static int64_t
number(const char *text)
{
	char *end;
	long long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' ? n : -1;
}

/* "/run/x" is a path, "@x" an abstract name; anything else is not for us. */
static void
read_address(struct service_manager *sm, const char *text)
{
	const size_t len = text == NULL ? 0 : strlen(text);

	if (len < 2 || len >= sizeof(sm->address.sun_path) || (text[0] != '/' && text[0] != '@'))
		return;
	sm->address.sun_family = AF_UNIX;
	memcpy(sm->address.sun_path, text, len);
	if (text[0] == '@')
		sm->address.sun_path[0] = '\0';
	sm->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static bool
is_for_us(const char *pid_text)
{
	return pid_text == NULL || number(pid_text) == (int64_t)getpid();
}

static void
read_sockets(struct service_manager *sm)
{
	const char *names = getenv("LISTEN_FDNAMES");
	const int64_t count = number(getenv("LISTEN_FDS"));

	if (getenv("LISTEN_PID") == NULL || !is_for_us(getenv("LISTEN_PID")) || count < 1)
		return;
	sm->listen_fds = count > FDS_MAX ? FDS_MAX : (int)count;
	if (names != NULL && strlen(names) < sizeof(sm->listen_names))
		memcpy(sm->listen_names, names, strlen(names) + 1);
}

void
service_manager_read(struct service_manager *sm)
{
	static const char *const ours[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
	        "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};
	int64_t watchdog;

	*sm = (struct service_manager){0};
	read_address(sm, getenv("NOTIFY_SOCKET"));
	watchdog = number(getenv("WATCHDOG_USEC"));
	if (watchdog > 0 && is_for_us(getenv("WATCHDOG_PID")))
		sm->watchdog_us = watchdog;
	read_sockets(sm);
	for (size_t i = 0; i < COUNT(ours); i++)
		(void)unsetenv(ours[i]);
}

int
service_manager_fd(const struct service_manager *sm, const char *name)
{
	const char *at = sm->listen_names;
	const size_t len = strlen(name);
	int fd = -1;

	for (int i = 0; i < sm->listen_fds && fd < 0; i++) {
		const char *end = strchrnul(at, ':');

		if ((size_t)(end - at) == len && memcmp(at, name, len) == 0)
			fd = FIRST_FD + i;
		at = *end == ':' ? end + 1 : end;
	}
	/* systemd calls a socket without FileDescriptorName= by its unit or "unknown". */
	if (fd < 0 && sm->listen_fds == 1)
		fd = FIRST_FD;
	if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	return fd;
}

static bool PRINTF(3, 4)
        notify(const struct service_manager *sm, struct err *e, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	ssize_t sent;
	va_list ap;
	int fd, len;

	if (sm->address_len == 0)
		return true;
	va_start(ap, fmt);
	len = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(message))
		return err_set(e, ERR_LIMIT, "a message to the service manager is too long");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket for the service manager: %s", strerror(errno));
	sent = sendto(fd, message, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
	        (const struct sockaddr *)&sm->address, sm->address_len);
	if (sent != len)
		(void)err_set(e, ERR_IO, "telling the service manager: %s", strerror(errno));
	(void)close(fd);
	return sent == len;
}

bool
service_manager_ready(const struct service_manager *sm, const char *status, struct err *e)
{
	return notify(sm, e, "READY=1\nSTATUS=%s\nMAINPID=%ld", status, (long)getpid());
}

bool
service_manager_status(const struct service_manager *sm, const char *status, struct err *e)
{
	return notify(sm, e, "STATUS=%s", status);
}

bool
service_manager_reloading(const struct service_manager *sm, int64_t mono_us, struct err *e)
{
	return notify(sm, e, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, mono_us);
}

bool
service_manager_stopping(const struct service_manager *sm, int64_t within_us, struct err *e)
{
	return notify(sm, e, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64, within_us);
}

bool
service_manager_watchdog(const struct service_manager *sm, struct err *e)
{
	return notify(sm, e, "WATCHDOG=1");
}
