/* OpenSSL's allocations, counted and failed on their own (CR9). */
#ifndef TESTS_UNIT_SECURITY_OPENSSL_FAULT_H
#define TESTS_UNIT_SECURITY_OPENSSL_FAULT_H

/* OpenSSL's nth allocation from now on fails, once; 0 switches it off. Restarts the count. */
void openssl_fault(unsigned nth);

/* How many allocations OpenSSL made since then. */
unsigned openssl_fault_count(void);

#endif
