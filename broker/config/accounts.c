/* Who is behind a user name: one person may have several accounts. See build.h and config.h. */
#include "config/build.h"

#include <stdlib.h>
#include <strings.h>

#include "base/json.h"

static int compare(const void *left, const void *right)
{
	const struct config_alias *a = left, *b = right;
	return strcasecmp(a->name, b->name);
}

static int compare_name(const void *name, const void *account)
{
	return strcasecmp(name, ((const struct config_alias *)account)->name);
}

const char *config_person_behind(const struct config *config, const char *user_name)
{
	const struct config_alias *found = NULL;
	if (config->accounts.count)
		found = bsearch(user_name, config->accounts.list, config->accounts.count, sizeof(*found),
				compare_name);
	return found ? found->user_name : user_name;
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

/* What stands behind a second account must be somebody's first one, or it would depend on the order who is who. */
void builder_check_accounts(struct builder *builder)
{
	struct config_aliases *accounts = &builder->config->accounts;
	struct report *report = builder->reading.report;
	struct place place = element_place(&builder->root, SET_ACCOUNTS);
	char quoted[REPORT_QUOTE_SIZE];
	if (accounts->count)
		qsort(accounts->list, accounts->count, sizeof(*accounts->list), compare);
	for (size_t i = 0; i < accounts->count; i++) {
		const struct config_alias *account = &accounts->list[i];
		const char *person = account->user_name;
		if (i > 0 && compare(account - 1, account) == 0)
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
}
