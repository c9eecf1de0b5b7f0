/* The moments a configuration may name. */
#ifndef SHARED_CONFIG_CONFIG_TIME_H
#define SHARED_CONFIG_CONFIG_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * RFC 3339 with any offset, or a date alone for its first moment; without an offset it is UTC. ""
 * is 0, no time. Wall microseconds; false for anything else and for times before 1970.
 */
bool config_time_parse(const char *text, int64_t *us);

#endif
