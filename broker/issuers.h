/* The providers of the configuration, as sign-in/ takes them. */
#ifndef BROKER_ISSUERS_H
#define BROKER_ISSUERS_H

#include "config/config.h"
#include "sign-in/signin.h"

/* All texts are the configuration's. */
void issuers_from(const struct config *config, struct signin_issuer out[SIGNIN_ISSUERS_MAX]);

#endif
