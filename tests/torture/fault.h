/*
 * Makes the nth thing fail: an allocation of ours, a call of ours that calls_*.def lists, or any
 * allocation of the whole process, those inside libraries too. The unit tests' fault_allocation()
 * is the first of these.
 *
 * Armed, failures are counted over all threads. Nothing may be asserted meanwhile: Check allocates.
 */
#ifndef TESTS_TORTURE_FAULT_H
#define TESTS_TORTURE_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_ALLOCATION, /* ours */
	FAULT_CALL,       /* ours, into the system or a library */
	FAULT_LIBRARY,    /* any malloc of the process; never happens under a sanitizer */
	FAULT_KINDS
};

/* The nth one of this kind from now on fails, once, or it and all after it. */
void fault_arm(enum fault_kind kind, unsigned nth, bool lasting);
/* Whatever is armed is not any more. Did it fail? */
bool fault_disarm(void);
/* What failed last, where: a static text. */
const char *fault_last(void);
/* While set, what this thread does neither counts nor fails: it plays the other side. */
void fault_spare_this_thread(bool spared);
/* Do allocations inside libraries come through here in this build? */
bool fault_reaches_libraries(void);

/* For the wrappers: does it happen here? name is static; site is the caller's address. */
bool fault_hits(enum fault_kind kind, const char *name, const void *site);
bool fault_is_armed(enum fault_kind kind);
/* How accepting fails: for want of descriptors, which a listener sits out for 100 ms, or, where
 * fault_aborts_clients(true), because the client has gone. */
int fault_accept_errno(void);
void fault_aborts_clients(bool on);
/* How a read or write of this descriptor fails; -1 if it cannot: an eventfd's, a signalfd's. */
int fault_errno(int fd);

#endif
