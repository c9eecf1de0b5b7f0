/* tasker-worker: takes ready steps, runs handlers, reports results. */
#include "shared/daemon/daemon_main.h"
#include "worker/app.h"

int
main(int argc, char **argv)
{
	static const struct daemon_program program = {
	        .options = {.name = "tasker-worker",
	                    .version = TASKER_VERSION,
	                    .summary = "Takes ready steps, runs their handlers, reports results."},
	        .role = CONFIG_WORKER,
	        .check = app_check,
	        .run = app_run,
	};

	return daemon_main(&program, argc, argv);
}
