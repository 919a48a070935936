/* Stories' commands about notices: the outbox, deliveries, mailboxes; and approvals, which others are told of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/lane_story_line.h"

/* "number kind request" of each notice in the outbox. */
void story_do_outbox(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_notices");
	lane_arg(line->lane, line_option(line, "most", "100"));
	reply = lane_send(line->lane);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++) {
		const redisReply *notice = lane_at(reply, i);

		line_word(line, lane_text(lane_field(notice, "kind")));
		line_say(line, "#%lld:%s", (long long)lane_int(lane_field(notice, "number")),
			 lane_text(lane_field(notice, "id")));
	}
	freeReplyObject(reply);
}

void story_do_spread(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_notice_spread");
	lane_arg(line->lane, line->word[2]);
	for (size_t i = 3; i + 1 < line->count; i += 2) {
		char *at = strchr(line->word[i + 1], '@');

		if (at != NULL)
			*at = '\0';
		lane_arg(line->lane, line->word[i]);
		lane_arg(line->lane, at != NULL ? "mail" : line->word[i + 1]);
		lane_arg(line->lane, at != NULL ? line->word[i + 1] : "");
		lane_arg(line->lane, at != NULL && at[1] != '\0' ? at + 1 : "0");
	}
	freeReplyObject(line_ask(line));
}

/* So many deliveries of others wait for that target. */
void story_do_fill(struct lane_story_line *line)
{
	freeReplyObject(lane_command(
		line->lane, "EVAL %s 2 " LANE_PREFIX "nt " LANE_PREFIX "nq:%s %s %s",
		"redis.call('SADD', KEYS[1], ARGV[1]) "
		"for i = 1, ARGV[2] do redis.call('ZADD', KEYS[2], 1e15, 'other' .. i) end return 1",
		line->word[2], line->word[2], line->word[3]));
}

void story_do_take(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_notice_take");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line_option(line, "most", "10"));
	lane_arg(line->lane, "40000");
	lane_arg(line->lane, line_option(line, "as", "f1"));
	reply = lane_send(line->lane);
	if (lane_int(lane_at(reply, 3)) != 0)
		line_word(line, "more");
	for (size_t i = 4; lane_at(reply, i) != NULL; i++) {
		const redisReply *delivery = lane_at(reply, i);
		int64_t held = lane_int(lane_field(delivery, "held"));

		line_word(line, lane_text(lane_field(delivery, "delivery")));
		line_say(line, "*%lld", (long long)lane_int(lane_field(delivery, "tries")));
		if (held > 0)
			line_say(line, " held=%lld %s", (long long)held,
				 lane_text(lane_field(delivery, "lines")));
	}
	freeReplyObject(reply);
}

void story_do_tell(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_notice_end");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line_option(line, "in", "0"));
	lane_arg(line->lane, line_option(line, "text", ""));
	lane_arg(line->lane, line_option(line, "silent", "0"));
	lane_arg(line->lane, line_option(line, "as", "f1"));
	freeReplyObject(line_ask(line));
}

void story_do_order(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_notice_order");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	freeReplyObject(line_ask(line));
}

void story_do_mailbox(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_mailbox");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line->word[4]);
	lane_arg(line->lane, "3");
	lane_arg(line->lane, "2");
	lane_arg(line->lane, "60000");
	lane_argf(line->lane, "digest-of-%s", line->word[3]);
	lane_arg(line->lane, line->word[3]);
	freeReplyObject(line_ask(line));
}

/* The targets, then each delivery: its place, attempts, last answer. */
void story_do_notices(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_notice_list");
	lane_arg(line->lane, line_option(line, "most", "100"));
	reply = lane_send(line->lane);
	for (size_t i = 0; lane_at(lane_at(reply, 3), i) != NULL; i++) {
		const redisReply *target = lane_at(lane_at(reply, 3), i);

		line_word(line, lane_text(lane_at(target, 0)));
		line_say(line, "=%lld%s", (long long)lane_int(lane_at(target, 1)),
			 lane_int(lane_at(target, 3)) != 0 ? ",gone" : "");
		if (lane_int(lane_at(target, 4)) != 0)
			line_say(line, ",lost=%lld", (long long)lane_int(lane_at(target, 4)));
	}
	for (size_t i = 4; lane_at(reply, i) != NULL; i++) {
		const redisReply *delivery = lane_at(reply, i);

		line_word(line, lane_int(lane_field(delivery, "parked_at")) != 0 ? "parked:" : "waits:");
		line_say(line, "%s*%lld", lane_text(lane_field(delivery, "delivery")),
			 (long long)lane_int(lane_field(delivery, "tries")));
		if (lane_text(lane_field(delivery, "answer"))[0] != '\0')
			line_say(line, "(%s)", lane_text(lane_field(delivery, "answer")));
	}
	freeReplyObject(reply);
}

void story_do_decide(struct lane_story_line *line)
{
	char limits[64];

	lane_begin(line->lane, "jit_decide");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_argf(line->lane, "P%s", line->word[2]);
	lane_arg(line->lane, line_limits(line, limits));
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line->word[4]);
	lane_arg(line->lane, line->word[4]);
	lane_arg(line->lane, line->word[5]);
	lane_arg(line->lane, "because");
	lane_arg(line->lane, line_option(line, "needed", "1"));
	lane_arg(line->lane, line_option(line, "stages", "1"));
	lane_arg(line->lane, "1000");
	lane_arg(line->lane, line_option(line, "by", ""));
	lane_arg(line->lane, line_option(line, "names", "[]"));
	lane_arg(line->lane, line_option(line, "declined", ""));
	freeReplyObject(line_ask(line));
}

/* What the message was refused with first, and for how many more days that is kept (as Redis counts, not the story). */
void story_do_message(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_message_refused");
	for (size_t i = 2; i < 6; i++)
		lane_arg(line->lane, line->word[i]);
	reply = line_ask(line);
	line_word(line, lane_text(lane_at(reply, 3)));
	freeReplyObject(reply);
	reply = lane_command(line->lane, "PTTL " LANE_PREFIX "wr:%s", line->word[3]);
	if (reply->integer > 0)
		line_say(line, " %lldd", (reply->integer + 43200000) / 86400000);
	freeReplyObject(reply);
}
