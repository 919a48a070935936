#include "activation/held.h"

void held_call(const struct store *store, const struct held_question *question, struct store_call *call)
{
	*call = (struct store_call){.function = "jit_held",
				    .lane = store_lane_of(store, question->application),
				    .read_only = true};
	store_arg(call, "0");
	store_arg(call, "0");
	store_arg(call, question->group);
	store_arg(call, question->principal);
	store_arg(call, question->application);
	if (question->request[0] != '\0')
		store_arg(call, question->request);
}

struct held_answer held_read(const struct reply *reply)
{
	return (struct held_answer){.now_ms = reply_int(reply_at(reply, 1)),
				    .membership = reply_int(reply_at(reply, 3)) != 0,
				    .request = reply_int(reply_at(reply, 4)) != 0};
}
