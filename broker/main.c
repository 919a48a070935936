/*
 * The broker: reads its arguments, puts the parts together on one loop, and takes them apart again. The only file
 * that knows every module.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <uv.h>

#include "activation/activation.h"
#include "activation/library.h"
#include "activation/states.h"
#include "activation/sweep.h"
#include "api/api.h"
#include "audit/keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/arguments.h"
#include "broker/core_dump.h"
#include "broker/confine.h"
#include "config/config.h"
#include "broker/deposit.h"
#include "broker/issuers.h"
#include "broker/metrics.h"
#include "broker/offline.h"
#include "broker/provision.h"
#include "broker/recheck.h"
#include "broker/steps.h"
#include "broker/terms.h"
#include "notice/audience.h"
#include "notice/courier.h"
#include "scim-push/push.h"
#include "store/store.h"

#define VERSION "0.1.0"

#define STORE_QUEUE_MAX     20000
#define CONNECTION_IDLE_MS  60000
#define REQUEST_DEADLINE_MS 10000
_Static_assert(SIGNIN_WAIT_MS < REQUEST_DEADLINE_MS, "a token waits no longer than its request");
#define STOP_LOOK_MS 20 /* how often a stopping broker looks whether all is done */

struct broker {
	const char *config_path;
	struct config *config;
	uv_loop_t loop;
	struct store *store;
	struct activation *activation;
	struct keeper *keeper; /* of the audit */
	struct pusher *pusher;
	struct escrow *escrow;          /* NULL when none is configured */
	struct provisioner provisioner; /* of the two */
	struct courier *courier;
	struct issuers issuers; /* who signs people in */
	struct server *server;
	struct api api;
	struct metrics metrics;
	uv_signal_t on_term, on_int, on_hup;
	uv_timer_t stop_timer;
	int64_t stop_at_ms;
	bool aborted;         /* the time to stop is over: pushes have been told to end */
	bool served;          /* the store has been ready once */
	int64_t sweep_for_ms; /* > 0: no server; do what is due, for so long at most, and end */
	uv_timer_t sweep_timer;
	int status;
};

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
	steps_print(((struct broker *)ctx)->config, app, out);
}

static void take_piece(void *ctx, struct piece *piece)
{
	struct broker *broker = ctx;
	struct step_tools tools = {broker->pusher, broker->config, &broker->metrics};

	steps_take(&tools, piece);
}

static void tell_all(void *ctx, unsigned lane, const char *target)
{
	struct broker *broker = ctx;

	if (broker->courier != NULL)
		courier_due(broker->courier, lane, target);
}

static void set_tells(struct broker *broker)
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

static void stop(struct broker *broker, int status);

/* The exit status says whether anything was left to do. */
static void on_swept(void *ctx, enum err err, const struct sweep_report *report)
{
	struct broker *broker = ctx;
	struct buf text;

	buf_init(&text, 1024);
	if (report != NULL) {
		sweep_print(report, &text);
		printf("%s\n", buf_text(&text));
		fflush(stdout);
	} else {
		log_error("sweep", "error=%s", err_message(err));
	}
	buf_release(&text);
	stop(broker, report != NULL && report->complete ? 0 : 1);
}

static void on_sweep_late(uv_timer_t *timer)
{
	struct broker *broker = timer->data;

	if (broker->served)
		return;
	log_error("sweep", "error=%s", "the store cannot be reached");
	stop(broker, 1);
}

static void on_store_ready(void *ctx, bool ready, const char *why)
{
	struct broker *broker = ctx;

	if (ready)
		log_info("store_ready", "lanes=%u", store_lanes(broker->store));
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
		.replicas = (unsigned)broker->config->redis_replicas,
		.replicas_timeout_ms = broker->config->redis_replicas_timeout_ms,
		.on_ready = on_store_ready,
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

	set_tells(broker);
	return courier_new(&options, &broker->courier, ec) == ERR_OK;
}

static bool start_server(struct broker *broker, struct errctx *ec)
{
	const struct config *config = broker->config;
	struct server_options options = {
		.host = config->listen_host,
		.port = config->listen_port,
		.path = config->listen_path,
		.certificate_file = config->tls_certificate,
		.key_file = config->tls_key,
		.connections = (unsigned)config->connections,
		.connections_per_address = (unsigned)config->connections_per_address,
		.idle_timeout_ms = CONNECTION_IDLE_MS,
		.request_deadline_ms = REQUEST_DEADLINE_MS,
		.handle = api_handle,
		.ctx = &broker->api,
	};
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

/* Takes everything down; the loop then runs out of handles. */
static void finish(struct broker *broker)
{
	uv_close((uv_handle_t *)&broker->stop_timer, NULL);
	uv_close((uv_handle_t *)&broker->sweep_timer, NULL);
	uv_close((uv_handle_t *)&broker->on_term, NULL);
	uv_close((uv_handle_t *)&broker->on_int, NULL);
	uv_close((uv_handle_t *)&broker->on_hup, NULL);
	/* A late answer of the store may have begun one since all were told to end; none may outlive the store. */
	if (broker->pusher != NULL)
		pusher_abort_all(broker->pusher);
	if (broker->courier != NULL)
		courier_abort_all(broker->courier);
	server_free(broker->server);
	broker->server = NULL;
	issuers_stop(&broker->issuers);
	if (broker->store != NULL)
		store_close(broker->store);
	broker->store = NULL;
}

static bool all_done(const struct broker *broker)
{
	return (broker->server == NULL || server_open_exchanges(broker->server) == 0) &&
	       (broker->activation == NULL || orders_open(broker->activation) == 0) &&
	       (broker->keeper == NULL || !keeper_busy(broker->keeper)) &&
	       (broker->escrow == NULL || !escrow_busy(broker->escrow)) &&
	       (broker->pusher == NULL || pusher_running(broker->pusher) == 0) &&
	       (broker->courier == NULL || courier_busy(broker->courier) == 0);
}

static void on_stop_look(uv_timer_t *timer)
{
	struct broker *broker = timer->data;
	int64_t now = clock_mono_ms();

	if (all_done(broker) || (broker->aborted && now >= broker->stop_at_ms)) {
		uv_timer_stop(timer);
		finish(broker);
	} else if (now >= broker->stop_at_ms) {
		log_warn("stop_aborts", "pushes=%zu",
			 broker->pusher != NULL ? pusher_running(broker->pusher) : 0);
		broker->aborted = true;
		broker->stop_at_ms = now + 1000;
		if (broker->pusher != NULL)
			pusher_abort_all(broker->pusher);
		if (broker->courier != NULL)
			courier_abort_all(broker->courier);
	}
}

/* Takes up no more work, lets what is under way end, bounded in time. */
static void stop(struct broker *broker, int status)
{
	if (broker->api.stopping)
		return;
	broker->api.stopping = true;
	broker->status = status;
	broker->stop_at_ms = clock_mono_ms() + broker->config->stop_ms;
	log_info("stopping", "orders=%zu", broker->activation != NULL ? orders_open(broker->activation) : 0);
	if (broker->server != NULL)
		server_quiesce(broker->server);
	if (broker->activation != NULL)
		activation_stop(broker->activation);
	if (broker->courier != NULL)
		courier_stop(broker->courier);
	if (broker->keeper != NULL)
		keeper_stop(broker->keeper);
	if (broker->escrow != NULL)
		escrow_stop(broker->escrow);
	uv_timer_start(&broker->stop_timer, on_stop_look, 0, STOP_LOOK_MS);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
	log_info("signal", "number=%d", number);
	stop(handle->data, 0);
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
	struct broker *broker = handle->data;
	struct config *fresh = NULL;
	struct activation_policies policies;

	(void)number;
	if (broker->api.stopping)
		return;
	if (config_load(broker->config_path, stderr, &fresh) != ERR_OK) {
		log_error("reload", "config=%s result=%s", broker->config_path, "refused, the old one stays");
		return;
	}
	if (config_needs_restart(broker->config, fresh))
		log_warn("reload", "config=%s note=%s", broker->config_path,
			 "listen, tls, connections, redis and sign_in are taken up by a restart only");
	config_unref(broker->config);
	broker->config = fresh;
	broker->api.config = fresh;
	policies = recheck_policies(fresh);
	activation_reload(broker->activation, fresh->poll_ms, fresh->history_ms, &policies);
	courier_configure(broker->courier, fresh);
	set_tells(broker);
	keeper_reload(broker->keeper, fresh);
	if (store_ready(broker->store, NULL))
		keeper_plan(broker->keeper, store_lanes(broker->store));
	keeper_note_config(broker->keeper, "reload");
	log_info("reload", "config=%s result=%s applications=%zu groups=%zu", broker->config_path, "taken",
		 fresh->application_count, fresh->group_count);
}

static void start_signals(struct broker *broker)
{
	uv_signal_init(&broker->loop, &broker->on_term);
	uv_signal_init(&broker->loop, &broker->on_int);
	uv_signal_init(&broker->loop, &broker->on_hup);
	uv_timer_init(&broker->loop, &broker->stop_timer);
	uv_timer_init(&broker->loop, &broker->sweep_timer);
	broker->sweep_timer.data = broker;
	if (broker->sweep_for_ms > 0)
		uv_timer_start(&broker->sweep_timer, on_sweep_late, (uint64_t)broker->sweep_for_ms, 0);
	broker->on_term.data = broker->on_int.data = broker->on_hup.data = broker->stop_timer.data = broker;
	uv_signal_start(&broker->on_term, on_stop_signal, SIGTERM);
	uv_signal_start(&broker->on_int, on_stop_signal, SIGINT);
	uv_signal_start(&broker->on_hup, on_reload_signal, SIGHUP);
}

static void run(struct broker *broker)
{
	struct errctx ec = {""};

	signal(SIGPIPE, SIG_IGN);
	log_info("start", "version=%s config=%s applications=%zu groups=%zu", VERSION, broker->config_path,
		 broker->config->application_count, broker->config->group_count);
	confine_prepare(broker->config->all_calls);
	uv_loop_init(&broker->loop);
	start_signals(broker);
	if (!start_provisioner(broker, &ec) || !start_store(broker, &ec) || !start_activation(broker, &ec) ||
	    !start_courier(broker, &ec) ||
	    (broker->sweep_for_ms == 0 &&
	     (!issuers_start(&broker->issuers, &broker->loop, broker->config, &ec) ||
	      !start_server(broker, &ec))) ||
	    confine(broker->config->user, broker->config->all_calls, &ec) != ERR_OK) {
		log_error("start", "error=%s", ec.text);
		stop(broker, 1);
	}
	uv_run(&broker->loop, UV_RUN_DEFAULT);
	courier_free(broker->courier);
	keeper_free(broker->keeper);
	activation_free(broker->activation);
	if (broker->pusher != NULL)
		pusher_free(broker->pusher);
	escrow_free(broker->escrow);
	uv_run(&broker->loop, UV_RUN_DEFAULT);
	uv_loop_close(&broker->loop);
	config_unref(broker->config);
	log_info("stopped", "status=%d", broker->status);
}

int main(int argc, char **argv)
{
	static struct broker broker;
	struct arguments a = {0};

	if (!arguments_read(argc, argv, &a)) {
		arguments_usage(stderr);
		return 2;
	}
	if (a.help)
		arguments_usage(stdout);
	else if (a.version)
		printf("jit-broker %s\n", VERSION);
	else if (a.example)
		config_print_example(stdout);
	if (a.help || a.version || a.example)
		return 0;
	core_dump_forbid(); /* before the first of them is read */
	broker.config_path = a.config;
	broker.sweep_for_ms = a.sweep_for_ms;
	if (config_load(a.config, stderr, &broker.config) != ERR_OK)
		return 1;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (offline_run(broker.config, &a, &broker.status))
		config_unref(broker.config);
	else
		run(&broker);
	curl_global_cleanup();
	return broker.status;
}
