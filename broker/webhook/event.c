#include "webhook/event.h"

#include <assert.h>
#include <string.h>

#include "base/id.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/utf8.h"

#define SHORT_MAX    32              /* a decision */
#define NAME_MAX_LEN (NAME_SIZE - 1) /* ids and names */
#define REASON_MAX   512             /* the first lines of what an application answered say it */
#define TEXT_MAX     (TEXT_SIZE - 1)

/* Where a byte becomes six ("\u001f") everywhere, all texts and 1 KiB of names, times and signs still fit. */
static_assert(6 * (7 * NAME_MAX_LEN + SHORT_MAX + REASON_MAX + TEXT_MAX) + 1024 <= EVENT_BODY_MAX + 2048,
	      "an event cannot always be written");

const char *event_type_name(enum event_type type)
{
#define EVENT_NAME(name, type, meaning) [name] = (type),
	static const char *const names[] = {EVENT_TABLE(EVENT_NAME)};
#undef EVENT_NAME

	return names[type];
}
