/* Fault rules: reading and picking them. What they do to an answer is in fault_answer.c. */
#include "scim-push/sandbox/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 12

struct words {
	char text[FAULT_TEXT];
	const char *list[WORDS_MAX + 1]; /* NULL behind the last one */
	size_t at;
};

/* Splits at blanks, in place. */
static bool split(const char *text, struct words *words)
{
	size_t count = 0;
	char *at = words->text;

	if (strlen(text) >= sizeof(words->text))
		return false;
	(void)memcpy(words->text, text, strlen(text) + 1);
	for (at += strspn(at, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		if (count == WORDS_MAX)
			return false;
		words->list[count++] = at;
		at += strcspn(at, " \t");
		if (*at != '\0')
			*at++ = '\0';
	}
	return true;
}

/* Steps over the next word if it is this one. */
static bool accept(struct words *words, const char *word)
{
	if (words->list[words->at] == NULL || strcmp(words->list[words->at], word) != 0)
		return false;
	words->at++;
	return true;
}

static bool take_text(struct words *words, char *out, size_t size)
{
	const char *word = words->list[words->at];

	if (word == NULL || strlen(word) >= size)
		return false;
	(void)memcpy(out, word, strlen(word) + 1);
	words->at++;
	return true;
}

static bool take_number(struct words *words, long least, long most, long *out)
{
	const char *word = words->list[words->at];
	char *end;

	if (word == NULL || word[0] < '0' || word[0] > '9' || strlen(word) > 9)
		return false;
	*out = strtol(word, &end, 10);
	if (*end != '\0' || *out < least || *out > most)
		return false;
	words->at++;
	return true;
}

static bool read_method(struct words *words, struct fault *out)
{
	static const char *const methods[] = {"*", "GET", "POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (words->list[words->at] != NULL && strcmp(words->list[words->at], methods[i]) == 0)
			return take_text(words, out->method, sizeof(out->method));
	return false;
}

static bool read_when(struct words *words, struct fault *out)
{
	static const struct {
		const char *word;
		enum fault_when when;
	} counted[] = {{"first", WHEN_FIRST}, {"nth", WHEN_NTH}, {"every", WHEN_EVERY}, {"from", WHEN_FROM}};

	out->n = 1;
	out->when = WHEN_FROM;
	if (accept(words, "always"))
		return true;
	if (accept(words, "once")) {
		out->when = WHEN_FIRST;
		return true;
	}
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (accept(words, counted[i].word)) {
			out->when = counted[i].when;
			return take_number(words, 1, 1000000000, &out->n);
		}
	}
	return true;
}

static bool read_status(struct words *words, struct fault *out)
{
	long status;

	if (!take_number(words, 200, 599, &status))
		return false;
	out->status = (int)status;
	if (accept(words, "retry-after"))
		out->retry = RETRY_SECONDS;
	else if (accept(words, "http-date"))
		out->retry = RETRY_DATE;
	return out->retry == RETRY_NONE || take_number(words, 0, 1000000, &out->retry_s);
}

static bool read_redirect(struct words *words, struct fault *out)
{
	long status = 307;

	(void)take_number(words, 300, 399, &status);
	out->status = (int)status;
	return take_text(words, out->url, sizeof(out->url));
}

/* What follows the action's name. */
static bool read_arguments(struct words *words, struct fault *out)
{
	switch (out->action) {
	case FAULT_DELAY:
		return take_number(words, 0, 86400000, &out->delay_ms);
	case FAULT_STATUS:
		return read_status(words, out);
	case FAULT_REDIRECT:
		return read_redirect(words, out);
	case FAULT_NONE:
	case FAULT_HANG:
	case FAULT_CLOSE:
	case FAULT_NOOP:
	case FAULT_HTML:
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
		if (!accept(words, actions[i].word))
			continue;
		out->action = actions[i].action;
		if (!read_arguments(words, out))
			return false;
		out->after = actions[i].may_be_after && accept(words, "after");
		return words->list[words->at] == NULL;
	}
	return false;
}

enum err fault_parse(const char *text, struct fault *out, struct errctx *ec)
{
	struct words words = {0};
	struct fault fault = {0};

	if (!split(text, &words))
		return err_set(ec, ERR_BAD_REQUEST, "the rule is too long");
	(void)memcpy(fault.text, text, strlen(text) + 1);
	if (!read_method(&words, &fault))
		return err_set(ec, ERR_BAD_REQUEST, "a rule starts with a method or *: %s", text);
	if (!take_text(&words, fault.path, sizeof(fault.path)) ||
	    (fault.path[0] != '/' && strcmp(fault.path, "*") != 0))
		return err_set(ec, ERR_BAD_REQUEST, "a path (/… or *) follows the method: %s", text);
	if (!read_when(&words, &fault) || !accept(&words, "->"))
		return err_set(ec, ERR_BAD_REQUEST,
			       "always, once, first N, nth N, every N or from N, and -> follow: %s", text);
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

static bool holds(const struct fault *fault)
{
	switch (fault->when) {
	case WHEN_FIRST:
		return fault->seen <= fault->n;
	case WHEN_NTH:
		return fault->seen == fault->n;
	case WHEN_EVERY:
		return fault->seen % fault->n == 0;
	case WHEN_FROM:
		break;
	}
	return fault->seen >= fault->n;
}

const struct fault *faults_pick(struct faults *faults, const char *method, const char *target)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->rules[i];

		if (strcmp(fault->method, "*") != 0 && strcmp(fault->method, method) != 0)
			continue;
		if (strcmp(fault->path, "*") != 0 && strncmp(target, fault->path, strlen(fault->path)) != 0)
			continue;
		fault->seen++;
		if (holds(fault))
			return fault;
	}
	return NULL;
}
