#include <event2/event.h>

#define CALLS "tests/torture/calls_event.def"
#include "tests/torture/calls.h"
