/*
 * How many connections there may be: of the server, and of one address (LM3). Shared by the loops,
 * without a lock.
 *
 * Addresses are counted in a fixed table of two rows under secret keys; a connection counts once in
 * each row, and the smaller count is believed. So memory is bounded whoever comes, a stranger
 * cannot choose whom he collides with, and the worst collision makes the limit stricter, never
 * laxer.
 */
#ifndef SHARED_HTTP_ADMISSION_H
#define SHARED_HTTP_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/attr.h"

struct sockaddr;

enum { ADMISSION_ROWS = 2, ADMISSION_CELLS = 2048 };

struct admission {
	size_t most, most_per_address;
	uint64_t keys[ADMISSION_ROWS];
	atomic_size_t open;
	atomic_size_t cells[ADMISSION_ROWS][ADMISSION_CELLS];
};

/* Nobody is in; a is large, so its owner keeps it in place. */
void admission_init(struct admission *a, size_t most, size_t most_per_address);

/* What of an address is counted: IPv4 whole, IPv6 its /64, anything else as one. */
uint64_t admission_address(const struct sockaddr *address);

enum admission_verdict { ADMISSION_FULL = 0, ADMISSION_ADDRESS_FULL, ADMISSION_ENTERED };

/* Is the server as a whole at its cap? */
bool admission_is_full(const struct admission *a);
/* ENTERED counts the connection; whoever entered leaves with the same address. */
MUST_CHECK enum admission_verdict admission_enter(struct admission *a, uint64_t address);
/* The connection has ended. */
void admission_leave(struct admission *a, uint64_t address);

#endif
