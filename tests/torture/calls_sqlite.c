#include <sqlite3.h>

typedef void (*fault_free_fn)(void *bytes);
typedef int (*fault_row_fn)(void *arg, int count, char **values, char **names);

#define CALLS "tests/torture/calls_sqlite.def"
#include "tests/torture/calls.h"
