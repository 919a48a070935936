/*
 * The whole broker: its parts, in one place for the two files that know every module. main.c is its life: arguments, signals,
 * reload and end; parts.c makes the parts and says to each what it is to call.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "activation/sweep.h"
#include "api/api.h"
#include "base/err.h"
#include "broker/issuers.h"
#include "broker/metrics.h"
#include "provision/provision.h"

struct broker {
	const char *config_path;
	struct config *config;
	uv_loop_t loop;
	struct store *store;
	struct activation *activation;
	struct keeper *keeper; /* of the audit */
	struct pusher *pusher;
	struct escrow *escrow; /* NULL when none is configured */
	struct forgotten
		*forgotten; /* what it holds and the store does not; NULL before the store is there */
	struct provisioner provisioner; /* of the two */
	struct courier *courier;
	struct issuers issuers;  /* who signs people in */
	struct proxies *proxies; /* of the server */
	struct quota *quota;
	struct events *events; /* those who listen */
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
	struct sweep_report swept;
	int status;
};

/* Makes the parts, in order; a sweeping broker has neither server nor sign-in. False with the reason in `ec`: those that
 * are there stay, for broker_stop(). Does not block, but for the files that the parts read. */
bool broker_start(struct broker *broker, struct errctx *ec);

/* Late, when the timer of a sweep ends and the store was never there. */
void broker_sweep_late(uv_timer_t *timer);

/* Says to the functions of the store which events anybody is told of. */
void broker_tell(struct broker *broker);

/* Takes up no more work, lets what is under way end, bounded in time; the loop then ends. Once only. */
void broker_stop(struct broker *broker, int status);

#endif
