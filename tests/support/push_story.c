/* Wires a pusher, a peer and one push together. */
#include "tests/support/push_story.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/wait.h"

#define DEADLINE_MS 5000
#define REQUEST_MS  2000
#define WAIT_MS     60000 /* every push ends by its own deadline, long before */

static void consent(struct story *story)
{
	push_send(&story->push, story->wanted);
	assert(story->ended == 0); /* never from within push_send() */
}

static void on_later(uv_timer_t *timer)
{
	consent(timer->data);
}

static void on_ready(void *ctx, struct push *push)
{
	struct story *story = ctx;

	story->ready++;
	switch (story->consent) {
	case CONSENT_AT_ONCE:
		consent(story);
		break;
	case CONSENT_LATER:
		uv_timer_start(&story->later, on_later, 5, 0);
		break;
	case CONSENT_NONE:
		push_send(push, NULL);
		assert(story->ended == 0);
		break;
	case CONSENT_NEVER:
		break;
	case CONSENT_STALL:
		consent(story);
		while (clock_mono_ms() <= push->deadline_ms)
			continue;
		break;
	}
}

static void on_end(void *ctx, struct push *push)
{
	struct story *story = ctx;

	assert(push == &story->push && push->state == NULL);
	story->ended++;
}

void story_member(struct story *story, const char *name)
{
	struct push_member *member = &story->members[story->push.count];
	struct scim_person *p = &member->person;

	assert(story->push.count < STORY_MEMBERS_MAX);
	snprintf(p->user_name, sizeof(p->user_name), "%s@example.com", name);
	snprintf(p->display_name, sizeof(p->display_name), "%s Example", name);
	snprintf(p->given_name, sizeof(p->given_name), "%s", name);
	snprintf(p->family_name, sizeof(p->family_name), "Example");
	snprintf(p->email, sizeof(p->email), "%s@example.com", name);
	story->wanted[story->push.count] = true;
	story->push.count++;
}

void story_target(struct scim_target *target, enum dialect dialect)
{
	memset(target, 0, sizeof(*target));
	target->dialect = *dialect_row(dialect);
	target->match = mapping_default.rules[0].attribute;
	target->mapping = mapping_default;
	target->create_users = true;
}

int story_open(void **state)
{
	struct story *story = calloc(1, sizeof(*story));

	if (story == NULL || uv_loop_init(&story->loop) != 0)
		return -1;
	uv_timer_init(&story->loop, &story->later);
	story->later.data = story;
	peer_open(&story->peer, &story->loop);
	story->pusher = pusher_new(&story->loop, NULL);
	if (story->pusher == NULL)
		return -1;
	story_target(&story->target, DIALECT_AWS);
	snprintf(story->target.app, sizeof(story->target.app), "aws");
	snprintf(story->target.url, sizeof(story->target.url), "http://127.0.0.1:%d/t/scim/v2",
		 story->peer.port);
	snprintf(story->target.token, sizeof(story->target.token), STORY_TOKEN);
	story->target.request_timeout_ms = REQUEST_MS;
	story->push.target = &story->target;
	snprintf(story->push.id, sizeof(story->push.id), "00000000-0000-8000-8000-000000000001");
	snprintf(story->push.group_name, sizeof(story->push.group_name), "aws-admins");
	story->push.add = true;
	story->push.members = story->members;
	story->push.on_ready = on_ready;
	story->push.on_end = on_end;
	story->push.ctx = story;
	story_member(story, "ada");
	*state = story;
	return 0;
}

int story_close(void **state)
{
	struct story *story = *state;
	bool idle = pusher_running(story->pusher) == 0;

	pusher_free(story->pusher);
	peer_close(&story->peer);
	uv_close((uv_handle_t *)&story->later, NULL);
	uv_run(&story->loop, UV_RUN_DEFAULT);
	int closed = uv_loop_close(&story->loop);
	peer_release(&story->peer);
	free(story);
	return idle && closed == 0 ? 0 : -1;
}

static bool has_ended(void *ctx)
{
	const int *ended = ctx;

	return *ended > 0;
}

void story_wait(struct story *story, int *ended)
{
	assert_true(wait_in_loop(&story->loop, has_ended, ended, WAIT_MS));
}

void story_again(struct story *story)
{
	story->ready = 0;
	story->ended = 0;
	if (story->push.deadline_ms <= clock_mono_ms())
		story->push.deadline_ms = clock_mono_ms() + DEADLINE_MS;
	push_start(story->pusher, &story->push);
	assert(story->ready == 0 && story->ended == 0); /* never from within push_start() */
	story_wait(story, &story->ended);
	/* What comes after the end would be a mistake: let it come. */
	uv_run(&story->loop, UV_RUN_NOWAIT);
}

void story_run(struct story *story, const struct peer_rule *rules, size_t count)
{
	peer_script(&story->peer, rules, count);
	story_again(story);
}

void story_run_addition(struct story *story)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};

	story_run(story, rules, sizeof(rules) / sizeof(rules[0]));
}

void story_expect(const struct story *story, size_t member, enum push_verdict verdict, const char *words)
{
	const struct push_member *m = &story->members[member];

	assert_string_equal(m->error, words);
	assert_int_equal(m->verdict, verdict);
}
