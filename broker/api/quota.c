#include "api/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/id.h"

#define SETS 1024 /* a power of two */
#define WAYS 4

struct bucket {
	unsigned char who[16]; /* a keyed digest, so that nobody can choose whom they share a set with */
	int64_t at_ms;         /* when `level` was right; 0 = nobody's */
	double level;          /* requests that have not leaked away yet */
};

struct quota {
	char key[ID_SIZE];
	struct bucket buckets[SETS][WAYS];
};

struct quota *quota_new(void)
{
	struct quota *quota = calloc(1, sizeof(*quota));

	if (quota != NULL)
		id_make(0, quota->key);
	return quota;
}

void quota_free(struct quota *quota)
{
	free(quota);
}

static double level_at(const struct bucket *bucket, unsigned most, int64_t now_ms)
{
	double level = bucket->level - (double)(now_ms - bucket->at_ms) * most / QUOTA_PER_MS;

	return level > 0 ? level : 0;
}

/* The caller's bucket, which may be new. */
static struct bucket *find(struct quota *quota, const char *caller, unsigned most, int64_t now_ms)
{
	unsigned char digest[SHA256_BYTES];
	const struct digest_piece piece = {caller, strlen(caller)};

	digest_hmac(quota->key, sizeof(quota->key), &piece, 1, digest);
	struct bucket *set = quota->buckets[(digest[16] | digest[17] << 8) % SETS], *emptiest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].at_ms != 0 && memcmp(set[i].who, digest, sizeof(set[i].who)) == 0)
			return &set[i];
		if (level_at(&set[i], most, now_ms) < level_at(emptiest, most, now_ms))
			emptiest = &set[i];
	}
	memcpy(emptiest->who, digest, sizeof(emptiest->who));
	emptiest->level = 0;
	return emptiest;
}

int64_t quota_take(struct quota *quota, const char *caller, unsigned most, int64_t now_ms)
{
	if (quota == NULL)
		return 0;
	struct bucket *bucket = find(quota, caller, most, now_ms);
	double level = level_at(bucket, most, now_ms);
	bucket->level = level;
	bucket->at_ms = now_ms;
	if (level + 1 > most)
		return (int64_t)((level + 1 - most) * QUOTA_PER_MS / most) + 1;
	bucket->level = level + 1;
	return 0;
}
