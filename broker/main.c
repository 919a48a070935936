/* The broker's life: reads its arguments, lets its parts run on one loop, takes up new settings, and takes all apart again. */
#include <signal.h>
#include <stdio.h>

#include <curl/curl.h>
#include <uv.h>

#include "activation/activation.h"
#include "api/events.h"
#include "api/quota.h"
#include "audit/keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/arguments.h"
#include "broker/broker.h"
#include "broker/recheck.h"
#include "config/config.h"
#include "escrow/escrow.h"
#include "escrow/forgotten.h"
#include "notice/courier.h"
#include "process/confine.h"
#include "process/core_dump.h"
#include "recovery/offline.h"
#include "scim-push/push.h"
#include "server/proxies.h"
#include "store/store.h"

#define VERSION "0.1.0"

#define STOP_LOOK_MS 20 /* how often a stopping broker looks whether all is done */

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
	forgotten_free(broker->forgotten);
	broker->api.forgotten = broker->forgotten = NULL;
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

void broker_stop(struct broker *broker, int status)
{
	if (broker->api.stopping)
		return;
	broker->api.stopping = true;
	broker->status = status;
	broker->stop_at_ms = clock_mono_ms() + broker->config->stop_ms;
	log_info("stopping", "orders=%zu", broker->activation != NULL ? orders_open(broker->activation) : 0);
	if (broker->server != NULL)
		server_quiesce(broker->server);
	events_end_all(broker->events);
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
	broker_stop(handle->data, 0);
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
			 "listen, proxies, tls, connections, redis, sign_in, escrow, user and system_calls "
			 "are taken up by a restart only");
	config_unref(broker->config);
	broker->config = fresh;
	broker->api.config = fresh;
	policies = recheck_policies(fresh);
	activation_reload(broker->activation, fresh->poll_ms, fresh->history_ms, &policies);
	courier_configure(broker->courier, fresh);
	broker_tell(broker);
	keeper_reload(broker->keeper, fresh);
	if (store_ready(broker->store, NULL))
		keeper_plan(broker->keeper, store_lanes(broker->store));
	keeper_note_config(broker->keeper, "reload");
	events_end_all(broker->events);
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
		uv_timer_start(&broker->sweep_timer, broker_sweep_late, (uint64_t)broker->sweep_for_ms, 0);
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
	if (!broker_start(broker, &ec)) {
		log_error("start", "error=%s", ec.text);
		broker_stop(broker, 1);
	}
	uv_run(&broker->loop, UV_RUN_DEFAULT);
	proxies_free(broker->proxies);
	quota_free(broker->quota);
	events_free(broker->events);
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
