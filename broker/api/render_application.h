/* An application's condition, its cycles and its provisioning log, as JSON. Pure. */
#ifndef API_RENDER_APPLICATION_H
#define API_RENDER_APPLICATION_H

#include "activation/activation.h"
#include "activation/operate.h"
#include "base/buf.h"
#include "scim-push/push.h"

/* One JSON object each; a failure is the buffer's. */
void render_application(struct buf *out, const struct scim_target *target, const struct terms *terms,
			const struct application_status *status);

/* "nextDateTime":…,"current":…,"last":…; the braces are the caller's. */
void render_cycles(struct buf *out, const struct application_status *status);

/* Objects again: a cycle that has ended, and an entry of the provisioning log. */
void render_cycle(struct buf *out, const struct cycle_record *cycle);
void render_log_entry(struct buf *out, const struct log_entry *entry);

#endif
