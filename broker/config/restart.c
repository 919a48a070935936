/* Which changes of the configuration a running broker cannot take up. */
#include <string.h>

#include "config/config.h"
#include "config/settings.h"

static bool differs(const struct setting *setting, const void *a, const void *b)
{
	return memcmp((const char *)a + setting->offset, (const char *)b + setting->offset, setting->size) !=
	       0;
}

bool config_words_same(const struct policy_names *a, const struct policy_names *b)
{
	bool same = a->count == b->count;
	for (size_t i = 0; same && i < a->count; i++)
		same = strcmp(a->list[i], b->list[i]) == 0;
	return same;
}

static bool listens_elsewhere(const struct config *a, const struct config *b)
{
	return strcmp(a->listen_host, b->listen_host) != 0 || a->listen_port != b->listen_port ||
	       strcmp(a->listen_path, b->listen_path) != 0 || !config_words_same(&a->proxies, &b->proxies);
}

static bool trusts_otherwise(const struct config *a, const struct config *b)
{
	bool same = a->issuer_count == b->issuer_count;
	for (size_t i = 0; same && i < a->issuer_count; i++)
		same = config_words_same(&a->issuers[i].algorithms, &b->issuers[i].algorithms);
	return !same;
}

bool config_needs_restart(const struct config *a, const struct config *b)
{
	if (listens_elsewhere(a, b) || trusts_otherwise(a, b) || !config_redis_same(a, b))
		return true;
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		const struct setting *setting = &settings[id];

		if (!setting->at_start || setting->type == TYPE_LISTEN)
			continue;
		if (setting->owner == OF_ROOT && differs(setting, a, b))
			return true;
		for (size_t i = 0; setting->owner == OF_ISSUER && i < a->issuer_count; i++)
			if (differs(setting, &a->issuers[i], &b->issuers[i]))
				return true;
	}
	return false;
}
