/*
 * The body of a calls_*.c: CALLS names its table. Each row becomes the function that the linker's
 * --wrap puts between us and the real one. Rows of variadic functions name the one argument that
 * callers give; where it is absent, the register's rest is passed on and not looked at.
 */
#include <errno.h>
#include <stddef.h>

#include "tests/torture/fault.h"

#define CALL(ret, name, params, args, failed, error)                                               \
	ret __real_##name params;                                                                  \
	ret __wrap_##name params;                                                                  \
	ret __wrap_##name params                                                                   \
	{                                                                                          \
		if (!fault_is_armed(FAULT_CALL) || (error) < 0 ||                                  \
		        !fault_hits(FAULT_CALL, #name, __builtin_return_address(0)))               \
			return __real_##name args;                                                 \
		errno = error;                                                                     \
		return failed;                                                                     \
	}
#include CALLS
#undef CALL
