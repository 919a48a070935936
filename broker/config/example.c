/*
 * The commented example, made from the table: each setting with what it takes, its default and its bounds.
 * Settings that most installations leave alone are commented out; all others stand there with a working value.
 */
#include "config/config.h"

#include <string.h>

#include "config/settings.h"

/* How many times `text` holds `part`. */
static int occurrences(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

/* Two columns for each mapping around the key, and two more for the dash of each list. */
static int indent_of(const struct setting *setting)
{
	return 2 * (occurrences(setting->path, ".") + occurrences(setting->path, "[]"));
}

/* Is it the first member of a list's element, which carries the dash? */
static bool opens_element(enum setting_id id)
{
	return id == SET_ISSUER || id == SET_MACHINE_NAME || id == SET_SOURCE_NAME ||
	       id == SET_WEBHOOK_NAME || id == SET_PERSON_ID || id == SET_APP_ID || id == SET_GROUP_ID;
}

static void print_range(const struct setting *setting, FILE *out)
{
	char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];
	if (setting->type == TYPE_DURATION)
		fprintf(out, "Duration (ms, s, m, h or d), %s to %s", duration_print(setting->min, min),
			duration_print(setting->max, max));
	else
		fprintf(out, "Number of %s, %lld to %lld", setting->unit, (long long)setting->min,
			(long long)setting->max);
}

/* What is the same for every setting of a type. */
static const char *const kinds[] = {
	[TYPE_BOOL] = "true or false",
	[TYPE_UUID] = "UUID",
	[TYPE_SHA256] = "64 hexadecimal digits",
	[TYPE_LAYER] = "Keys and values",
	[TYPE_APPROVAL] = "Keys and values",
	[TYPE_USER_NAMES] = "List of texts",
	[TYPE_WORDS] = "List of texts",
	[TYPE_GROUP_IDS] = "List of UUIDs",
	[TYPE_DAYS] = "List of mon, tue, wed, thu, fri, sat, sun; mon..fri are all from one to the other",
	[TYPE_CLAIMS] = "Names of claims, each with a list of texts",
	[TYPE_ALIASES] = "Texts, each with a user name",
	[TYPE_MAPPING] = "Attributes of users, each with an expression",
	[TYPE_ATTRIBUTE] = "Attribute of users, such as emails[type eq \"work\"].value",
	[TYPE_TIME] = "Time with its offset, ISO 8601",
	[TYPE_DAY_TIME] = "Time of day, 00:00 to 24:00",
	[TYPE_ZONE] = "Time zone of the system's database (package tzdata)",
	[TYPE_REFERENCE] = "Text",
	[TYPE_FILE] = "Path of a file",
	[TYPE_PATH] = "Path of a file",
	[TYPE_SECRET] = "file:PATH or credential:NAME",
	[TYPE_WEBHOOK_SECRET] = "file:PATH or credential:NAME",
	[TYPE_LISTEN] = "ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH; port 0 is any free one",
	[TYPE_MAIL_ADDRESS] = "E-mail address, without a name",
	[TYPE_SCIM_URL] = NULL, /* the last */
};

static void print_kind(const struct setting *setting, FILE *out)
{
	char choices[CHOICES_TEXT_SIZE];
	long long min = (long long)setting->min, max = (long long)setting->max;
	if (kinds[setting->type])
		fputs(kinds[setting->type], out);
	else if (setting->type == TYPE_DURATION || setting->type == TYPE_COUNT)
		print_range(setting, out);
	else if (setting->type == TYPE_LIST)
		fprintf(out, "List of at most %lld %s", max, setting->unit);
	else if (setting->type == TYPE_CHOICE)
		fputs(choices_print(setting->choices, choices), out);
	else if (setting->type == TYPE_ITEMS)
		fprintf(out, "Keys and values%s", max > 1 ? ", or a list of such" : "");
	else if (setting->type == TYPE_STAGES)
		fprintf(out, "Number of stages, %lld to %lld, or a list of keys and values", min, max);
	else if (setting->type == TYPE_PATTERN)
		fprintf(out, "POSIX extended regular expression of at most %lld bytes", max);
	else
		fprintf(out, "Text of at most %lld bytes", max);
}

/* Does `outer` hold the setting? */
static bool is_member(const struct setting *setting, const struct setting *outer)
{
	size_t len = strlen(outer->path);
	return strncmp(setting->path, outer->path, len) == 0 &&
	       (setting->path[len] == '.' || setting->path[len] == '[');
}

/* The members of a section or a list that is commented out stand behind its '#', however deep they are. */
static int off_column(const struct setting *setting, int indent)
{
	if (!setting->off_in_example)
		return -1;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].off_in_example && is_member(setting, &settings[i]))
			return indent_of(&settings[i]); /* the outermost, as it comes first */
	return indent;
}

/* The space before a line of this setting, with the '#' where it is commented out. */
static void print_indent(const struct setting *setting, int indent, FILE *out)
{
	int off = off_column(setting, indent);
	if (off < 0)
		fprintf(out, "%*s", indent, "");
	else
		fprintf(out, "%*s# %*s", off, "", indent - off, "");
}

/* The space before a comment: uncommenting a section leaves its members' comments comments. */
static void print_comment_indent(const struct setting *setting, int indent, FILE *out)
{
	int off = off_column(setting, indent);
	if (off >= 0 && off < indent)
		print_indent(setting, indent, out);
	else
		fprintf(out, "%*s", indent, "");
}

static void print_comment(const struct setting *setting, int indent, FILE *out)
{
	print_comment_indent(setting, indent, out);
	fprintf(out, "# %s\n", setting->help);
	if (setting->type == TYPE_SECTION)
		return;
	print_comment_indent(setting, indent, out);
	fputs("# ", out);
	print_kind(setting, out);
	if (setting->is_required)
		fputs("; required", out);
	else if (setting->fallback || setting->absent)
		fprintf(out, "; default: %s", setting->fallback ? setting->fallback : setting->absent);
	fputs(".\n", out);
}

static void print_setting(enum setting_id id, FILE *out)
{
	const struct setting *setting = &settings[id];
	int indent = indent_of(setting), dash = opens_element(id) ? 2 : 0;
	const char *value = setting->example ? setting->example : setting->fallback;
	print_comment(setting, indent - dash, out);
	print_indent(setting, indent - dash, out);
	fprintf(out, "%s%s:%s%s\n", dash ? "- " : "", setting_key(setting), value ? " " : "",
		value ? value : "");
}

void config_print_example(FILE *out)
{
	fputs("# Configuration of jit-broker: every setting, with its default where it has one.\n"
	      "# Only what is marked as required must be there. Check a changed file with\n"
	      "# jit-broker --config FILE --check\n",
	      out);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (indent_of(&settings[i]) == 0)
			fputc('\n', out);
		print_setting((enum setting_id)i, out);
	}
}
