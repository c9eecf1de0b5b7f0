#include "shared/template/report.h"

#include <stdarg.h>
#include <stdio.h>

bool
report_has_room(const struct template_report *report)
{
	return report != NULL && report->count < COUNT(report->warnings);
}

void
report_warn(struct template_report *report, struct tree_place at, const char *fmt, ...)
{
	struct template_warning *w;
	va_list ap;

	if (report == NULL)
		return;
	if (!report_has_room(report)) {
		report->more++;
		return;
	}
	w = &report->warnings[report->count++];
	w->line = at.line;
	w->column = at.column;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}
