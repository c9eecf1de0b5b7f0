/* What daemon_main() hands to a daemon's run. */
#ifndef SHARED_DAEMON_DAEMON_START_H
#define SHARED_DAEMON_DAEMON_START_H

#include "shared/config/config.h"

/* All of it outlives the run. */
struct daemon_start {
	const struct config *config;
	const struct config_source *source; /* to read it again from; NULL: it cannot be */
	const char *port_file;              /* may be NULL */
};

#endif
