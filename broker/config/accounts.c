/* Who is behind a name: one person may have several accounts, and a source its own names. See build.h and config.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

/* By letters first, and by their case where they are the same: one order for who minds the case and who does not. */
static int compare_names(const char *one, const char *other)
{
	int order = strcasecmp(one, other);
	return order ? order : strcmp(one, other);
}

int alias_compare(const void *left, const void *right)
{
	return compare_names(((const struct config_alias *)left)->name,
			     ((const struct config_alias *)right)->name);
}

struct wanted {
	const char *name;
	int (*compare)(const char *one, const char *other);
};

static int compare_wanted(const void *key, const void *alias)
{
	const struct wanted *wanted = key;
	return wanted->compare(wanted->name, ((const struct config_alias *)alias)->name);
}

/* The user name behind it, or NULL. */
static const char *find(const struct config_aliases *aliases, const struct wanted *wanted)
{
	const struct config_alias *found = NULL;
	if (aliases->count)
		found = bsearch(wanted, aliases->list, aliases->count, sizeof(*found), compare_wanted);
	return found ? found->user_name : NULL;
}

const char *config_source_approver(const struct config_approval_source *source, const char *name)
{
	return find(&source->approvers, &(struct wanted){name, compare_names});
}

const char *config_person_behind(const struct config *config, const char *user_name)
{
	const char *found = find(&config->accounts, &(struct wanted){user_name, strcasecmp});
	return found ? found : user_name;
}

const char *config_person_of_several(const struct config *config, const char *user_name)
{
	const struct wanted wanted = {user_name, strcasecmp};
	const char *found = find(&config->accounts, &wanted);
	return found ? found : find(&config->owners, &wanted);
}

bool config_same_person(const struct config *config, const char *one, const char *other)
{
	return strcasecmp(config_person_behind(config, one), config_person_behind(config, other)) == 0;
}

void config_print_accounts(const struct config *config, const char *user_name, struct buf *out)
{
	const char *person = config_person_behind(config, user_name);
	buf_adds(out, "[");
	json_add_string(out, person);
	for (size_t i = 0; i < config->accounts.count; i++) {
		const struct config_alias *account = &config->accounts.list[i];
		if (strcasecmp(account->user_name, person) != 0)
			continue;
		buf_adds(out, ",");
		json_add_string(out, account->name);
	}
	buf_adds(out, "]");
}

/* Those behind the accounts, by name: most people have one account, and each of their requests asks whether that is so. */
static void list_owners(struct builder *builder)
{
	const struct config_aliases *accounts = &builder->config->accounts;
	struct config_aliases *owners = &builder->config->owners;
	owners->list = memory_take(&builder->config->memory, accounts->count, sizeof(*owners->list));
	if (!owners->list) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (; owners->count < accounts->count; owners->count++) {
		char *person = accounts->list[owners->count].user_name;
		owners->list[owners->count] = (struct config_alias){person, person};
	}
	qsort(owners->list, owners->count, sizeof(*owners->list), alias_compare);
}

/* What stands behind a second account must be somebody's first one, or it would depend on the order who is who. */
void builder_check_accounts(struct builder *builder)
{
	struct config_aliases *accounts = &builder->config->accounts;
	struct report *report = builder->reading.report;
	struct place place = element_place(&builder->root, SET_ACCOUNTS);
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < accounts->count; i++) {
		const struct config_alias *account = &accounts->list[i];
		const char *person = account->user_name;
		if (i > 0 && strcasecmp(account[-1].name, account->name) == 0)
			report_error(report, place, "accounts holds %s twice",
				     report_quote(account->name, quoted));
		if (strcasecmp(account->name, person) == 0)
			report_error(report, place, "accounts says of %s that they are themselves",
				     report_quote(account->name, quoted));
		else if (config_person_behind(builder->config, person) != person)
			report_error(
				report, place,
				"accounts says that %s is behind an account, and is one: name the person "
				"behind both",
				report_quote(person, quoted));
	}
	if (accounts->count > 0)
		list_owners(builder);
}
