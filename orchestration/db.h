/* Offline work on the store: `tasker-orchestration db migrate | check | backup FILE`. */
#ifndef ORCHESTRATION_DB_H
#define ORCHESTRATION_DB_H

#include "shared/config/config.h"

/* Runs one command on the store of the configuration and prints its report; the exit code. */
int db_command(const struct config *config, char *const *operands, size_t count);

#endif
