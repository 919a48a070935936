/*
 * What the broker keeps of a person in the store, as one JSON object: the names that SCIM needs and the claims that
 * policy looks at, as of the person's last request. Written when somebody asks; read when a push is made and when
 * policy has its word again.
 */
#ifndef BROKER_PERSON_H
#define BROKER_PERSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "activation/policy.h"
#include "base/buf.h"
#include "scim-push/push.h"

#define PERSON_TEXT_MAX   (32 * 1024)
#define PERSON_CLAIMS_END (PERSON_TEXT_MAX - 2048) /* no claim begins behind that: none is longer */
#define PERSON_CLAIMS_MAX 256                      /* values; the first ones are kept */
#define PERSON_ZONE_SIZE  64                       /* no zone of the database has a longer name */

struct person {
	struct scim_person names;
	char zone[PERSON_ZONE_SIZE]; /* whose clocks they go by, as their token says; "" = not known */
	struct policy_attribute claims[PERSON_CLAIMS_MAX]; /* their texts are owned by `json` */
	size_t claim_count;
	cJSON *json;
};

/* Appends the object; `who` has the claims. `zone`: NULL, or what is too long for a zone, is none. */
void person_write(struct buf *out, const struct scim_person *names, const char *zone,
		  const struct policy_person *who);

/* Reads it. A text that is no such object gives a person without names, whom no rule knows and SCIM refuses. ERR_NOMEM: who
 * it is cannot be told, and nothing may be decided about them. Release it in any case. */
enum err person_read(struct person *person, const char *text) MUST_CHECK;
void person_release(struct person *person);

/* The same in memory of its own; NULL is ERR_NOMEM. Freed with the second, for which NULL is legal. */
struct person *person_new(const char *text) MUST_CHECK;
void person_free(struct person *person);

/* The claims as a push takes them: an array to be freed, whose texts are borrowed from `person`. NULL: no memory. */
struct person_claim *person_claims(const struct person *person) MUST_CHECK;

/* As policy sees them; borrowed from `person`. */
struct policy_person person_for_policy(const struct person *person);

#endif
