#include "worker/runner/settings.h"

#include <string.h>

#include "shared/base/buf.h"

const struct runner_settings runner_settings_default = {
        .shim = "tasker-exec",
        .worker = "worker",
        .boot = "",
        .scratch = "/tmp",
        .frame_bytes = MIB(2),
        .result_bytes = MIB(1),
        .log_bytes = KIB(64),
        .json_depth = 32,
        .json_nodes = 10000,
        .tick_us = 1000000,
        .stop_us = 2000000,
        .restart = {.least_us = 1000000, .most_us = 60000000, .window_us = 60000000},
};

bool
callable_matches(const char *pattern, const char *callable)
{
	const size_t len = strlen(pattern);

	if (len >= 2 && strcmp(pattern + len - 2, ".*") == 0)
		return strncmp(pattern, callable, len - 1) == 0 && callable[len - 1] != '\0';
	return strcmp(pattern, callable) == 0;
}
