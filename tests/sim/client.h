/* Simulated clients: they create, often the same again, cancel, register templates, and look. */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "tests/sim/world.h"

void client_create(struct world *w);
void client_cancel(struct world *w);
void client_put_template(struct world *w, size_t shape);
/* Reads something, and compares it with the model; only between rounds. */
void client_look(struct world *w);

#endif
