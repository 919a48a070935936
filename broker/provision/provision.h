/*
 * Where an order of activation/ becomes a push of scim-push/ and its outcome goes back: the only place that knows
 * both.
 */
#ifndef PROVISION_H
#define PROVISION_H

#include "activation/order.h"
#include "broker/metrics.h"
#include "config/config.h"
#include "scim-push/push.h"

struct escrow;

/* With what pushes are made; borrowed for as long as they run. */
struct provisioner {
	struct pusher *pusher;
	struct metrics *metrics;
	struct escrow *escrow; /* NULL = none */
};

/*
 * Carries the order out and ends it. The configuration is held until then. Never fails: an order that cannot be
 * carried out ends as one to be tried again.
 */
void provision(const struct provisioner *with, struct config *config, struct order *order);

/* Somebody who wants to see how it goes. */
struct provision_watch {
	void (*on_step)(void *ctx, const struct push_step *step);
	/* Before the order is ended; NULL: the push could not be made. */
	void (*on_end)(void *ctx, const struct push *push);
	void *ctx;
	int64_t deadline_ms; /* clock_mono_ms() by which the push is to be over, if the order does not end it earlier */
};

/* The same, watched. */
void provision_watched(const struct provisioner *with, struct config *config, struct order *order,
		       const struct provision_watch *watch);

#endif
