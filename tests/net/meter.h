/*
 * What a process of ours takes from the machine, read from /proc.
 *
 * Pages of the database that are mapped (the index of its log) grow with the data and belong to the
 * page cache, so they are counted apart: rss_kib is without them.
 */
#ifndef TESTS_NET_METER_H
#define TESTS_NET_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/base/attr.h"

struct meter {
	int64_t at_us;                         /* monotonic, when it was read */
	long rss_kib, dirty_kib, database_kib; /* dirty: private */
	long fds, threads;
	int64_t cpu_us; /* user and system since its start */
};

/* False: there is no such process, or it is not ours. */
MUST_CHECK bool meter_read(pid_t pid, struct meter *out);
/* Processors kept busy between two readings, 0.05 for 5 %. */
double meter_cores(const struct meter *from, const struct meter *to);
/* The most that was ever resident, KiB; 0 if it cannot be told. */
long meter_peak_kib(pid_t pid);
/* The value of a metric without labels at GET /metrics; -1: there is none. */
long meter_metric(int port, const char *name);
/* Bytes of dir/name, 0 if it is not there. */
int64_t meter_file(const char *dir, const char *name);

#endif
