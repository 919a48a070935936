#include "activation/core.h"

#include <stdio.h>
#include <string.h>

#include "activation/timetable.h"
#include "base/clock.h"
#include "base/digest.h"

static void begin(struct activation *activation, struct store_call *call, const char *function, unsigned lane)
{
	memset(call, 0, offsetof(struct store_call, argv));
	call->function = function;
	call->lane = lane;
	store_arg(call, activation->telling);
}

void core_call(struct activation *activation, struct store_call *call, const char *function, unsigned lane)
{
	begin(activation, call, function, lane);
	store_arg(call, activation->history);
}

void core_call_by(struct activation *activation, struct store_call *call, const char *function, unsigned lane,
		  const char *actor)
{
	snprintf(activation->asking, sizeof(activation->asking), "%s %s", activation->history,
		 actor != NULL ? actor : "");
	begin(activation, call, function, lane);
	store_arg(call, activation->asking);
}

unsigned core_lane(const struct activation *activation, const char *app)
{
	return store_lane_of(activation->options.store, app);
}

int core_lane_of_id(const struct activation *activation, const char *id)
{
	int lane = id_lane(id);

	return lane >= 0 && (unsigned)lane < store_lanes(activation->options.store) ? lane : -1;
}

#define BEAT_MS 1000

/*
 * Spreads the applications' cycles over time: the same application always has the same place. In whole seconds, so that
 * where there are many, Redis writes the beginnings of several to its disk at once.
 */
static int64_t cycle_phase_ms(const struct terms *terms)
{
	unsigned char digest[SHA256_BYTES];
	uint64_t number = 0;

	digest_sha256(terms->app, strlen(terms->app), digest);
	for (int i = 0; i < 6; i++)
		number = number << 8 | digest[i];
	number %= (uint64_t)terms->throttle.cycle_ms;
	return (int64_t)(number - number % BEAT_MS);
}

void core_terms(const struct terms *terms, char out[TERMS_SIZE])
{
	const struct throttle *t = &terms->throttle;

	snprintf(out, TERMS_SIZE, "%s %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld",
		 terms->app, (long long)t->pushes, (long long)t->per_ms, (long long)t->cycle_reserve,
		 (long long)t->overflow_wait_ms, (long long)t->cycle_ms, (long long)cycle_phase_ms(terms),
		 (long long)terms->batch, (long long)terms->push_timeout_ms,
		 (long long)(terms->push_timeout_ms + PUSH_GRACE_MS), (long long)terms->quarantine_failures,
		 (long long)terms->quarantine_share, (long long)terms->log_keep_ms,
		 (long long)terms->log_most, (long long)terms->quarantine_slowest_ms);
}

void core_guard(const struct activation *activation, const char *app, char out[GUARD_SIZE])
{
	struct terms terms;

	out[0] = '\0';
	if (activation->options.terms(activation->options.ctx, app, &terms))
		snprintf(out, GUARD_SIZE, "%lld %lld %lld", (long long)terms.guard_members,
			 (long long)terms.guard_share, (long long)terms.throttle.cycle_ms);
}

const char *core_answer(struct activation *activation, unsigned lane, const struct reply *reply)
{
	int64_t now = reply_int(reply_at(reply, 1));
	int64_t next = reply_int(reply_at(reply, 2));

	if (now > 0)
		activation->clock_offset_ms = now - clock_mono_ms();
	if (next > 0)
		timetable_note(activation->timetable, lane, next - now);
	return reply_text(reply_at(reply, 0));
}

void core_tell_end(struct activation *activation, const struct reply *reply, int64_t end_ms,
		   const struct access_end *whose)
{
	struct access_end end = *whose;

	end.now_ms = reply_int(reply_at(reply, 1));
	end.end_ms = end_ms;
	if (end_ms > 0)
		activation->options.ends(activation->options.ctx, &end);
}

void core_hand_out(struct activation *activation, const struct reply *reply, int64_t begun_ms)
{
	struct order *order;

	if (reply_count(reply) == 0)
		return;
	order = order_read(activation, reply, begun_ms);
	if (order != NULL)
		activation->options.push(activation->options.ctx, order);
}
