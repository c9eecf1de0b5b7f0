/*
 * A seed is a life of the store: some hundred things happen to it, among them crashes, full disks
 * and clocks that jump; then all is calm, and every task must come to an end.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "tests/sim/world.h"

struct sim_report {
	char broken[480]; /* what was wrong; "" */
	size_t tasks, events, rounds, refused, lost, complete;
	struct sim_seen seen;
};

/* Lives through the seed. */
void sim_run(const struct sim_setup *setup, struct sim_report *out);

#endif
