#include "shared/base/log_ring.h"

#include <string.h>

bool
log_ring_put(struct log_ring *ring, const char *line, size_t len)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	size_t at = head % LOG_RING, first = LOG_RING - at;

	if (len > LOG_RING - (head - atomic_load(&ring->tail)))
		return false;
	if (first > len)
		first = len;
	memcpy(ring->bytes + at, line, first);
	memcpy(ring->bytes, line + first, len - first);
	/* Sequentially consistent: the writer says that it sleeps, then looks here once more. */
	atomic_store(&ring->head, head + len);
	return true;
}

size_t
log_ring_take(struct log_ring *ring, char *out, size_t room)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t len = atomic_load(&ring->head) - tail;
	size_t at = tail % LOG_RING, first = LOG_RING - at;
	const char *end;

	if (len > room)
		len = room;
	if (first > len)
		first = len;
	memcpy(out, ring->bytes + at, first);
	memcpy(out + first, ring->bytes, len - first);
	end = memrchr(out, '\n', len);
	len = end == NULL ? 0 : (size_t)(end - out) + 1;
	atomic_store(&ring->tail, tail + len);
	return len;
}

bool
log_ring_empty(const struct log_ring *ring)
{
	return atomic_load(&ring->head) == atomic_load(&ring->tail);
}
