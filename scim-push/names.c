/* A direct-mapped table keyed by the SHA-256 of (URL, kind, name). */
#include "scim-push/names.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/id.h"

#define PLACES 8192 /* 1.3 MiB at most; memory that was never written to costs nothing */

struct place {
	unsigned char key[SHA256_BYTES];
	char id[SCIM_ID_SIZE]; /* "" = free */
};

struct names {
	struct place places[PLACES];
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void names_free(struct names *names)
{
	free(names);
}

static size_t place_of(const char *url, enum name_kind kind, const char *name,
		       unsigned char key[SHA256_BYTES])
{
	static const char letters[] = {[NAME_GROUP] = 'g', [NAME_USER] = 'u', [NAME_TOKEN] = 't'};
	char text[512 + NAME_SIZE + 4];
	int len = snprintf(text, sizeof(text), "%s\n%c\n%s", url, letters[kind], name);

	digest_sha256(text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1, key);
	return ((size_t)key[0] << 8 | key[1]) % PLACES;
}

bool names_get(const struct names *names, const char *url, enum name_kind kind, const char *name,
	       char id[SCIM_ID_SIZE])
{
	unsigned char key[SHA256_BYTES];
	const struct place *place = &names->places[place_of(url, kind, name, key)];

	if (place->id[0] == '\0' || memcmp(place->key, key, sizeof(key)) != 0)
		return false;
	memcpy(id, place->id, SCIM_ID_SIZE);
	return true;
}

void names_put(struct names *names, const char *url, enum name_kind kind, const char *name, const char *id)
{
	unsigned char key[SHA256_BYTES];
	struct place *place = &names->places[place_of(url, kind, name, key)];

	if (strlen(id) >= sizeof(place->id))
		return;
	memcpy(place->key, key, sizeof(key));
	memcpy(place->id, id, strlen(id) + 1);
}

void names_forget(struct names *names, const char *url, enum name_kind kind, const char *name)
{
	unsigned char key[SHA256_BYTES];
	struct place *place = &names->places[place_of(url, kind, name, key)];

	if (memcmp(place->key, key, sizeof(key)) == 0)
		place->id[0] = '\0';
}
