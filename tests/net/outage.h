/* What the tests of the worker's link have in common: the load, what is seen of an outage, and the
 * judgement at the end. */
#ifndef TESTS_NET_OUTAGE_H
#define TESTS_NET_OUTAGE_H

#include "tests/fault/checker.h"
#include "tests/fault/load.h"
#include "tests/fault/rig.h"

/* A worker polls at least as often as its lease asks, gives up on what does not answer after three
 * quarters of it, and readiness looks twice a second: so an outage is seen within
 * 3/4 RIG_LEASE_MS + 500 ms. security.md F7 asks for 3.5 s. */
enum { OUTAGE_SEEN_MS = 3500 };

/* Is the worker at that port ready? */
bool outage_is_ready(int port);
/* Waits until it is, or is not. How long that took, ms; -1: longer than within_ms. */
int outage_wait(int port, bool ready, int within_ms);

/* Lines of the daemon's log, those of the access log left out, that hold text; "" is in each. */
size_t outage_lines(const char *dir, const char *log, const char *text);

/* Stops the load, settles what is open, waits for every task, stops the daemons, judges I1 to I4.
 * Everything must hold; the load is freed and the folder removed. */
void outage_judge(struct rig *rig, struct load *load, struct findings *out);

#endif
