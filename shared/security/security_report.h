/* What a start-up or reload should say beside success; kept small, so nothing can flood a log. */
#ifndef SHARED_SECURITY_SECURITY_REPORT_H
#define SHARED_SECURITY_SECURITY_REPORT_H

#include "shared/base/attr.h"

enum { SECURITY_REPORT_MAX = 16, SECURITY_REPORT_TEXT = 240 };

struct security_report {
	char warnings[SECURITY_REPORT_MAX][SECURITY_REPORT_TEXT]; /* each NUL-terminated */
	size_t count;                                             /* kept */
	size_t dropped;                                           /* came when it was full */
};

/* Adds one warning, cut to its size; report may be NULL. Never key text. */
void security_report_add(struct security_report *report, const char *fmt, ...) PRINTF(2, 3);

#endif
