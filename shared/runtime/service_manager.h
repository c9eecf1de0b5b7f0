/*
 * What systemd and we say to each other: sd_notify(3) datagrams out, LISTEN_FDS sockets in.
 * Without a service manager every call is a success that does nothing.
 */
#ifndef SHARED_RUNTIME_SERVICE_MANAGER_H
#define SHARED_RUNTIME_SERVICE_MANAGER_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shared/base/err.h"

struct service_manager {
	struct sockaddr_un address; /* sun_path[0] is 0 for an abstract socket */
	socklen_t address_len;      /* 0: nobody listens */
	int64_t watchdog_us;        /* feed it twice in this time; 0: no watchdog */
	int listen_fds;             /* inherited sockets, from descriptor 3 on */
	char listen_names[256];     /* "http:metrics" */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC, LISTEN_FDS and removes them from the environment, so that
 * children do not speak for us. Call before threads exist. */
void service_manager_read(struct service_manager *sm);

/* The inherited listening socket of that name (FileDescriptorName=; a single unnamed one fits any),
 * or -1. It is marked close-on-exec. */
int service_manager_fd(const struct service_manager *sm, const char *name);

/* ERR_IO when the datagram cannot be sent; nobody should end because of it. status is one line. */
MUST_CHECK bool service_manager_ready(
        const struct service_manager *sm, const char *status, struct err *e);
MUST_CHECK bool service_manager_status(
        const struct service_manager *sm, const char *status, struct err *e);
MUST_CHECK bool service_manager_reloading(
        const struct service_manager *sm, int64_t mono_us, struct err *e);
/* within_us: how long the drain may take (EXTEND_TIMEOUT_USEC). */
MUST_CHECK bool service_manager_stopping(
        const struct service_manager *sm, int64_t within_us, struct err *e);
MUST_CHECK bool service_manager_watchdog(const struct service_manager *sm, struct err *e);

#endif
