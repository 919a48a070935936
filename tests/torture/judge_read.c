/* Reads the history into lists. */
#include "tests/torture/judge_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFINITE(status)                                                                                     \
	((status) != 0 && (status) != 408 && (status) != 409 && (status) != 429 && (status) < 500)

void *judge_grow(void *list, size_t count, size_t size)
{
	/* Doubling whenever the count is a power of two. */
	if ((count & (count - 1)) != 0)
		return list;
	list = realloc(list, (count * 2 + 1) * size);
	if (list == NULL)
		abort();
	return list;
}

void judge_say(struct judge *judge, size_t *counted, const char *format, ...)
{
	va_list args;

	++*(counted != NULL ? counted : &judge->broken);
	if (judge->quiet)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

int64_t judge_number(const cJSON *line, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

void judge_text(const cJSON *line, const char *name, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

#define TEXT(line, name, to) judge_text((line), (name), (to), sizeof(to))
#define NEW(list, count)     ((list) = judge_grow((list), (count), sizeof(*(list))), &(list)[(count)++])

/* -- one reader for each kind of line --------------------------------------------------------------------------- */

static void read_limits(struct judge *judge, const cJSON *line)
{
	judge->pushes = judge_number(line, "pushes");
	judge->window_ms = judge_number(line, "window");
	judge->push_timeout_ms = judge_number(line, "push_timeout");
	judge->answer_timeout_ms = judge_number(line, "request_timeout");
	judge->back_ms = judge_number(line, "back");
	judge->target_ms = judge_number(line, "target");
	judge->cycle_ms = judge_number(line, "cycle");
}

static void read_app(struct judge *judge, const cJSON *line)
{
	struct judge_app *app = &judge->apps[judge->app_count];

	if (judge->app_count == JUDGE_APPS)
		return;
	TEXT(line, "log", app->log);
	judge->app_count++;
}

static void read_person(struct judge *judge, const cJSON *line)
{
	struct judge_person *person = NEW(judge->people, judge->person_count);

	*person = (struct judge_person){.app = (size_t)judge_number(line, "app")};
	TEXT(line, "group", person->group);
	TEXT(line, "user", person->user);
	TEXT(line, "id", person->id);
	person->needs_approval = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "approval"));
	for (size_t i = 0; i + 1 < judge->person_count; i++)
		if (strcmp(judge->people[i].group, person->group) == 0)
			judge->people[i].shares = person->shares = true;
}

static struct judge_op *find_op(struct judge *judge, long number)
{
	for (size_t i = judge->op_count; i > 0; i--)
		if (judge->ops[i - 1].number == number)
			return &judge->ops[i - 1];
	return NULL;
}

static void read_ask(struct judge *judge, const cJSON *line)
{
	long number = (long)judge_number(line, "op");
	struct judge_op *op = find_op(judge, number);

	if (op != NULL && op->status == 0)
		op->sent_ms = judge_number(line, "t");
	if (op != NULL)
		return;
	op = NEW(judge->ops, judge->op_count);
	*op = (struct judge_op){.number = number,
				.person = (size_t)judge_number(line, "person"),
				.length_ms = judge_number(line, "length"),
				.asked_start_ms = judge_number(line, "start"),
				.first_ms = judge_number(line, "t"),
				.sent_ms = judge_number(line, "t")};
	TEXT(line, "action", op->action);
	TEXT(line, "of", op->withdraws);
}

/* An answer that the same call got before must have been the same: what was acknowledged is not taken back. */
static void read_answer(struct judge *judge, const cJSON *line)
{
	struct judge_op *op = find_op(judge, (long)judge_number(line, "op"));
	int status = (int)judge_number(line, "status");

	if (op == NULL || !DEFINITE(status) || op->status != 0)
		return;
	op->status = status;
	op->answered_ms = judge_number(line, "t");
	op->start_ms = judge_number(line, "start");
	op->end_ms = judge_number(line, "end");
	op->created_ms = judge_number(line, "created");
	op->next_ms = judge_number(line, "next");
	TEXT(line, "id", op->id);
	TEXT(line, "state", op->state);
}

static struct judge_decision *find_decision(struct judge *judge, long number)
{
	for (size_t i = judge->decision_count; i > 0; i--)
		if (judge->decisions[i - 1].number == number)
			return &judge->decisions[i - 1];
	return NULL;
}

static void read_decide(struct judge *judge, const cJSON *line)
{
	long number = (long)judge_number(line, "n");
	struct judge_decision *decision = find_decision(judge, number);
	char result[16];

	if (decision != NULL)
		return;
	decision = NEW(judge->decisions, judge->decision_count);
	*decision = (struct judge_decision){.number = number, .first_ms = judge_number(line, "t")};
	TEXT(line, "by", decision->by);
	TEXT(line, "request", decision->request);
	TEXT(line, "result", result);
	decision->approves = strcmp(result, "Approve") == 0;
}

/* Here 409 says that it has been decided. */
static void read_decided(struct judge *judge, const cJSON *line)
{
	struct judge_decision *decision = find_decision(judge, (long)judge_number(line, "n"));
	int status = (int)judge_number(line, "status");

	if (decision == NULL || decision->status != 0 || (!DEFINITE(status) && status != 409))
		return;
	decision->status = status;
	decision->answered_ms = judge_number(line, "t");
}

static void read_approval(struct judge *judge, const cJSON *line)
{
	struct judge_approval *approval = NEW(judge->approvals, judge->approval_count);

	approval->at_ms = judge_number(line, "at");
	TEXT(line, "request", approval->request);
	TEXT(line, "result", approval->result);
	TEXT(line, "by", approval->by);
}

static void read_tokens(struct judge *judge, const cJSON *line)
{
	struct judge_sample *sample = NEW(judge->samples, judge->sample_count);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(line, "free");

	sample->at_ms = judge_number(line, "t");
	for (int i = 0; i < JUDGE_APPS; i++) {
		const cJSON *free_now = cJSON_GetArrayItem(list, i);

		sample->free[i] = cJSON_IsNumber(free_now) ? free_now->valueint : -1;
	}
}

static void read_stall(struct judge *judge, const cJSON *line)
{
	*NEW(judge->stalls, judge->stall_count) =
		(struct judge_span){judge_number(line, "from"), judge_number(line, "to")};
}

static void read_fault(struct judge *judge, const cJSON *line)
{
	struct judge_fault *fault = NEW(judge->faults, judge->fault_count);

	*fault = (struct judge_fault){.app = (int)judge_number(line, "app"),
				      .from_ms = judge_number(line, "from"),
				      .to_ms = INT64_MAX};
	TEXT(line, "kind", fault->kind);
	TEXT(line, "class", fault->class);
}

/* Faults are numbered in their order, from 0. */
static void read_healed(struct judge *judge, const cJSON *line)
{
	int64_t n = judge_number(line, "n");

	if (n >= 0 && (size_t)n < judge->fault_count)
		judge->faults[n].to_ms = judge_number(line, "t");
}

static void read_request(struct judge *judge, const cJSON *line)
{
	struct judge_request *request = NEW(judge->requests, judge->request_count);

	request->person = (size_t)judge_number(line, "person");
	TEXT(line, "id", request->id);
	TEXT(line, "action", request->action);
	TEXT(line, "group", request->group);
	TEXT(line, "why", request->why);
}

static void read_event(struct judge *judge, const cJSON *line)
{
	struct judge_event *event = NEW(judge->events, judge->event_count);

	event->lane = (int)judge_number(line, "lane");
	event->number = (long long)judge_number(line, "number");
	TEXT(line, "request", event->request);
	TEXT(line, "by", event->by);
	TEXT(line, "from", event->from);
	TEXT(line, "to", event->to);
}

static void read_cycle(struct judge *judge, const cJSON *line)
{
	*NEW(judge->cycles, judge->cycle_count) =
		(struct judge_cycle){.app = (int)judge_number(line, "app"),
				     .started_ms = judge_number(line, "started"),
				     .ended_ms = judge_number(line, "ended")};
}

static void read_name(struct judge *judge, const cJSON *line)
{
	struct judge_name *name = NEW(judge->names, judge->name_count);

	name->app = (int)judge_number(line, "app");
	TEXT(line, "id", name->id);
	TEXT(line, "name", name->name);
}

static struct judge_member member_of(const cJSON *line)
{
	struct judge_member member = {.app = (int)judge_number(line, "app")};

	TEXT(line, "group", member.group);
	TEXT(line, "user", member.user);
	return member;
}

static void read_member(struct judge *judge, const cJSON *line)
{
	*NEW(judge->members, judge->member_count) = member_of(line);
}

static void read_standing(struct judge *judge, const cJSON *line)
{
	*NEW(judge->standing, judge->standing_count) = member_of(line);
}

static void read_secret(struct judge *judge, const cJSON *line)
{
	struct judge_secret *secret = NEW(judge->secrets, judge->secret_count);

	TEXT(line, "text", secret->text);
	TEXT(line, "what", secret->what);
}

static void read_file_name(struct judge *judge, const cJSON *line)
{
	judge_text(line, "path", *NEW(judge->files, judge->file_count), sizeof(judge->files[0]));
}

static void read_begin(struct judge *judge, const cJSON *line)
{
	judge->begin_ms = judge_number(line, "t");
}

static void read_end(struct judge *judge, const cJSON *line)
{
	judge->end_ms = judge_number(line, "t");
}

static void read_verify(struct judge *judge, const cJSON *line)
{
	judge->is_intact = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "intact"));
}

static void read_unclean(struct judge *judge, const cJSON *line)
{
	char what[JUDGE_TEXT];

	TEXT(line, "what", what);
	judge_say(judge, NULL, "%s did not end as it should", what);
}

/* -- the file --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *kind;
	void (*read)(struct judge *judge, const cJSON *line);
} kinds[] = {
	{"limits", read_limits},   {"app", read_app},           {"person", read_person},
	{"ask", read_ask},         {"answer", read_answer},     {"tokens", read_tokens},
	{"stall", read_stall},     {"fault", read_fault},       {"healed", read_healed},
	{"request", read_request}, {"audit", read_event},       {"name", read_name},
	{"member", read_member},   {"standing", read_standing}, {"secret", read_secret},
	{"file", read_file_name},  {"begin", read_begin},       {"end", read_end},
	{"verify", read_verify},   {"unclean", read_unclean},   {"decide", read_decide},
	{"decided", read_decided}, {"approval", read_approval}, {"cycle", read_cycle},
};

static bool read_line(struct judge *judge, const char *text)
{
	cJSON *line = cJSON_Parse(text);
	char kind[16];

	if (line == NULL) {
		fprintf(stderr, "not JSON: %.200s\n", text);
		return false;
	}
	TEXT(line, "k", kind);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			kinds[i].read(judge, line);
	cJSON_Delete(line);
	return true;
}

bool judge_lines(const char *path, bool (*take)(struct judge *judge, const char *text), struct judge *judge)
{
	FILE *file = fopen(path, "rbe");
	char *line = NULL;
	size_t size = 0;
	bool good = file != NULL;

	if (!good)
		perror(path);
	while (good && getline(&line, &size, file) > 0)
		good = take(judge, line);
	free(line);
	if (file != NULL)
		fclose(file);
	return good;
}

/* What was never answered: from then on nobody knows what the person has. What was not healed lasted until the end. */
static void note_doubts(struct judge *judge)
{
	for (size_t i = 0; i < judge->fault_count; i++)
		if (judge->faults[i].to_ms > judge->end_ms)
			judge->faults[i].to_ms = judge->end_ms;
	for (size_t i = 0; i < judge->op_count; i++)
		if (judge->ops[i].status == 0 && judge->ops[i].person < judge->person_count)
			judge->people[judge->ops[i].person].in_doubt = true;
}

bool judge_read(struct judge *judge, const char *dir)
{
	char path[600];
	bool good;

	*judge = (struct judge){.is_intact = false};
	snprintf(path, sizeof(path), "%s/history.jsonl", dir);
	good = judge_lines(path, read_line, judge) && judge->pushes > 0 && judge->end_ms > 0;
	if (!good)
		fprintf(stderr, "%s is not the whole history of a run\n", path);
	note_doubts(judge);
	return good && judge_read_logs(judge);
}

void judge_release(struct judge *judge)
{
	for (size_t i = 0; i < judge->app_count; i++)
		judge_release_log(&judge->apps[i]);
	free(judge->people);
	free(judge->ops);
	free(judge->faults);
	free(judge->samples);
	free(judge->stalls);
	free(judge->decisions);
	free(judge->approvals);
	free(judge->requests);
	free(judge->events);
	free(judge->cycles);
	free(judge->names);
	free(judge->members);
	free(judge->standing);
	free(judge->secrets);
	free(judge->files);
	free(judge->ends);
	free(judge->over_ms);
	*judge = (struct judge){0};
}
