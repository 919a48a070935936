/* The table of behaviours and the table of dialects. Nothing else in the sandbox knows a product's name. */
#include "scim-push/sandbox/dialect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX INT64_C(1000000000)

static const struct row {
	const char *name;
	const char *choices; /* "a|b|c"; NULL = a number */
	int64_t first;
	const char *about;
} rows[] = {
#define BEHAVIOUR_ROW(constant, name, choices, first, about) [constant] = {name, choices, first, about},
	BEHAVIOURS(BEHAVIOUR_ROW)
#undef BEHAVIOUR_ROW
};

/*
 * FACTS about each are the vendors' documentation, or what was measured. Where nothing is known of a behaviour, the
 * plain server's stands, which is the stricter one wherever the choice is between refusing and guessing.
 */
#define BOTH_FORMS "remove-value=apply "
#define AWS                                                                                                  \
	"remove-value=apply remove-filter=refuse remove-all=refuse replace-members=refuse "                  \
	"pathless-members=apply pathless-many=refuse urn-path=refuse upper-eq=refuse "                       \
	"lower-operations=refuse "                                                                           \
	"attribute-case=exact remove-absent=404 unknown-member=404 max-changes=100 count-repeats=yes "       \
	"members=omitted user-groups=absent patch-answer=204 user-ids=prefixed location=none "               \
	"media-type=json errors=aws "                                                                        \
	"scim-type=no retry-after=absent max-results=50 paging=cursor total=page parameters=refused "        \
	"filters=aws filter-values=exact user-rules=aws characters=aws names=exact put-group=400 "           \
	"max-users=50000 max-groups=10000"

static const struct dialect_row dialects[] = {
	{"aws", AWS, {NULL}, "AWS IAM Identity Center"},
	{"rfc7644", "", {NULL}, "a server that takes the RFC at its word: a value in a removal is ignored"},
	{"google",
	 "remove-value=refuse remove-all=refuse replace-members=refuse pathless-members=refuse "
	 "max-operations=2 "
	 "max-changes=1 patch-answer=empty-200 paging=none parameters=ignored",
	 {NULL},
	 "Google Cloud Identity"},
	{"google-workforce",
	 "members=hidden user-groups=absent id-and-members=nothing members-value=nothing",
	 {NULL},
	 "Google Workforce Identity Federation"},
	{"slack",
	 BOTH_FORMS,
	 {"PATCH /Groups 180 per 60000 burst 80", "PUT /Groups 180 per 60000 burst 80",
	  "GET /Groups/ 300 per 60000", "* * 1000 per 60000"},
	 "Slack; its limits are shared by all SCIM applications of the organisation"},
	{"miro",
	 BOTH_FORMS "max-members=8000 max-body=800000",
	 {"PATCH /Groups 100 per 30000 below 500", "PATCH /Groups 5 per 30000 from 500",
	  "GET /Groups/ 20 per 30000", "GET /Groups? 5 per 30000"},
	 "Miro; the rate depends on the body's size"},
	{"github", BOTH_FORMS, {NULL}, "GitHub Enterprise; lists are asked for without members"},
	{"gitlab",
	 BOTH_FORMS "members-lag=2000 create-group=refused rename=refuse",
	 {NULL},
	 "GitLab, self-managed: applied by a worker, later; the group is there as a SAML link already"},
	{"atlassian",
	 BOTH_FORMS "rename=refuse",
	 {NULL},
	 "Atlassian; groups that are synced keep their names"},
	{"databricks", "remove-value=refuse", {NULL}, "Databricks; adds may come without a path"},
	{"salesforce", BOTH_FORMS "nested-value=apply", {NULL}, "Salesforce"},
	{"jfrog",
	 BOTH_FORMS "group-ids=name rename=refuse replace-members=refuse put-group=400",
	 {NULL},
	 "JFrog; a group's id is its name"},
	{"snowflake", BOTH_FORMS "id=hidden", {NULL}, "Snowflake; groups are roles, ids are not read back"},
	{"zoom", BOTH_FORMS "max-body=100000", {NULL}, "Zoom"},
	{"terraform", BOTH_FORMS "page=200 max-results=200", {NULL}, "HCP Terraform"},
	{"huawei",
	 AWS " page=50 errors=number max-users=100000 max-groups=100000",
	 {NULL},
	 "Huawei Cloud Identity Center, a clone of AWS'"},
	{"logfire",
	 BOTH_FORMS
	 "member-value=name unknown-member=skipped members=hidden user-groups=absent patch-answer=204",
	 {NULL},
	 "Pydantic Logfire; members are named by their e-mail address"},
	{"zuora", BOTH_FORMS "capital-operations=refuse", {NULL}, "Zuora; the body says operations"},
	{"entra-rate",
	 BOTH_FORMS,
	 {"* * 25 per 1000"},
	 "what Microsoft asks of SCIM servers: 25 requests a second"},
	{"scimmy",
	 BOTH_FORMS
	 "re-add=twice remove-absent=empty-400 unknown-member=stored patch-answer=204-unchanged "
	 "empty-members=absent dangling=kept id-and-members=400 members-value=400 escaped-quotes=refuse "
	 "location=relative",
	 {NULL},
	 "SCIMMY 1.3.5"},
	{"scim2-server",
	 "re-add=twice patch-answer=204 unknown-member=stored dangling=kept duplicate-group=allowed "
	 "total=page "
	 "id-and-members=nothing members-value=400 escaped-quotes=error if-match=412 names=exact "
	 "filter-values=exact user-ids=short",
	 {NULL},
	 "scim2-server 0.1.2: a removal by value empties the group"},
	{"scimgateway",
	 BOTH_FORMS
	 "patch-answer=204 upper-eq=error replace-members=add remove-all=ignore lower-operations=ignore "
	 "nonsense=ignore urn-path=ignore unknown-member=500 unknown-group=500 delete-again=500 "
	 "id-and-members=nothing if-match=412 user-ids=name location=undefined wrong-schemas=apply",
	 {NULL},
	 "scimgateway 6.1.18; user ids are user names"},
	{"jackson",
	 BOTH_FORMS "upper-eq=ignore upper-op=ignore replace-members=ignore remove-all=ignore "
		    "pathless-members=ignore urn-path=ignore nonsense=ignore unknown-member=stored "
		    "members=hidden user-groups=absent "
		    "scim-type=no dangling=kept id-and-members=nothing members-value=nothing "
		    "unknown-filter=nothing provider-config=404 wrong-schemas=apply",
	 {NULL},
	 "SAML Jackson 26.2.0: much is answered 200 and ignored"},
	{"better-auth",
	 BOTH_FORMS "max-members=1000 id-and-members=400 members-value=400 urn-path=refuse user-ids=short",
	 {NULL},
	 "better-auth's SCIM 1.7.5; ids must exist"},
	{"scimserver",
	 BOTH_FORMS
	 "remove-all=refuse pathless-members=refuse urn-path=refuse unknown-member=stored dangling=kept "
	 "id-and-members=nothing members-value=nothing if-match=412",
	 {NULL},
	 "SCIMServer 0.55.13, its RFC preset"},
};

struct dialect dialect_plain(void)
{
	struct dialect dialect;

	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++)
		dialect.value[i] = rows[i].first;
	return dialect;
}

const struct dialect_row *dialect_row_at(size_t place)
{
	return place < sizeof(dialects) / sizeof(dialects[0]) ? &dialects[place] : NULL;
}

const struct dialect_row *dialect_find(const char *name)
{
	const struct dialect_row *row;

	for (size_t i = 0; (row = dialect_row_at(i)) != NULL; i++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

struct dialect dialect_of(const struct dialect_row *row)
{
	struct dialect dialect = dialect_plain();

	for (const char *at = row->behaviours; *at != '\0';) {
		size_t len = strcspn(at, " ");
		char text[64];
		enum err err;

		assert(len < sizeof(text));
		(void)memcpy(text, at, len);
		text[len] = '\0';
		err = dialect_set(&dialect, text, NULL);
		assert(err == ERR_OK);
		(void)err;
		at += len;
		at += strspn(at, " ");
	}
	return dialect;
}

/* -- names and values ------------------------------------------------------------------------------------------ */

/* The place of `text` among the choices, or -1. */
static int64_t choice(const char *text, const char *choices)
{
	size_t len = strlen(text);

	for (int64_t place = 0;; place++) {
		size_t end = strcspn(choices, "|");

		if (end == len && memcmp(text, choices, len) == 0)
			return place;
		if (choices[end] == '\0')
			return -1;
		choices += end + 1;
	}
}

/* The word at that place, and its length. */
static const char *word_at(const char *choices, int64_t place, size_t *len)
{
	for (; place > 0; place--)
		choices += strcspn(choices, "|") + 1;
	*len = strcspn(choices, "|");
	return choices;
}

/* -1: no such number. */
static int64_t number(const char *text)
{
	size_t len = strlen(text);
	int64_t value;

	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return -1;
	value = strtoll(text, NULL, 10);
	return value <= NUMBER_MAX ? value : -1;
}

enum err dialect_set(struct dialect *dialect, const char *text, struct errctx *ec)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++) {
		const char *choices = rows[i].choices;
		int64_t value;

		if (strlen(rows[i].name) != len || memcmp(rows[i].name, text, len) != 0)
			continue;
		if (text[len] == '\0')
			return err_set(ec, ERR_BAD_REQUEST, "%s=%s is wanted", rows[i].name,
				       choices != NULL ? choices : "NUMBER");
		value = choices != NULL ? choice(text + len + 1, choices) : number(text + len + 1);
		if (value < 0)
			return err_set(ec, ERR_BAD_REQUEST, "%s: %s is wanted", rows[i].name,
				       choices != NULL ? choices : "a number");
		dialect->value[i] = value;
		return ERR_OK;
	}
	return err_set(ec, ERR_BAD_REQUEST, "%.*s is no behaviour", (int)(len < 64 ? len : 64), text);
}

int dialect_status(const struct dialect *dialect, enum behaviour behaviour)
{
	size_t len, at;
	const char *word = word_at(rows[behaviour].choices, dialect->value[behaviour], &len);

	for (at = 0; at < len && (word[at] < '1' || word[at] > '9'); at++)
		;
	return at < len ? (int)strtol(word + at, NULL, 10) : 0;
}

bool dialect_exceeds(const struct dialect *dialect, enum behaviour behaviour, size_t count)
{
	return dialect->value[behaviour] > 0 && count > (size_t)dialect->value[behaviour];
}

void dialect_print(const struct dialect *dialect, struct buf *out)
{
	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++) {
		size_t len;
		const char *word;

		buf_addf(out, "%s\"%s\":", i == 0 ? "{" : ",", rows[i].name);
		if (rows[i].choices == NULL) {
			buf_addf(out, "%" PRId64, dialect->value[i]);
			continue;
		}
		word = word_at(rows[i].choices, dialect->value[i], &len);
		buf_addf(out, "\"%.*s\"", (int)len, word);
	}
	buf_adds(out, "}");
}

void dialect_explain(struct buf *out)
{
	const struct dialect_row *row;

	buf_adds(out, "Behaviours, each with what a plain server does first:\n");
	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++) {
		size_t len;
		const char *word;

		if (rows[i].choices == NULL) {
			buf_addf(out, "  %s=NUMBER (%" PRId64 ")\n      %s\n", rows[i].name, rows[i].first,
				 rows[i].about);
			continue;
		}
		word = word_at(rows[i].choices, rows[i].first, &len);
		buf_addf(out, "  %s=%s (%.*s)\n      %s\n", rows[i].name, rows[i].choices, (int)len, word,
			 rows[i].about);
	}
	buf_adds(out, "\nDialects:\n");
	for (size_t i = 0; (row = dialect_row_at(i)) != NULL; i++) {
		buf_addf(out, "  %s: %s\n", row->name, row->about);
		if (row->behaviours[0] != '\0')
			buf_addf(out, "      %s\n", row->behaviours);
		for (size_t r = 0; r < DIALECT_RATES && row->rates[r] != NULL; r++)
			buf_addf(out, "      rate: %s\n", row->rates[r]);
	}
}
