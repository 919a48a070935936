/* The balancers that stand in front of the broker. */
#include <string.h>

#include "base/prefix.h"
#include "config/build.h"

/* All of it on this machine? */
static bool is_loopback(const struct prefix *prefix)
{
	struct prefix own;
	return (prefix_read("127.0.0.0/8", &own) && prefix->bits >= own.bits &&
		prefix_holds(&own, prefix->bytes)) ||
	       (prefix_read("::1", &own) && prefix->bits >= own.bits && prefix_holds(&own, prefix->bytes));
}

void builder_check_proxies(struct builder *builder)
{
	const struct policy_names *words = &builder->config->proxies;
	char quoted[REPORT_QUOTE_SIZE];
	struct prefix prefix;

	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->list[i], *slash = strchr(word, '/');
		if (strcmp(word, "unix") == 0)
			continue;
		if (!prefix_read(word, &prefix))
			report_error(builder->reading.report, element_place(&builder->root, SET_PROXIES),
				     "proxies holds %s, but must hold addresses (192.0.2.1), networks "
				     "(10.0.0.0/8, nothing behind the prefix) or unix",
				     report_quote(word, quoted));
		else if (slash != NULL && strcmp(slash, "/0") == 0)
			report_warning(builder->reading.report, element_place(&builder->root, SET_PROXIES),
				       "proxies holds %s: anybody can say to be anywhere", word);
		else if (builder->signer_count > 0 && !is_loopback(&prefix))
			report_error(builder->reading.report, element_place(&builder->root, SET_PROXIES),
				     "proxies holds %s: people[].token_sha256 is accepted only where nobody "
				     "comes from another machine",
				     word);
	}
}
