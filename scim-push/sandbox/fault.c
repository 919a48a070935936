/* Fault rules: reading and picking them. What they do to an answer is in fault_answer.c. */
#include "scim-push/sandbox/fault.h"

#include <string.h>

static bool read_when(struct words *words, struct fault *out)
{
	static const struct {
		const char *word;
		enum fault_when when;
	} counted[] = {{"first", WHEN_FIRST}, {"nth", WHEN_NTH}, {"every", WHEN_EVERY}, {"from", WHEN_FROM}};

	out->n = 1;
	out->when = WHEN_FROM;
	if (words_accept(words, "always"))
		return true;
	if (words_accept(words, "once")) {
		out->when = WHEN_FIRST;
		return true;
	}
	if (words_accept(words, "chance")) {
		out->when = WHEN_CHANCE;
		return words_take_number(words, 0, 100, &out->n) &&
		       words_take_number(words, 0, 1000000000, &out->seed);
	}
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (words_accept(words, counted[i].word)) {
			out->when = counted[i].when;
			return words_take_number(words, 1, 1000000000, &out->n);
		}
	}
	return true;
}

/* A status that may be given. */
static bool read_code(struct words *words, long usual, int *out)
{
	long status = usual;
	bool wanted = usual == 0;

	if (!words_take_number(words, 200, 599, &status) && wanted)
		return false;
	*out = (int)status;
	return true;
}

static bool read_status(struct words *words, struct fault *out)
{
	out->retry = AFTER_ABSENT;
	if (!read_code(words, 0, &out->status))
		return false;
	if (words_accept(words, "retry-after"))
		out->retry = AFTER_SECONDS;
	else if (words_accept(words, "http-date"))
		out->retry = AFTER_DATE;
	return out->retry == AFTER_ABSENT || words_take_number(words, 0, 1000000, &out->retry_s);
}

static bool read_redirect(struct words *words, struct fault *out)
{
	return read_code(words, 307, &out->status) && words_take_text(words, out->url, sizeof(out->url));
}

/* What follows the action's name. */
static bool read_arguments(struct words *words, struct fault *out)
{
	switch (out->action) {
	case FAULT_DELAY:
		return words_take_number(words, 0, 86400000, &out->delay_ms);
	case FAULT_STATUS:
		return read_status(words, out);
	case FAULT_REDIRECT:
		return read_redirect(words, out);
	case FAULT_NOOP:
		return read_code(words, 204, &out->status);
	case FAULT_HTML:
		return read_code(words, 200, &out->status);
	case FAULT_NONE:
	case FAULT_HANG:
	case FAULT_CLOSE:
	case FAULT_TRUNCATE:
	case FAULT_HUGE:
		break;
	}
	return true;
}

static bool read_action(struct words *words, struct fault *out)
{
	static const struct {
		const char *word;
		enum fault_action action;
		bool may_be_after;
	} actions[] = {
		{"delay", FAULT_DELAY, true},        {"hang", FAULT_HANG, true},
		{"close", FAULT_CLOSE, true},        {"status", FAULT_STATUS, true},
		{"noop", FAULT_NOOP, false},         {"html", FAULT_HTML, false},
		{"truncate", FAULT_TRUNCATE, false}, {"huge", FAULT_HUGE, false},
		{"redirect", FAULT_REDIRECT, false},
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!words_accept(words, actions[i].word))
			continue;
		out->action = actions[i].action;
		if (!read_arguments(words, out))
			return false;
		out->after = actions[i].may_be_after && words_accept(words, "after");
		return words_are_over(words);
	}
	return false;
}

enum err fault_parse(const char *text, struct fault *out, struct errctx *ec)
{
	struct fault fault = {0};
	struct words words = {0};

	if (!words_split(&words, text))
		return err_set(ec, ERR_BAD_REQUEST, "the rule is too long");
	(void)memcpy(fault.text, text, strlen(text) + 1);
	if (!words_take_method(&words, fault.method, sizeof(fault.method)))
		return err_set(ec, ERR_BAD_REQUEST, "a rule starts with a method or *: %s", text);
	if (!words_take_path(&words, fault.path, sizeof(fault.path)))
		return err_set(ec, ERR_BAD_REQUEST, "a path (/… or *) follows the method: %s", text);
	if (!read_when(&words, &fault) || !words_accept(&words, "->"))
		return err_set(ec, ERR_BAD_REQUEST,
			       "always, once, first N, nth N, every N, from N or chance PERCENT SEED, and -> "
			       "follow: %s",
			       text);
	if (!read_action(&words, &fault))
		return err_set(ec, ERR_BAD_REQUEST, "the action is not understood: %s", text);
	*out = fault;
	return ERR_OK;
}

enum err faults_add(struct faults *faults, const char *text, struct errctx *ec)
{
	enum err err;

	if (faults->count == FAULTS_MAX)
		return err_set(ec, ERR_TOO_MANY, "there are %d rules already", FAULTS_MAX);
	err = fault_parse(text, &faults->rules[faults->count], ec);
	if (err == ERR_OK)
		faults->count++;
	return err;
}

/* A number below 100 that the seed and the count determine (splitmix64). */
static long draw(const struct fault *fault)
{
	uint64_t x = (uint64_t)fault->seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)fault->seen;

	x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 30) * UINT64_C(0x94d049bb133111eb);
	return (long)((x ^ x >> 31) % 100);
}

static bool holds(const struct fault *fault)
{
	switch (fault->when) {
	case WHEN_FIRST:
		return fault->seen <= fault->n;
	case WHEN_NTH:
		return fault->seen == fault->n;
	case WHEN_EVERY:
		return fault->seen % fault->n == 0;
	case WHEN_CHANCE:
		return draw(fault) < fault->n;
	case WHEN_FROM:
		break;
	}
	return fault->seen >= fault->n;
}

const struct fault *faults_pick(struct faults *faults, const char *method, const char *target)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->rules[i];

		if (!words_match(fault->method, fault->path, method, target))
			continue;
		fault->seen++;
		if (holds(fault))
			return fault;
	}
	return NULL;
}
