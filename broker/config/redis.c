/* Rules over the settings of the store, and what the store gets of them. See build.h. */
#include "config/build.h"

#include <string.h>
#include <strings.h>

#include "store/address.h"
#include "store/store.h"

static void report(struct builder *builder, enum setting_id id, const char *message)
{
	report_error(builder->reading.report, element_place(&builder->root, id), "%s", message);
}

static bool is_loopback(const struct address *address)
{
	return address->path[0] != '\0' || strncmp(address->host, "127.", 4) == 0 ||
	       strcmp(address->host, "::1") == 0 || strcasecmp(address->host, "localhost") == 0;
}

/* The servers that were given in one list, or the one url. */
struct servers {
	enum setting_id id;
	const char *const *urls;
	size_t count;
	bool with_tls, far;
};

/* False when one of them cannot be used, which is reported. */
static bool check_servers(struct builder *builder, struct servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		struct address address;
		struct errctx ec = {""};
		bool is_list = servers->id != SET_REDIS_URL;
		if (address_parse(servers->urls[i], &address, &ec) != ERR_OK ||
		    (is_list && address.path[0] != '\0')) {
			report_error(builder->reading.report, element_place(&builder->root, servers->id),
				     "%s must hold redis[s]://HOST[:PORT]%s%s", settings[servers->id].path,
				     ec.text[0] != '\0' ? ": " : "", ec.text);
			return false;
		}
		if (i > 0 && address.with_tls != servers->with_tls) {
			report_error(builder->reading.report, element_place(&builder->root, servers->id),
				     "%s must hold either redis:// or rediss:// addresses, not both",
				     settings[servers->id].path);
			return false;
		}
		servers->with_tls = address.with_tls;
		servers->far = servers->far || !is_loopback(&address);
	}
	return true;
}

static struct servers servers_of(const struct config *config, const char *const *url)
{
	if (config->redis_sentinels.count > 0)
		return (struct servers){.id = SET_REDIS_SENTINELS,
					.urls = (const char *const *)config->redis_sentinels.list,
					.count = config->redis_sentinels.count};
	if (config->redis_cluster.count > 0)
		return (struct servers){.id = SET_REDIS_CLUSTER,
					.urls = (const char *const *)config->redis_cluster.list,
					.count = config->redis_cluster.count};
	/* A socket's path was made absolute where it was read, or is relative to where the broker is started. */
	return (struct servers){
		.id = SET_REDIS_URL, .urls = url, .count = strncmp(*url, "unix:", 5) == 0 ? 0 : 1};
}

static void check_secrets(struct builder *builder, const struct servers *servers)
{
	const struct config *config = builder->config;
	yaml_node_t *const *given = builder->root.given;
	bool certificate = given[SET_REDIS_CERTIFICATE], key = given[SET_REDIS_KEY];
	if (given[SET_REDIS_USER] && !given[SET_REDIS_PASSWORD])
		report(builder, SET_REDIS_USER, "redis.user needs redis.password");
	if (given[SET_REDIS_SENTINEL_USER] && !given[SET_REDIS_SENTINEL_PASSWORD])
		report(builder, SET_REDIS_SENTINEL_USER, "redis.sentinel.user needs redis.sentinel.password");
	if (certificate != key)
		report(builder, SET_REDIS_TLS, "redis.tls needs both, certificate and key, or neither");
	if (given[SET_REDIS_TLS] && !servers->with_tls)
		report(builder, SET_REDIS_TLS, "redis.tls has no effect: the address is not a rediss:// one");
	if (config->environment == ENV_PRODUCTION && servers->far && !servers->with_tls)
		report_warning(builder->reading.report, element_place(&builder->root, servers->id),
			       "%s is reached over a network without TLS: use rediss://",
			       settings[servers->id].path);
}

/* Where another node takes over, what it has not got yet is forgotten though it was acknowledged. */
static void check_replicas(struct builder *builder, const struct servers *servers)
{
	if (servers->id != SET_REDIS_URL && builder->config->redis_replicas == 0)
		report_warning(builder->reading.report, element_place(&builder->root, servers->id),
			       "a failover loses what was acknowledged just before: set redis.replicas to 1 "
			       "or more");
}

void builder_check_redis(struct builder *builder)
{
	const struct config *config = builder->config;
	const struct element *root = &builder->root;
	const char *const url = config->redis_url;
	struct servers servers = servers_of(config, &url);
	bool cluster = root->given[SET_REDIS_CLUSTER], sentinel = root->given[SET_REDIS_SENTINEL];
	if (builder->reading.report->errors > 0)
		return; /* what seems to be missing may only be unreadable */
	if ((root->given[SET_REDIS_URL] != NULL) + cluster + sentinel > 1)
		report(builder, SET_REDIS, "redis needs one of url, cluster and sentinel");
	else if (cluster && config->redis_cluster.count == 0)
		report(builder, SET_REDIS_CLUSTER, "redis.cluster names no node");
	else if (sentinel && (config->redis_sentinels.count == 0 || config->redis_master[0] == '\0'))
		report(builder, SET_REDIS_SENTINEL, "redis.sentinel needs both, master and nodes");
	else if (check_servers(builder, &servers)) {
		check_secrets(builder, &servers);
		check_replicas(builder, &servers);
	}
}

void config_redis_place(const struct config *config, struct store_place *place)
{
	*place = (struct store_place){.url = config->redis_url,
				      .cluster = (const char *const *)config->redis_cluster.list,
				      .cluster_count = config->redis_cluster.count,
				      .sentinels = (const char *const *)config->redis_sentinels.list,
				      .sentinel_count = config->redis_sentinels.count,
				      .master = config->redis_master,
				      .user = config->redis_user,
				      .password = config->redis_password,
				      .sentinel_user = config->redis_sentinel_user,
				      .sentinel_password = config->redis_sentinel_password,
				      .ca_file = config->redis_ca,
				      .certificate_file = config->redis_certificate,
				      .key_file = config->redis_key};
}

bool config_redis_same(const struct config *a, const struct config *b)
{
	const char *const texts[][2] = {
		{a->redis_url, b->redis_url},
		{a->redis_master, b->redis_master},
		{a->redis_user, b->redis_user},
		{a->redis_password, b->redis_password},
		{a->redis_sentinel_user, b->redis_sentinel_user},
		{a->redis_sentinel_password, b->redis_sentinel_password},
		{a->redis_ca, b->redis_ca},
		{a->redis_certificate, b->redis_certificate},
		{a->redis_key, b->redis_key},
	};
	bool same = config_words_same(&a->redis_cluster, &b->redis_cluster) &&
		    config_words_same(&a->redis_sentinels, &b->redis_sentinels) &&
		    a->redis_timeout_ms == b->redis_timeout_ms &&
		    a->redis_allow_volatile == b->redis_allow_volatile &&
		    a->redis_replicas == b->redis_replicas &&
		    a->redis_replicas_timeout_ms == b->redis_replicas_timeout_ms;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		same = same && strcmp(texts[i][0], texts[i][1]) == 0;
	return same;
}
