/* The main function of both daemons: command line, configuration, log, then the daemon's own run.
 */
#ifndef SHARED_DAEMON_DAEMON_MAIN_H
#define SHARED_DAEMON_DAEMON_MAIN_H

#include "shared/config/config.h"
#include "shared/config/exit_codes.h"
#include "shared/config/options.h"
#include "shared/daemon/daemon_start.h"

struct daemon_program {
	struct options_program options;
	enum config_role role;
	/* What --check-config looks at beyond the configuration itself; no network, no store. */
	bool (*check)(const struct config *config, struct err *e);
	/* Runs the daemon to its end; its exit code. */
	int (*run)(const struct daemon_start *start);
	/* For operands such as "db check"; NULL: none are taken. Its exit code. */
	int (*command)(const struct config *config, char *const *operands, size_t count);
};

/* What main returns: an exit code. Ends nothing itself and is entered once. */
int daemon_main(const struct daemon_program *program, int argc, char **argv);

#endif
