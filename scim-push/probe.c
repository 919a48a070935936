#include "scim-push/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"
#include "scim-push/run.h"

/* What each stage makes of the canaries. `looks`: nothing may be sent, the member must be found to be one. */
static const struct stage {
	const char *name;
	bool add, looks;
	size_t first, count; /* of the canaries */
	const char *proves;
} stages[STAGE_COUNT] = {
	[STAGE_DESCRIBE] = {"describe", false, false, 0, 0, ""},
	[STAGE_ADD] = {"add", true, false, 0, 2, "both canary users are members"},
	[STAGE_REMOVE] = {"remove", false, false, 1, 1, "the form of removal works"},
	[STAGE_OTHERS] = {"others", true, true, 0, 1, "and removes nobody else"},
	[STAGE_CLEAN] = {"clean", false, false, 0, 1, "the canary users are out of the group again"},
};

static void next_stage(struct probe *probe);

static void end(struct probe *probe)
{
	probe->passed = true;
	for (size_t i = 0; i < STAGE_COUNT; i++)
		if (probe->results[i].verdict == PROBE_FAILED || probe->results[i].verdict == PROBE_NOT_RUN)
			probe->passed = false;
	probe->proved = probe->passed && probe->results[STAGE_REMOVE].verdict == PROBE_PASSED &&
			probe->results[STAGE_OTHERS].verdict == PROBE_PASSED;
	probe->on_end(probe->ctx, probe);
}

/* The stage has its verdict: on to the next one, or to the end. */
static void conclude(struct probe *probe, enum probe_verdict verdict, const char *words)
{
	struct probe_result *result = &probe->results[probe->stage];

	result->verdict = verdict;
	result->count = probe->step_count - result->first;
	snprintf(result->words, sizeof(result->words), "%s", words);
	if (verdict == PROBE_FAILED || probe->stage + 1 == STAGE_COUNT) {
		end(probe);
		return;
	}
	probe->stage++;
	next_stage(probe);
}

/* As much as fits, without half a character at its end. */
static void copy_cut(const char *text, char *out, size_t size)
{
	size_t len = strlen(text);

	len = len < size ? len : utf8_cut(text, size - 1);
	memcpy(out, text, len);
	out[len] = '\0';
}

static void keep_step(void *ctx, struct push *push, const struct push_step *step)
{
	struct probe *probe = ctx;
	struct probe_step *kept = &probe->steps[probe->step_count];

	(void)push;
	if (probe->step_count == PROBE_STEPS_MAX)
		return;
	probe->step_count++;
	snprintf(kept->name, sizeof(kept->name), "%s", step->name);
	snprintf(kept->method, sizeof(kept->method), "%s", step->method);
	snprintf(kept->path, sizeof(kept->path), "%s", step->path);
	copy_cut(step->body, kept->body, sizeof(kept->body));
	snprintf(kept->outcome, sizeof(kept->outcome), "%s", step->outcome);
	copy_cut(step->words, kept->words, sizeof(kept->words));
	kept->status = step->status;
	kept->ms = step->ms;
}

/* -- a stage that is a push ----------------------------------------------------------------------------------------- */

static void on_ready(void *ctx, struct push *push)
{
	static const bool both[2] = {true, true};
	struct probe *probe = ctx;

	/* A stage that looks must not come here: then the member is none, and is not made one. */
	push_send(push, stages[probe->stage].looks ? NULL : both);
}

static void on_pushed(void *ctx, struct push *push)
{
	struct probe *probe = ctx;
	const struct stage *stage = &stages[probe->stage];
	char words[TEXT_SIZE];

	for (size_t i = 0; i < push->count; i++) {
		const struct push_member *member = &push->members[i];
		if (stage->looks && member->verdict == PUSH_SKIPPED) {
			conclude(
				probe, PROBE_FAILED,
				"the removal of one canary user has removed the other one as well: this form "
				"of removal empties groups here; set scim.removal to the other one");
			return;
		}
		if (member->verdict != PUSH_DONE) {
			snprintf(words, sizeof(words), "%.500s (canary user %.200s)", member->error,
				 member->person.user_name);
			conclude(probe, PROBE_FAILED, words);
			return;
		}
		if (member->unverified) {
			conclude(probe, PROBE_NOTED,
				 "accepted, but unverified: the application shows nothing that would prove "
				 "it");
			return;
		}
	}
	conclude(probe, PROBE_PASSED, stage->proves);
}

static void name_canary(struct push_member *member, const char *user_name)
{
	struct scim_person *person = &member->person;

	snprintf(person->user_name, sizeof(person->user_name), "%s", user_name);
	snprintf(person->display_name, sizeof(person->display_name), "%s", user_name);
	snprintf(person->given_name, sizeof(person->given_name), "Canary");
	snprintf(person->family_name, sizeof(person->family_name), "User");
	if (strchr(user_name, '@') != NULL)
		snprintf(person->email, sizeof(person->email), "%s", user_name);
}

static void start_push(struct probe *probe)
{
	const struct stage *stage = &stages[probe->stage];
	struct push *push = &probe->push;

	memset(push, 0, sizeof(*push));
	push->target = probe->target;
	snprintf(push->id, sizeof(push->id), "test");
	snprintf(push->group_name, sizeof(push->group_name), "%s", probe->group_name);
	snprintf(push->group_external_id, sizeof(push->group_external_id), "%s", probe->group_external_id);
	push->add = stage->add;
	push->deadline_ms = clock_mono_ms() + probe->stage_timeout_ms;
	push->count = stage->count;
	push->members = &probe->members[stage->first];
	for (size_t i = 0; i < push->count; i++) {
		memset(&push->members[i], 0, sizeof(push->members[i]));
		name_canary(&push->members[i], probe->users[stage->first + i]);
		push->members[i].look_first = stage->looks;
	}
	push->on_ready = on_ready;
	push->on_step = keep_step;
	push->on_end = on_pushed;
	push->ctx = probe;
	push_start(probe->pusher, push);
}

/* -- the description ------------------------------------------------------------------------------------------------ */

static const char *supports(const cJSON *config, const char *feature)
{
	const cJSON *said = attribute_member(attribute_member(config, feature), "supported");

	return cJSON_IsTrue(said) ? "yes" : cJSON_IsFalse(said) ? "no" : "not said";
}

/* The request for the description is over. */
static void undescribe(struct probe *probe)
{
	struct probe **link = &probe->pusher->describing;

	while (*link != probe)
		link = &(*link)->next;
	*link = probe->next;
	probe->request = NULL;
	probe->pusher->running--;
}

void probe_abort_all(struct pusher *pusher)
{
	while (pusher->describing != NULL) {
		struct probe *probe = pusher->describing;
		(void)http_cancel(probe->request);
		undescribe(probe);
		conclude(probe, PROBE_FAILED, "the broker stops");
	}
}

static void on_described(void *ctx, const struct http_answer *answer)
{
	struct probe *probe = ctx;
	enum outcome outcome = outcome_of(OP_READ_CONFIG, answer, clock_wall_ms()).outcome;
	struct push_step step = {.name = scim_op_name(OP_READ_CONFIG),
				 .method = "GET",
				 .path = "/ServiceProviderConfig",
				 .body = "",
				 .status = answer->status,
				 .outcome = outcome_name(outcome),
				 .words = answer->words};
	char words[TEXT_SIZE] = "the application does not describe itself, which is no fault";
	cJSON *config = NULL;

	undescribe(probe);
	step.ms = clock_mono_ms() - probe->begun_ms;
	keep_step(probe, &probe->push, &step);
	if (outcome == OUTCOME_DONE && json_parse(answer->body, answer->len, &config, NULL) == ERR_OK)
		snprintf(words, sizeof(words), "it says of itself: patch %s, filter %s, bulk %s, etag %s",
			 supports(config, "patch"), supports(config, "filter"), supports(config, "bulk"),
			 supports(config, "etag"));
	cJSON_Delete(config);
	conclude(probe, PROBE_NOTED, words);
}

static void describe(struct probe *probe)
{
	struct http_hook hook = {on_described, probe};
	struct http_call call;
	struct buf url;

	buf_init(&url, SCIM_URL_MAX);
	scim_url_endpoint(&url, probe->target->url, "ServiceProviderConfig");
	target_call(probe->target, OP_READ_CONFIG, pusher_uses_next_token(probe->pusher, probe->target),
		    &call);
	call.url = buf_text(&url);
	probe->begun_ms = clock_mono_ms();
	enum err err =
		buf_failed(&url) ? ERR_NOMEM : http_start(probe->pusher->http, &call, &hook, &probe->request);
	buf_release(&url);
	if (err == ERR_OK) {
		probe->next = probe->pusher->describing;
		probe->pusher->describing = probe;
		probe->pusher->running++;
		return;
	}
	conclude(probe, PROBE_NOTED, "the application was not asked to describe itself");
}

/* -- the test ------------------------------------------------------------------------------------------------------- */

static void next_stage(struct probe *probe)
{
	probe->results[probe->stage].first = probe->step_count;
	if (probe->stage == STAGE_DESCRIBE) {
		describe(probe);
	} else if (!stages[probe->stage].looks) {
		probe->on_turn(probe->ctx, probe);
	} else if (probe->target->dialect.verify == VERIFY_NONE) {
		conclude(probe, PROBE_NOTED,
			 "the application shows nothing that would tell whether anybody else was removed");
	} else {
		start_push(probe);
	}
}

void probe_start(struct pusher *pusher, struct probe *probe)
{
	probe->pusher = pusher;
	probe->stage = STAGE_DESCRIBE;
	probe->step_count = 0;
	memset(probe->results, 0, sizeof(probe->results));
	next_stage(probe);
}

void probe_go(struct probe *probe, bool go, const char *words)
{
	if (go)
		start_push(probe);
	else
		conclude(probe, PROBE_FAILED, words);
}

const char *probe_stage_name(enum probe_stage stage)
{
	return stages[stage].name;
}

void probe_fingerprint(const struct scim_target *target, char out[PROBE_FINGERPRINT_SIZE])
{
	char hex[SHA256_HEX];
	struct buf text;

	buf_init(&text, 1024);
	buf_addf(&text, "%s\n", target->url);
	dialect_print(&text, &target->dialect);
	digest_sha256_hex(buf_text(&text), text.len, hex);
	snprintf(out, PROBE_FINGERPRINT_SIZE, "%.32s", hex);
	buf_release(&text);
}
