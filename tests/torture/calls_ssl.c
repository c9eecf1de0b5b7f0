#include <openssl/ssl.h>

#define CALLS "tests/torture/calls_ssl.def"
#include "tests/torture/calls.h"
