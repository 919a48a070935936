/* The parts of the broker: how each is made, and what it calls. */
#include <stdio.h>
#include <string.h>

#include "activation/activation.h"
#include "activation/changes.h"
#include "activation/library.h"
#include "activation/states.h"
#include "activation/sweep.h"
#include "api/events.h"
#include "api/quota.h"
#include "audit/keeper.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/recheck.h"
#include "broker/terms.h"
#include "config/config.h"
#include "escrow/forgotten.h"
#include "notice/audience.h"
#include "notice/courier.h"
#include "process/confine.h"
#include "process/descriptors.h"
#include "provision/cycle_steps.h"
#include "provision/deposit.h"
#include "scim-push/push.h"
#include "server/proxies.h"
#include "store/store.h"

#define STORE_QUEUE_MAX     20000
#define STORE_LOOK_MS       1000
#define CONNECTION_IDLE_MS  60000
#define REQUEST_DEADLINE_MS 10000
_Static_assert(SIGNIN_WAIT_MS < REQUEST_DEADLINE_MS, "a token waits no longer than its request");

static bool give_terms(void *ctx, const char *app, struct terms *out)
{
	return terms_find(((struct broker *)ctx)->config, app, out);
}

static bool give_application(void *ctx, size_t index, struct terms *out)
{
	struct broker *broker = ctx;

	if (index >= broker->config->application_count)
		return false;
	terms_from(broker->config, &broker->config->applications[index], out);
	return true;
}

static enum err still_allowed(void *ctx, const struct request *request, struct buf *limits,
			      struct errctx *why)
{
	struct broker *broker = ctx;

	return recheck_start(broker->config, request, activation_now_ms(broker->activation), limits, why);
}

static enum eligible still_eligible(void *ctx, const struct request *request, int64_t *until_ms)
{
	struct broker *broker = ctx;

	return recheck_eligible(broker->config, request, activation_now_ms(broker->activation), until_ms);
}

static bool next_reviewed(void *ctx, size_t *index, char app[APP_ID_SIZE], char group[ID_SIZE])
{
	return recheck_next_group(((struct broker *)ctx)->config, index, app, group);
}

static void carry_out(void *ctx, struct order *order)
{
	struct broker *broker = ctx;

	provision(&broker->provisioner, broker->config, order);
}

static void note_end(void *ctx, const struct access_end *end)
{
	deposit_end(((struct broker *)ctx)->escrow, end);
}

static void give_steps(void *ctx, const char *app, char out[STEPS_SIZE])
{
	cycle_steps_print(((struct broker *)ctx)->config, app, out);
}

static void take_piece(void *ctx, struct piece *piece)
{
	struct broker *broker = ctx;
	struct step_tools tools = {broker->pusher, broker->config, &broker->metrics};

	cycle_steps_take(&tools, piece);
}

static void tell_all(void *ctx, unsigned lane, const char *target)
{
	struct broker *broker = ctx;

	if (broker->courier != NULL)
		courier_due(broker->courier, lane, target);
}

void broker_tell(struct broker *broker)
{
	char tells[AUDIENCE_TELLS_SIZE];

	audience_tells(broker->config, tells);
	activation_tell(broker->activation, tells);
}

static void keep_audit(void *ctx, unsigned lane, const char *what)
{
	struct broker *broker = ctx;

	keeper_due(broker->keeper, lane, what);
}

/* The exit status says whether anything was left to do, or late. */
static void end_sweep(void *ctx)
{
	struct broker *broker = ctx;
	struct buf text;

	buf_init(&text, 1024);
	broker->swept.unknown = (int64_t)forgotten_count(broker->forgotten);
	broker->swept.complete = broker->swept.complete && forgotten_is_known(broker->forgotten);
	sweep_print(&broker->swept, &text);
	printf("%s\n", buf_text(&text));
	fflush(stdout);
	buf_release(&text);
	broker_stop(broker, (int)sweep_status(&broker->swept));
}

/* A Redis that was lost and begun anew has nothing that is due: the escrow knows better. */
static void on_swept(void *ctx, enum err err, const struct sweep_report *report)
{
	struct broker *broker = ctx;

	if (report == NULL) {
		log_error("sweep", "error=%s", err_message(err));
		broker_stop(broker, (int)sweep_status(NULL));
		return;
	}
	broker->swept = *report;
	if (broker->forgotten != NULL)
		forgotten_when_known(broker->forgotten, end_sweep, broker);
	else
		end_sweep(broker);
}

void broker_sweep_late(uv_timer_t *timer)
{
	struct broker *broker = timer->data;

	if (broker->served)
		return;
	log_error("sweep", "error=%s", "the store cannot be reached");
	broker_stop(broker, 1);
}

static void on_store_ready(void *ctx, bool ready, const char *why)
{
	struct broker *broker = ctx;

	if (ready)
		log_info("store_ready", "lanes=%u", store_lanes(broker->store));
	else if (strstr(why, STORE_LOST) != NULL)
		log_error("store_lost", "why=%s", why);
	else
		log_warn("store_away", "why=%s", why);
	/* Before the timetable looks, so that what is overdue is counted. */
	if (ready && !broker->served && broker->sweep_for_ms > 0)
		activation_sweep(broker->activation, broker->sweep_for_ms, on_swept, broker);
	if (broker->activation != NULL)
		activation_store_ready(broker->activation, ready);
	if (ready && broker->keeper != NULL) {
		keeper_plan(broker->keeper, store_lanes(broker->store));
		if (!broker->served)
			keeper_note_config(broker->keeper, "start");
	}
	broker->served = broker->served || ready;
	if (ready && broker->forgotten != NULL)
		forgotten_look(broker->forgotten);
	else if (ready && broker->escrow != NULL)
		broker->api.forgotten = broker->forgotten =
			forgotten_new(&broker->loop, broker->config, broker->store);
}

/* A sweep counts what is overdue before anything is done. */
static void on_store_lanes(void *ctx)
{
	struct broker *broker = ctx;

	if (broker->activation != NULL && broker->sweep_for_ms == 0)
		activation_lanes_known(broker->activation);
}

static bool start_store(struct broker *broker, struct errctx *ec)
{
	struct store_options options = {
		.library = jit_library,
		.library_len = jit_library_len,
		.library_version = jit_library_version,
		.schema = SCHEMA_VERSION,
		.lanes = (unsigned)broker->config->redis_lanes,
		.call_timeout_ms = broker->config->redis_timeout_ms,
		.queue_max = STORE_QUEUE_MAX,
		.allow_volatile = broker->config->redis_allow_volatile,
		.look_ms = STORE_LOOK_MS,
		.replicas = (unsigned)broker->config->redis_replicas,
		.replicas_timeout_ms = broker->config->redis_replicas_timeout_ms,
		.on_ready = on_store_ready,
		.on_lanes = on_store_lanes,
		.ctx = broker,
	};

	config_redis_place(broker->config, &options.place);
	broker->store = store_new(&broker->loop, &options, ec);
	return broker->store != NULL;
}

static bool start_activation(struct broker *broker, struct errctx *ec)
{
	struct activation_options options = {
		.loop = &broker->loop,
		.store = broker->store,
		.poll_ms = broker->config->poll_ms,
		.history_ms = broker->config->history_ms,
		.terms = give_terms,
		.application = give_application,
		.allowed = still_allowed,
		.eligible = still_eligible,
		.reviewed = next_reviewed,
		.policies = recheck_policies(broker->config),
		.push = carry_out,
		.steps = give_steps,
		.piece = take_piece,
		.ends = note_end,
		.notices = tell_all,
		.audit = keep_audit,
		.ctx = broker,
	};

	broker->activation = activation_new(&options);
	if (broker->activation != NULL)
		broker->keeper = keeper_new(&broker->loop, broker->activation, broker->config);
	if (broker->keeper == NULL)
		err_set(ec, ERR_NOMEM, "out of memory");
	return broker->keeper != NULL;
}

/* What pushes are made with. */
static bool start_provisioner(struct broker *broker, struct errctx *ec)
{
	broker->pusher = pusher_new(&broker->loop, ec);
	if (broker->pusher == NULL || !deposit_open(&broker->loop, broker->config, &broker->escrow, ec))
		return false;
	broker->provisioner = (struct provisioner){broker->pusher, &broker->metrics, broker->escrow};
	return true;
}

static bool start_courier(struct broker *broker, struct errctx *ec)
{
	struct courier_options options = {
		.loop = &broker->loop,
		.activation = broker->activation,
		.metrics = &broker->metrics,
		.config = broker->config,
	};

	broker_tell(broker);
	return courier_new(&options, &broker->courier, ec) == ERR_OK;
}

/* Fewer connections than configured where descriptors are short, and fewer of one address in proportion. */
static void limit_connections(const struct config *config, struct server_options *options)
{
	size_t limit = descriptors_raise();
	size_t wanted = (size_t)config->connections, connections = descriptors_for_callers(limit, wanted);
	size_t per_address = (size_t)config->connections_per_address * connections / wanted;

	if (connections < wanted)
		log_warn("descriptors", "limit=%zu connections=%zu wanted=%zu note=%s", limit, connections,
			 wanted, "raise the limit of open files");
	options->connections = (unsigned)connections;
	/* Behind a balancer all come from its address. */
	if (config->proxies.count == 0)
		options->connections_per_address = per_address > 0 ? (unsigned)per_address : 1;
}

static bool start_server(struct broker *broker, struct errctx *ec)
{
	const struct config *config = broker->config;
	broker->proxies = proxies_new((const char *const *)config->proxies.list, config->proxies.count);
	if (broker->proxies == NULL)
		return err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM)) == ERR_OK;
	const struct changes_options changes = {
		.loop = &broker->loop, .activation = broker->activation, .store = broker->store};
	struct server_options options = {
		.host = config->listen_host,
		.port = config->listen_port,
		.path = config->listen_path,
		.certificate_file = config->tls_certificate,
		.key_file = config->tls_key,
		.proxies = broker->proxies,
		.idle_timeout_ms = CONNECTION_IDLE_MS,
		.request_deadline_ms = REQUEST_DEADLINE_MS,
		.handle = api_handle,
		.ctx = &broker->api,
	};
	limit_connections(config, &options);
	broker->api.quota = broker->quota = quota_new();
	broker->api.events = broker->events = events_new(&changes, options.connections / 2);
	if (broker->quota == NULL || broker->events == NULL)
		return err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM)) == ERR_OK;
	broker->api.config = broker->config;
	broker->api.activation = broker->activation;
	broker->api.store = broker->store;
	broker->api.metrics = &broker->metrics;
	broker->api.pusher = broker->pusher;
	broker->api.provisioner = &broker->provisioner;
	broker->api.escrow = broker->escrow;
	broker->api.signin = broker->issuers.signin;
	broker->api.keeper = broker->keeper;
	broker->api.server = broker->server = server_new(&broker->loop, &options, ec);
	if (broker->server != NULL)
		log_info("listening", "address=%s port=%d tls=%s",
			 strcmp(config->listen_host, "unix") == 0 ? config->listen_path : config->listen_host,
			 server_port(broker->server), config->tls_certificate[0] != '\0' ? "yes" : "no");
	return broker->server != NULL;
}

bool broker_start(struct broker *broker, struct errctx *ec)
{
	bool serves = broker->sweep_for_ms == 0;

	return start_provisioner(broker, ec) && start_store(broker, ec) && start_activation(broker, ec) &&
	       start_courier(broker, ec) &&
	       (!serves || (issuers_start(&broker->issuers, &broker->loop, broker->config, ec) &&
			    start_server(broker, ec))) &&
	       confine(broker->config->user, broker->config->all_calls, ec) == ERR_OK;
}
