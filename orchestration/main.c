/* tasker-orchestration: the daemon, and the offline work on its store. */
#include <stdio.h>
#include <string.h>

#include "orchestration/app.h"
#include "orchestration/db.h"
#include "shared/daemon/daemon_main.h"

int
main(int argc, char **argv)
{
	static const struct daemon_program program = {
	        .options = {.name = "tasker-orchestration",
	                    .version = TASKER_VERSION,
	                    .summary = "Keeps tasks, decides their steps, and serves the API.",
	                    .operands = "[db migrate | db check | db backup FILE]"},
	        .role = CONFIG_ORCHESTRATION,
	        .check = app_check,
	        .run = app_run,
	        .command = db_command,
	};

	return daemon_main(&program, argc, argv);
}
