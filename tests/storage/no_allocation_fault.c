/* The laboratory can make allocations fail; here the disk does the failing. */
#include "tests/unit/unit.h"

void
fault_allocation(unsigned nth)
{
	ck_assert_uint_eq(nth, 0);
}
