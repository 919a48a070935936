/* An identity is one block of memory: the struct, the lists' pointers, the texts. It is filled in two passes. */
#include "sign-in/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX (IDENTITY_GROUPS_MAX + IDENTITY_METHODS_MAX)

struct held {
	unsigned references;
	struct identity public; /* what callers see; the rest of the block follows */
};

/* A text of the token: borrowed from it until the block is made. */
struct piece {
	const char *text;
	size_t len;
};

enum field {
	FIELD_ISSUER,
	FIELD_SUBJECT,
	FIELD_ID,
	FIELD_USER_NAME,
	FIELD_DISPLAY_NAME,
	FIELD_GIVEN_NAME,
	FIELD_FAMILY_NAME,
	FIELD_EMAIL,
	FIELD_OID,
	FIELD_CLIENT_ID,
	FIELD_JTI,
	FIELD_COUNT
};

#define NUMBERS_MAX 64
#define NUMBER_SIZE 24

struct gathered_claim {
	struct piece name, value;
};

struct gathered {
	struct piece fields[FIELD_COUNT];
	struct piece lists[LIST_MAX]; /* groups, then methods */
	size_t groups, methods;
	struct gathered_claim claims[IDENTITY_CLAIMS_MAX];
	size_t claim_count;
	char numbers[NUMBERS_MAX][NUMBER_SIZE]; /* texts of those that the token writes as numbers */
	size_t number_count;
	bool claims_left_out, groups_left_out;
	struct errctx *ec;
};

static enum err refuse(struct gathered *g, const char *sentence)
{
	return err_set(g->ec, ERR_UNAUTHENTICATED, "%s", sentence);
}

/* -- first pass: what is in the token ---------------------------------------------------------------------- */

static bool is_fit(const char *text, size_t len)
{
	if (len > IDENTITY_TEXT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return false;
	return true;
}

static const cJSON *claim(const cJSON *claims, const char *name)
{
	const cJSON *value = *name != '\0' ? cJSON_GetObjectItemCaseSensitive(claims, name) : NULL;

	return cJSON_IsNull(value) ? NULL : value;
}

static enum err gather_text(struct gathered *g, enum field field, const cJSON *claims, const char *name)
{
	const cJSON *value = claim(claims, name);

	if (value == NULL)
		return ERR_OK;
	if (!cJSON_IsString(value))
		return refuse(g, "A claim of the token that must be a text is not one.");
	if (!is_fit(value->valuestring, strlen(value->valuestring)))
		return refuse(g, "A claim of the token is too long or holds control characters.");
	g->fields[field] = (struct piece){value->valuestring, strlen(value->valuestring)};
	return ERR_OK;
}

/* An address that anybody may have typed in must not name a principal (OpenID Connect Core, section 5.1). */
static bool names_by_unproven_email(const cJSON *claims, const struct identity_claims *names)
{
	const cJSON *verified = claim(claims, "email_verified");
	bool is_name = (names->id && strcmp(names->id, "email") == 0) ||
		       (names->user_name && strcmp(names->user_name, "email") == 0);

	return is_name && verified && !cJSON_IsTrue(verified) &&
	       !(cJSON_IsString(verified) && strcmp(verified->valuestring, "true") == 0);
}

static enum err gather_fields(struct gathered *g, const cJSON *claims, const struct identity_claims *names)
{
	const struct {
		enum field field;
		const char *name;
		const char *otherwise;
	} rows[] = {
		{FIELD_ISSUER, NULL, "iss"},
		{FIELD_SUBJECT, NULL, "sub"},
		{FIELD_ID, names->id, "sub"},
		{FIELD_USER_NAME, names->user_name, "preferred_username"},
		{FIELD_DISPLAY_NAME, names->display_name, "name"},
		{FIELD_GIVEN_NAME, names->given_name, "given_name"},
		{FIELD_FAMILY_NAME, names->family_name, "family_name"},
		{FIELD_EMAIL, names->email, "email"},
		{FIELD_OID, NULL, "oid"},
		{FIELD_JTI, NULL, "jti"},
		{FIELD_CLIENT_ID, NULL, "appid"},
		{FIELD_CLIENT_ID, NULL, "azp"},
		{FIELD_CLIENT_ID, NULL, "client_id"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = rows[i].name ? rows[i].name : rows[i].otherwise;
		enum err err = gather_text(g, rows[i].field, claims, name);

		if (err)
			return err;
	}
	if (names_by_unproven_email(claims, names))
		return refuse(g, "The token's e-mail address, which names the principal, is not verified.");
	if (g->fields[FIELD_ID].len == 0)
		return refuse(g, "The token does not have the claim that names the principal.");
	return ERR_OK;
}

/* One more entry of the list that ends at *count of `max` and begins at `list`. Blanks around it do not count. */
static enum err gather_entry(struct gathered *g, struct piece *list, size_t *count, struct piece entry)
{
	size_t max = list == g->lists ? IDENTITY_GROUPS_MAX : IDENTITY_METHODS_MAX;

	while (entry.len > 0 && entry.text[0] == ' ') {
		entry.text++;
		entry.len--;
	}
	while (entry.len > 0 && entry.text[entry.len - 1] == ' ')
		entry.len--;
	if (entry.len == 0)
		return ERR_OK;
	if (!is_fit(entry.text, entry.len))
		return refuse(g, "A claim of the token is too long or holds control characters.");
	if (*count == max)
		return refuse(g, "The token lists more groups or authentication methods than are accepted.");
	list[(*count)++] = entry;
	return ERR_OK;
}

static enum err gather_split(struct gathered *g, const char *text)
{
	enum err err = ERR_OK;

	while (!err && *text != '\0') {
		size_t len = strcspn(text, ",");

		err = gather_entry(g, g->lists, &g->groups, (struct piece){text, len});
		text += len + (text[len] == ',');
	}
	return err;
}

/* A list of texts, or one text; only that of groups is split. */
static enum err gather_list(struct gathered *g, const cJSON *value, bool is_groups)
{
	struct piece *list = is_groups ? g->lists : g->lists + g->groups;
	size_t *count = is_groups ? &g->groups : &g->methods;
	const cJSON *element;
	enum err err = ERR_OK;

	if (value == NULL)
		return ERR_OK;
	if (cJSON_IsString(value) && is_groups)
		return gather_split(g, value->valuestring);
	if (cJSON_IsString(value))
		return gather_entry(g, list, count,
				    (struct piece){value->valuestring, strlen(value->valuestring)});
	if (!cJSON_IsArray(value))
		return refuse(g, "A claim of the token that must be a list of texts is not one.");
	cJSON_ArrayForEach(element, value) {
		if (!cJSON_IsString(element))
			return refuse(g, "A claim of the token that must be a list of texts is not one.");
		err = gather_entry(g, list, count,
				   (struct piece){element->valuestring, strlen(element->valuestring)});
		if (err)
			return err;
	}
	return err;
}

static enum err gather_lists(struct gathered *g, const cJSON *claims, const struct identity_claims *names)
{
	static const char *const usual[] = {"amr", "acr", "acrs"};
	const char *groups = names->groups ? names->groups : "groups";
	const cJSON *elsewhere = claim(claims, "_claim_names");
	enum err err = gather_list(g, claim(claims, groups), true);

	g->groups_left_out = elsewhere && *groups != '\0' && claim(elsewhere, groups) != NULL;
	if (names->authentication && !err)
		return gather_list(g, claim(claims, names->authentication), false);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !err; i++)
		err = gather_list(g, claim(claims, usual[i]), false);
	return err;
}

/* The value as a policy would write it; NULL for what none can name. */
static const char *text_of(struct gathered *g, const cJSON *value)
{
	char *number;

	if (cJSON_IsString(value))
		return value->valuestring;
	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	/* json_parse() lets no number through that a double does not hold exactly. */
	if (!cJSON_IsNumber(value) || (double)(int64_t)value->valuedouble != value->valuedouble ||
	    g->number_count == NUMBERS_MAX)
		return NULL;
	number = g->numbers[g->number_count++];
	snprintf(number, NUMBER_SIZE, "%lld", (long long)value->valuedouble);
	return number;
}

static void gather_claim(struct gathered *g, const char *name, const cJSON *value)
{
	const char *text = text_of(g, value);
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || !is_fit(text, len))
		return;
	if (g->claim_count == IDENTITY_CLAIMS_MAX) {
		g->claims_left_out = true;
		return;
	}
	g->claims[g->claim_count].name = (struct piece){name, strlen(name)};
	g->claims[g->claim_count++].value = (struct piece){text, len};
}

static void gather_claims(struct gathered *g, const cJSON *claims)
{
	const cJSON *each, *element;

	cJSON_ArrayForEach(each, claims) {
		if (strcmp(each->string, "groups") == 0 || !is_fit(each->string, strlen(each->string)))
			continue;
		if (!cJSON_IsArray(each)) {
			gather_claim(g, each->string, each);
			continue;
		}
		cJSON_ArrayForEach(element, each) {
			gather_claim(g, each->string, element);
		}
	}
}

/* -- second pass: one block -------------------------------------------------------------------------------- */

static size_t texts_size(const struct gathered *g)
{
	size_t size = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		size += g->fields[i].len + 1;
	for (size_t i = 0; i < g->groups + g->methods; i++)
		size += g->lists[i].len + 1;
	for (size_t i = 0; i < g->claim_count; i++)
		size += g->claims[i].name.len + 1 + g->claims[i].value.len + 1;
	return size;
}

static const char *put(char **at, const struct piece *piece)
{
	char *text = *at;

	if (piece->len > 0)
		memcpy(text, piece->text, piece->len);
	text[piece->len] = '\0';
	*at = text + piece->len + 1;
	return text;
}

static void fill_fields(struct identity *identity, const struct gathered *g, char **at)
{
	identity->issuer = put(at, &g->fields[FIELD_ISSUER]);
	identity->subject = put(at, &g->fields[FIELD_SUBJECT]);
	identity->id = put(at, &g->fields[FIELD_ID]);
	identity->user_name = put(at, &g->fields[FIELD_USER_NAME]);
	identity->display_name = put(at, &g->fields[FIELD_DISPLAY_NAME]);
	identity->given_name = put(at, &g->fields[FIELD_GIVEN_NAME]);
	identity->family_name = put(at, &g->fields[FIELD_FAMILY_NAME]);
	identity->email = put(at, &g->fields[FIELD_EMAIL]);
	identity->oid = put(at, &g->fields[FIELD_OID]);
	identity->client_id = put(at, &g->fields[FIELD_CLIENT_ID]);
	identity->jti = put(at, &g->fields[FIELD_JTI]);
}

static struct held *make_block(const struct gathered *g)
{
	size_t entries = g->groups + g->methods;
	size_t size = sizeof(struct held) + g->claim_count * sizeof(struct identity_claim) +
		      entries * sizeof(char *) + texts_size(g);
	struct held *held = calloc(1, size);
	struct identity_claim *claims;
	const char **texts;
	char *at;

	if (held == NULL)
		return NULL;
	claims = (struct identity_claim *)(held + 1);
	texts = (const char **)(claims + g->claim_count);
	at = (char *)(texts + entries);
	for (size_t i = 0; i < entries; i++)
		texts[i] = put(&at, &g->lists[i]);
	for (size_t i = 0; i < g->claim_count; i++) {
		claims[i].name = put(&at, &g->claims[i].name);
		claims[i].value = put(&at, &g->claims[i].value);
	}
	fill_fields(&held->public, g, &at);
	held->references = 1;
	held->public.groups = (struct identity_list){g->groups, texts};
	held->public.methods = (struct identity_list){g->methods, texts + g->groups};
	held->public.claims = (struct identity_claim_list){g->claim_count, claims};
	held->public.claims_left_out = g->claims_left_out;
	held->public.groups_left_out = g->groups_left_out;
	held->public.size = size;
	return held;
}

enum err identity_make(const cJSON *token_claims, const struct identity_claims *names, int64_t expires_ms,
		       const struct identity **out, struct errctx *ec)
{
	struct gathered g = {.ec = ec}; /* some 50 KiB */
	struct held *held;
	enum err err = gather_fields(&g, token_claims, names);

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (g.fields[i].text == NULL)
			g.fields[i].text = "";
	if (!err)
		err = gather_lists(&g, token_claims, names);
	if (err)
		return err;
	gather_claims(&g, token_claims);
	held = make_block(&g);
	if (held == NULL)
		return err_set(ec, ERR_NOMEM, "No memory for the token's claims.");
	held->public.expires_ms = expires_ms;
	*out = &held->public;
	return ERR_OK;
}

/* Every identity that callers see is inside a block of ours. */
static struct held *block_of(const struct identity *identity)
{
	return (struct held *)(uintptr_t)((const char *)identity - offsetof(struct held, public));
}

const struct identity *identity_hold(const struct identity *identity)
{
	block_of(identity)->references++;
	return identity;
}

void identity_release(const struct identity *identity)
{
	struct held *held;

	if (identity == NULL)
		return;
	held = block_of(identity);
	if (--held->references == 0)
		free(held);
}
