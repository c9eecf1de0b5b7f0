/*
 * What a test and the daemons it starts share: a file, mapped by both, that says at which point of
 * points.def the daemon is to die and what its wall clock shows.
 *
 * The daemon's half is a library of this folder's (preload.c, preload_clock.c), loaded before the
 * others by LD_PRELOAD; the product knows nothing of it. The environment names the file.
 */
#ifndef TESTS_FAULT_PRELOAD_H
#define TESTS_FAULT_PRELOAD_H

#include <stdatomic.h>

#define PRELOAD_CONTROL "FAULT_CONTROL" /* the variable that names the file */

/* Where a call is caught. */
enum preload_call {
	CALL_STEP,       /* sqlite3_step(): the pattern is of the statement with its values */
	CALL_EXEC,       /* sqlite3_exec() */
	CALL_CHECKPOINT, /* sqlite3_wal_checkpoint_v2() */
	CALL_DB_CLOSE,   /* sqlite3_close() */
	CALL_PAGE,       /* pwrite(): the pattern is of the file's name, as in the next ones */
	CALL_SYNC,       /* fdatasync() and fsync() */
	CALL_UNLINK,
	CALL_RENAME,
	CALL_OUT,    /* bytes that are written to a socket or pipe: the pattern is among them */
	CALL_IN,     /* bytes that are read, or are about to be */
	CALL_SPAWN,  /* posix_spawn() */
	CALL_ACCEPT, /* accept4() that brings a connection */
	CALL_LISTEN,
};

/* When at a call; of COMMIT, if the statement was in that transaction. */
enum preload_when { BEFORE, AFTER, BEFORE_COMMIT, AFTER_COMMIT };

enum preload_program { ORCHESTRATION, WORKER };

/* How a test brings it about (test_points.c). */
enum preload_scene {
	SCENE_LOAD,     /* clients create, the worker works */
	SCENE_BULK,     /* ... as fast as they can */
	SCENE_FAIL,     /* ... and first attempts fail */
	SCENE_CANCEL,   /* tasks at work are cancelled */
	SCENE_SLEEP,    /* the worker is stopped for longer than its lease */
	SCENE_LEAVE,    /* the worker is asked to end, with steps that take too long */
	SCENE_END,      /* the orchestration is asked to end */
	SCENE_REBOOT,   /* the worker is killed and starts again */
	SCENE_RESTART,  /* the orchestration is killed and starts again */
	SCENE_TEMPLATE, /* ... and finds another template */
	SCENE_FRESH,    /* ... and finds no database */
	SCENE_IDLE,     /* nothing is to be done */
};

struct preload_control {
	atomic_int armed;   /* number of a row of points.def, from 1; 0: none */
	atomic_int hits;    /* of that row, this far */
	atomic_int reached; /* the process is about to die of it */
	atomic_llong wall_offset_us;
	atomic_llong frozen_us; /* what the wall clock shows; 0: it runs */
};

/* The mapped file; NULL without one. For the two halves of the library. */
struct preload_control *preload_control(void);

#endif
