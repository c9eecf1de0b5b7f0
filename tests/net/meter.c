#include "tests/net/meter.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/wire.h"

enum { LINE = 4096, US_PER_S = 1000000 };

static FILE *
open_proc(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* A mapping's first line begins with its addresses in lower case, its values with a capital. */
static bool
read_smaps(pid_t pid, struct meter *out)
{
	FILE *file = open_proc(pid, "smaps");
	char line[LINE];
	bool database = false;
	long kib;

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (!isupper((unsigned char)line[0]))
			database = strstr(line, "tasker.db") != NULL;
		else if (sscanf(line, "Rss: %ld kB", &kib) == 1 && database)
			out->database_kib += kib;
		else if (sscanf(line, "Rss: %ld kB", &kib) == 1)
			out->rss_kib += kib;
		else if (sscanf(line, "Private_Dirty: %ld kB", &kib) == 1 && !database)
			out->dirty_kib += kib;
	}
	(void)fclose(file);
	return out->rss_kib > 0;
}

/* Field 14 on of stat, counted behind the name, which may hold anything. */
static bool
read_stat(pid_t pid, struct meter *out)
{
	FILE *file = open_proc(pid, "stat");
	char line[LINE], *at;
	unsigned long user, system;
	int got = 0;

	if (file == NULL)
		return false;
	at = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
	(void)fclose(file);
	if (at != NULL)
		got = sscanf(at + 1,
		        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %ld",
		        &user, &system, &out->threads);
	if (got != 3)
		return false;
	out->cpu_us = (int64_t)(user + system) * (US_PER_S / sysconf(_SC_CLK_TCK));
	return true;
}

static long
count_fds(pid_t pid)
{
	char path[64];
	DIR *dir;
	long count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		(void)closedir(dir);
	return count > 2 ? count - 2 : 0; /* not itself, nor the one above */
}

bool
meter_read(pid_t pid, struct meter *out)
{
	struct meter m = {.at_us = clock_mono_us()};

	if (!read_smaps(pid, &m) || !read_stat(pid, &m))
		return false;
	m.fds = count_fds(pid);
	*out = m;
	return true;
}

double
meter_cores(const struct meter *from, const struct meter *to)
{
	const int64_t passed = to->at_us - from->at_us;

	return passed > 0 ? (double)(to->cpu_us - from->cpu_us) / (double)passed : 0;
}

long
meter_peak_kib(pid_t pid)
{
	FILE *file = open_proc(pid, "status");
	char line[LINE];
	long kib = 0;

	while (file != NULL && kib == 0 && fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "VmHWM: %ld kB", &kib);
	if (file != NULL)
		(void)fclose(file);
	return kib;
}

int64_t
meter_file(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

long
meter_metric(int port, const char *name)
{
	struct wire_reply r = wire_call(port, "GET", "/metrics", "", NULL);
	char key[96];
	const char *at;
	long value = -1;

	(void)snprintf(key, sizeof(key), "\n%s ", name);
	at = r.body != NULL ? strstr(r.body, key) : NULL;
	if (at != NULL)
		value = strtol(at + strlen(key), NULL, 10);
	wire_reply_free(&r);
	return value;
}
