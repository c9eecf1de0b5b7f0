#include "shared/security/security_report.h"

#include <stdarg.h>
#include <stdio.h>

void
security_report_add(struct security_report *report, const char *fmt, ...)
{
	va_list args;

	if (report == NULL)
		return;
	if (report->count == SECURITY_REPORT_MAX) {
		report->dropped++;
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(report->warnings[report->count++], SECURITY_REPORT_TEXT, fmt, args);
	va_end(args);
}
