#include "shared/http/admission.h"

#include <netinet/in.h>
#include <string.h>

#include "shared/base/rand.h"

void
admission_init(struct admission *a, size_t most, size_t most_per_address)
{
	memset(a, 0, sizeof(*a));
	a->most = most;
	a->most_per_address = most_per_address;
	for (size_t row = 0; row < ADMISSION_ROWS; row++)
		a->keys[row] = rand_u64() | 1; /* odd, so that multiplying loses nothing */
}

uint64_t
admission_address(const struct sockaddr *address)
{
	uint64_t prefix = 0;

	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		return (uint64_t)v4.sin_addr.s_addr | UINT64_C(1) << 32;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
			uint32_t v4;

			memcpy(&v4, v6.sin6_addr.s6_addr + 12, sizeof(v4));
			return (uint64_t)v4 | UINT64_C(1) << 32;
		}
		memcpy(&prefix, v6.sin6_addr.s6_addr, sizeof(prefix));
	}
	return prefix;
}

static atomic_size_t *
cell(struct admission *a, size_t row, uint64_t address)
{
	uint64_t mixed = (address ^ a->keys[row]) * a->keys[row];

	mixed = (mixed ^ mixed >> 29) * a->keys[ADMISSION_ROWS - 1 - row];
	return &a->cells[row][(mixed >> 32) % ADMISSION_CELLS];
}

bool
admission_is_full(const struct admission *a)
{
	return atomic_load_explicit(&a->open, memory_order_relaxed) >= a->most;
}

enum admission_verdict
admission_enter(struct admission *a, uint64_t address)
{
	size_t fewest = SIZE_MAX;

	if (atomic_fetch_add(&a->open, 1) >= a->most) {
		atomic_fetch_sub(&a->open, 1);
		return ADMISSION_FULL;
	}
	for (size_t row = 0; row < ADMISSION_ROWS; row++) {
		const size_t before = atomic_fetch_add(cell(a, row, address), 1);

		fewest = before < fewest ? before : fewest;
	}
	if (fewest < a->most_per_address)
		return ADMISSION_ENTERED;
	admission_leave(a, address);
	return ADMISSION_ADDRESS_FULL;
}

void
admission_leave(struct admission *a, uint64_t address)
{
	for (size_t row = 0; row < ADMISSION_ROWS; row++)
		atomic_fetch_sub(cell(a, row, address), 1);
	atomic_fetch_sub(&a->open, 1);
}
