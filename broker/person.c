#include "broker/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct name_field {
	const char *name;
	size_t offset;
};

static const struct name_field name_fields[] = {
	{"userName", offsetof(struct scim_person, user_name)},
	{"displayName", offsetof(struct scim_person, display_name)},
	{"givenName", offsetof(struct scim_person, given_name)},
	{"familyName", offsetof(struct scim_person, family_name)},
	{"email", offsetof(struct scim_person, email)},
};

#define NAME_FIELDS (sizeof(name_fields) / sizeof(name_fields[0]))

void person_write(struct buf *out, const struct scim_person *names, const char *zone,
		  const struct policy_person *who)
{
	for (size_t i = 0; i < NAME_FIELDS; i++) {
		buf_addf(out, "%s\"%s\":", i == 0 ? "{" : ",", name_fields[i].name);
		json_add_string(out, (const char *)names + name_fields[i].offset);
	}
	if (zone != NULL && strlen(zone) < PERSON_ZONE_SIZE) {
		buf_adds(out, ",\"zone\":");
		json_add_string(out, zone);
	}
	for (size_t i = 0; i < who->attribute_count && i < PERSON_CLAIMS_MAX && out->len < PERSON_CLAIMS_END;
	     i++) {
		buf_adds(out, i == 0 ? ",\"claims\":[[" : ",[");
		json_add_string(out, who->attributes[i].name);
		buf_adds(out, ",");
		json_add_string(out, who->attributes[i].value);
		buf_adds(out, "]");
	}
	buf_adds(out, who->attribute_count > 0 ? "]}" : "}");
}

static void read_claims(struct person *person)
{
	const cJSON *claim;

	cJSON_ArrayForEach(claim, cJSON_GetObjectItemCaseSensitive(person->json, "claims")) {
		const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(claim, 0));
		const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(claim, 1));

		if (name != NULL && value != NULL && person->claim_count < PERSON_CLAIMS_MAX) {
			person->claims[person->claim_count].name = name;
			person->claims[person->claim_count++].value = value;
		}
	}
}

enum err person_read(struct person *person, const char *text)
{
	struct errctx ec;
	const char *zone;
	enum err err;

	memset(person, 0, sizeof(*person));
	err = json_parse(text, strlen(text), &person->json, &ec);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_OK;
	for (size_t i = 0; i < NAME_FIELDS; i++) {
		const char *value = json_string(person->json, name_fields[i].name);

		if (value != NULL)
			snprintf((char *)&person->names + name_fields[i].offset, NAME_SIZE, "%s", value);
	}
	zone = json_string(person->json, "zone");
	if (zone != NULL)
		snprintf(person->zone, sizeof(person->zone), "%s", zone);
	read_claims(person);
	return ERR_OK;
}

void person_release(struct person *person)
{
	cJSON_Delete(person->json);
	person->json = NULL;
	person->claim_count = 0;
}

struct person *person_new(const char *text)
{
	struct person *person = malloc(sizeof(*person));

	if (person != NULL && person_read(person, text) != ERR_OK) {
		person_free(person);
		return NULL;
	}
	return person;
}

void person_free(struct person *person)
{
	if (person != NULL)
		person_release(person);
	free(person);
}

struct person_claim *person_claims(const struct person *person)
{
	struct person_claim *claims = calloc(person->claim_count + 1, sizeof(*claims));

	for (size_t i = 0; claims != NULL && i < person->claim_count; i++)
		claims[i] = (struct person_claim){person->claims[i].name, person->claims[i].value};
	return claims;
}

struct policy_person person_for_policy(const struct person *person)
{
	return (struct policy_person){
		.user_name = person->names.user_name[0] != '\0' ? person->names.user_name : NULL,
		.attributes = person->claims,
		.attribute_count = person->claim_count,
	};
}
