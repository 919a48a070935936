/*
 * Where an order of activation/ becomes a push of scim-push/ and its outcome goes back: the only place that knows
 * both.
 */
#ifndef BROKER_PROVISION_H
#define BROKER_PROVISION_H

#include "activation/order.h"
#include "broker/config.h"
#include "broker/metrics.h"
#include "scim-push/push.h"

/*
 * Carries the order out and ends it. The configuration is held until then. Never fails: an order that cannot be
 * carried out ends as one to be tried again.
 */
void provision(struct pusher *pusher, struct config *config, struct metrics *metrics, struct order *order);

#endif
