/* Random bytes from the kernel. Ends the process if the kernel cannot give them. */
#ifndef SHARED_BASE_RAND_H
#define SHARED_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Fills out with len bytes; rand_u64 gives eight as a number. */
void rand_bytes(void *out, size_t len);
uint64_t rand_u64(void);

#endif
