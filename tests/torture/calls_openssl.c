#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define CALLS "tests/torture/calls_openssl.def"
#include "tests/torture/calls.h"
