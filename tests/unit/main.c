/* Runs the suites of one folder; the Makefile names its suites.def in SUITES. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static Suite *(*const suites[])(void) = {
#define SUITE(name) name##_suite,
#include SUITES
#undef SUITE
};

int
main(void)
{
	SRunner *runner = srunner_create(suites[0]());
	int failed;

	for (size_t i = 1; i < COUNT(suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	if (srunner_ntests_run(runner) == 0) {
		(void)fputs("no test ran: CK_RUN_SUITE or CK_RUN_CASE names none that is here\n",
		        stderr);
		failed = 1;
	}
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
