/* How tasker-ctl ends, for scripts. */
#ifndef CTL_EXIT_STATUS_H
#define CTL_EXIT_STATUS_H

enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_NO = 1,          /* it failed, or the answer is no */
	EXIT_STATUS_USAGE = 2,       /* the command line or the environment is wrong */
	EXIT_STATUS_MISSING = 3,     /* 404 */
	EXIT_STATUS_AUTH = 4,        /* 401, 403 */
	EXIT_STATUS_CONFLICT = 5,    /* 409 */
	EXIT_STATUS_UNREACHABLE = 6, /* no daemon, or one in trouble: 5xx, 429 */
	EXIT_STATUS_TIMEOUT = 7,     /* the wait is over, the task is not */
	EXIT_STATUS_INTERRUPTED = 130,
};

#endif
