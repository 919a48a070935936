/* What the end of a push, or of a change to a user, says of the application's health. Pure. */
#ifndef PROVISION_HEALTH_H
#define PROVISION_HEALTH_H

#include <stdbool.h>

#include "activation/order.h"

/* As scim-push/ tells it. */
struct health_signs {
	long status;        /* of the answer that decided; 0 = none */
	bool done;          /* something that was asked for was done: whatever else went wrong, it is well */
	bool misconfigured; /* address, token or rights are wrong */
	bool alien;         /* what answers is no SCIM server */
	bool sick;          /* it fails */
	bool says_nothing;  /* nothing has reached it, or it only asks to wait */
};

/* What was done outweighs all else. */
enum order_health health_of(const struct health_signs *signs);

#endif
