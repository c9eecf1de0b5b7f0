/* How the parts of the head parser say what they found. */
#ifndef SHARED_HTTP_HEAD_VERDICT_H
#define SHARED_HTTP_HEAD_VERDICT_H

#include "shared/http/head.h"

/* Nothing is wrong so far. */
static inline struct head_result
head_fine(void)
{
	return (struct head_result){.verdict = HEAD_OK};
}

static inline struct head_result
head_refused(enum head_verdict verdict, const char *reason)
{
	return (struct head_result){.verdict = verdict, .reason = reason};
}

static inline struct head_result
head_bad(const char *reason)
{
	return head_refused(HEAD_BAD, reason);
}

#endif
