/* Exponential pauses with full jitter. */
#include "store/backoff.h"

#define FIRST_MS 10

uint64_t backoff_ms(unsigned attempts, uint32_t random)
{
	uint64_t ceiling = FIRST_MS;
	for (; attempts > 0 && ceiling < BACKOFF_MAX_MS; attempts--)
		ceiling *= 2;
	if (ceiling > BACKOFF_MAX_MS)
		ceiling = BACKOFF_MAX_MS;
	return 1 + ((ceiling * random) >> 32);
}
