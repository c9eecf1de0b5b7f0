#include "shared/base/rand.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

void
rand_bytes(void *out, size_t len)
{
	static const char why[] = "the kernel gives no random bytes; giving up\n";
	unsigned char *at = out;
	ssize_t got;

	while (len > 0) {
		got = getrandom(at, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			/* Going on would make keys and ids that can be guessed. */
			got = write(STDERR_FILENO, why, sizeof(why) - 1);
			(void)got;
			_exit(70);
		}
		at += got;
		len -= (size_t)got;
	}
}

uint64_t
rand_u64(void)
{
	uint64_t n;

	rand_bytes(&n, sizeof(n));
	return n;
}
