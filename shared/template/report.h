/* Collecting the warnings about a template. */
#ifndef SHARED_TEMPLATE_REPORT_H
#define SHARED_TEMPLATE_REPORT_H

#include "shared/template/template.h"
#include "shared/template/tree.h"

/* Adds a warning, or counts it when the report is full. report may be NULL. */
void report_warn(struct template_report *report, struct tree_place at, const char *fmt, ...)
        PRINTF(3, 4);

/* Would a further warning be kept? Spares the work of wording one that is not. */
bool report_has_room(const struct template_report *report);

#endif
