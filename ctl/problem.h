/* Error answers (application/problem+json, and whatever a proxy sends) in words for people. */
#ifndef CTL_PROBLEM_H
#define CTL_PROBLEM_H

#include "ctl/api.h"

/* The exit status that an HTTP status means; OK for 2xx. */
enum exit_status problem_exit_status(int status);

/* Tells what the daemon refused and what to do about it; gives the exit status. */
enum exit_status problem_tell(
        struct ctl *ctl, enum endpoint endpoint, const struct api_answer *answer);

#endif
