#include "orchestration/db.h"

#include <stdio.h>
#include <string.h>

#include "orchestration/store/store.h"
#include "shared/config/exit_codes.h"
#include "shared/daemon/service.h"

enum { REPORT_MAX = 1024 * 1024, UNSOUND = 1 };

static int
failed(const struct err *e)
{
	(void)fprintf(stderr, "error: %s\n", e->text);
	return service_exit_code(e, EXIT_CODE_TEMPORARY);
}

/* A sound store may have nothing to say. */
static void
show(const struct buf *report)
{
	if (report->len > 0)
		(void)fwrite(report->data, 1, report->len, stdout);
}

static int
migrate(const char *url)
{
	AUTO(buf) struct buf report = BUF(REPORT_MAX);
	struct err e = {0};
	bool ok = store_migrate(url, &report, &e);

	show(&report);
	return ok ? EXIT_CODE_OK : failed(&e);
}

static int
check(const char *url)
{
	AUTO(buf) struct buf report = BUF(REPORT_MAX);
	struct err e = {0};
	bool sound = false;

	if (!store_check(url, &report, &sound, &e))
		return failed(&e);
	show(&report);
	return sound ? EXIT_CODE_OK : UNSOUND;
}

static int
backup(const char *url, const char *to)
{
	struct err e = {0};

	return store_backup(url, to, &e) ? EXIT_CODE_OK : failed(&e);
}

int
db_command(const struct config *config, char *const *operands, size_t count)
{
	if (count == 2 && strcmp(operands[0], "db") == 0 && strcmp(operands[1], "migrate") == 0)
		return migrate(config->store_url);
	if (count == 2 && strcmp(operands[0], "db") == 0 && strcmp(operands[1], "check") == 0)
		return check(config->store_url);
	if (count == 3 && strcmp(operands[0], "db") == 0 && strcmp(operands[1], "backup") == 0)
		return backup(config->store_url, operands[2]);
	(void)fputs(
	        "usage: tasker-orchestration [options] db migrate | db check | db backup FILE\n",
	        stderr);
	return EXIT_CODE_USAGE;
}
