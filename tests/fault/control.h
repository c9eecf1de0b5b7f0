/*
 * The test's half of preload.h: the daemons that are started after control_open() are under its
 * control in all their lives.
 */
#ifndef TESTS_FAULT_CONTROL_H
#define TESTS_FAULT_CONTROL_H

#include <stdint.h>

#include "shared/base/attr.h"
#include "tests/fault/preload.h"

/* Lives as long as the process; NULL, with why on stderr: FAULT_PRELOAD names no library. */
BORROWED struct preload_control *control_open(void);

/* The row of points.def, from 0, at which its program dies from now on. */
void control_arm(struct preload_control *c, int row);
void control_disarm(struct preload_control *c);

/* The wall clock: moved by so much, or standing still at what it shows now. */
void control_move(struct preload_control *c, int64_t offset_s);
void control_freeze(struct preload_control *c);

#endif
