/* What every unit test includes: Check, and the switch that makes our nth allocation fail. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

/*
 * The nth allocation of ours from now on fails, once; 0 switches it off. Do so before the next
 * ck_assert(): Check allocates too.
 */
void fault_allocation(unsigned nth);

#define SUITE(name) Suite *name##_suite(void);
#ifdef SUITES
#include SUITES
#endif
#undef SUITE

#endif
