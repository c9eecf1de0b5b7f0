#include <curl/curl.h>

#define CALLS "tests/torture/calls_curl.def"
#include "tests/torture/calls.h"
