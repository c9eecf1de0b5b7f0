/* How a daemon ends: the numbers of sysexits.h that Tasker uses, for service managers and scripts.
 */
#ifndef SHARED_CONFIG_EXIT_CODES_H
#define SHARED_CONFIG_EXIT_CODES_H

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_USAGE = 64,       /* the command line is wrong */
	EXIT_CODE_UNAVAILABLE = 69, /* something needed is not there: the port is taken */
	EXIT_CODE_INTERNAL = 70,    /* our own mistake */
	EXIT_CODE_IOERR = 74, /* a write to disk failed for good; what was acknowledged is kept */
	EXIT_CODE_TEMPORARY = 75,  /* no memory, a busy store: trying again may help */
	EXIT_CODE_PERMISSION = 77, /* the system's permissions forbid it */
	EXIT_CODE_CONFIG = 78,     /* the configuration is refused */
};

#endif
