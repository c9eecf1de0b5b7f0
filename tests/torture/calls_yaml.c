#include <yaml.h>

#define CALLS "tests/torture/calls_yaml.def"
#include "tests/torture/calls.h"
