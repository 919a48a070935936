#include "provision/deposit.h"

bool deposit_open(uv_loop_t *loop, const struct config *config, struct escrow **out, struct errctx *ec)
{
	const struct escrow_options options = {
		.loop = loop,
		.path = config->escrow_path,
		.second_path = config->escrow_second_path,
		.key = config->escrow_key,
		.former_key = config->escrow_former_key,
	};

	*out = config->escrow_path[0] != '\0' ? escrow_new(&options) : NULL;
	if (config->escrow_path[0] != '\0' && *out == NULL)
		err_set(ec, ERR_NOMEM, "out of memory");
	return config->escrow_path[0] == '\0' || *out != NULL;
}

static struct escrow_line line_of(const struct order *order, size_t i, enum escrow_kind kind)
{
	return (struct escrow_line){.kind = kind,
				    .application = order->application,
				    .group = order->group,
				    .principal = order->members[i].principal,
				    .group_name = "",
				    .group_id = "",
				    .user_name = "",
				    .user_id = "",
				    .assignment = ""};
}

bool deposit_addition(struct escrow *escrow, const struct order *order, const struct push *push,
		      const struct order_check *checks, const bool *sent)
{
	bool any = false;

	for (size_t i = 0; i < order->count; i++) {
		const struct push_member *member = &push->members[i];
		struct escrow_line line = line_of(order, i, ESCROW_ADD);

		if (!sent[i] || !member->is_ready)
			continue;
		line.at_ms = order->checked_ms;
		line.end_ms = checks[i].end_ms;
		line.group_name = push->group_name;
		line.group_id = push->group_id;
		line.user_name = member->person.user_name;
		line.user_id = member->user_id;
		line.assignment = checks[i].grant;
		escrow_note(escrow, &line);
		any = true;
	}
	return any;
}

void deposit_removal(struct escrow *escrow, const struct order *order, int64_t now_ms)
{
	for (size_t i = 0; i < order->count; i++) {
		struct escrow_line line = line_of(order, i, ESCROW_END);

		/* Nobody has given it, so nothing says who that is; the drift check finds them again. */
		if (order->members[i].foreign)
			continue;
		line.at_ms = line.end_ms = now_ms;
		escrow_note(escrow, &line);
	}
}

/* Nothing of it is in the application: a removal that is confirmed, an addition that has changed nothing. */
static bool is_gone(const struct order *order, const struct push *push, size_t i)
{
	const struct push_member *member = &push->members[i];

	if (!order->add)
		return member->verdict == PUSH_DONE;
	/* An addition that follows one in doubt may find what that one has left. */
	return member->verdict != PUSH_DONE && !member->in_doubt && order->members[i].untouched;
}

void deposit_outcome(struct escrow *escrow, const struct order *order, const struct push *push,
		     int64_t now_ms)
{
	for (size_t i = 0; i < order->count; i++) {
		struct escrow_line line = line_of(order, i, ESCROW_GONE);

		if (order->members[i].foreign || !is_gone(order, push, i))
			continue;
		line.at_ms = now_ms;
		escrow_note(escrow, &line);
	}
}

void deposit_end(struct escrow *escrow, const struct access_end *end)
{
	if (escrow == NULL)
		return;
	escrow_note(escrow, &(struct escrow_line){.kind = ESCROW_END,
						  .at_ms = end->now_ms,
						  .end_ms = end->end_ms,
						  .application = end->application,
						  .group = end->group,
						  .principal = end->principal,
						  .group_name = "",
						  .group_id = "",
						  .user_name = "",
						  .user_id = "",
						  .assignment = ""});
}
