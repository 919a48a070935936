/* An application's terms, as activation/ takes them, from the configuration. */
#ifndef BROKER_TERMS_H
#define BROKER_TERMS_H

#include "activation/activation.h"
#include "config/config.h"

void terms_from(const struct config *config, const struct config_application *application, struct terms *out);

/* Those of the application of that id; false when there is none. */
bool terms_find(const struct config *config, const char *app, struct terms *out);

#endif
