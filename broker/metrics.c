#include "broker/metrics.h"

#include <stddef.h>

#include "store/store.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	head(out, name, type, help);
	buf_addf(out, "%s %lld\n", name, (long long)value);
}

static void render_pushes(const struct metrics *m, struct buf *out)
{
	static const char *const ops[] = {"remove", "add"};
	static const char *const results[] = {"done", "retry", "refused", "skipped", "split"};

	head(out, "jit_pushes_total", "counter", "Pushes that have ended.");
	for (int op = 0; op < 2; op++)
		buf_addf(out, "jit_pushes_total{op=\"%s\"} %llu\n", ops[op],
			 (unsigned long long)m->pushes[op]);
	head(out, "jit_push_milliseconds_total", "counter", "Time that these pushes took.");
	for (int op = 0; op < 2; op++)
		buf_addf(out, "jit_push_milliseconds_total{op=\"%s\"} %llu\n", ops[op],
			 (unsigned long long)m->push_ms[op]);
	head(out, "jit_push_members_total", "counter", "What came of the members of these pushes.");
	for (int op = 0; op < 2; op++)
		for (int r = 0; r < METRICS_RESULTS; r++)
			buf_addf(out, "jit_push_members_total{op=\"%s\",result=\"%s\"} %llu\n", ops[op],
				 results[r], (unsigned long long)m->members[op][r]);
}

static void render_drift(const struct metrics *m, struct buf *out)
{
	static const char *const kinds[] = {"missing", "returned", "foreign"};

	head(out, "jit_drift_total", "counter",
	     "Memberships that were found to have been changed in the application.");
	for (int i = 0; i < METRICS_DRIFTS; i++)
		buf_addf(out, "jit_drift_total{kind=\"%s\"} %llu\n", kinds[i],
			 (unsigned long long)m->drift[i]);
}

static void render_users(const struct metrics *m, struct buf *out)
{
	static const char *const changes[] = {"created", "updated", "deactivated", "deleted"};

	head(out, "jit_users_total", "counter", "Users of applications that were changed.");
	for (int i = 0; i < METRICS_USERS; i++)
		buf_addf(out, "jit_users_total{change=\"%s\"} %llu\n", changes[i],
			 (unsigned long long)m->users[i]);
}

static void render_activations(const struct metrics *m, struct buf *out)
{
	const struct {
		const char *outcome;
		uint64_t value;
	} rows[] = {
		{"pushed", m->pushed},       {"deferred", m->deferred}, {"waiting", m->waited},
		{"scheduled", m->scheduled}, {"joined", m->joined},     {"awaiting", m->awaiting},
		{"refused", m->refused},
	};

	head(out, "jit_activations_total", "counter", "Activations asked for, by their first answer.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		buf_addf(out, "jit_activations_total{outcome=\"%s\"} %llu\n", rows[i].outcome,
			 (unsigned long long)rows[i].value);
}

static void render_notices(const struct metrics *m, const struct metrics_state *s, struct buf *out)
{
	static const char *const ways[] = {"webhook", "mail"};

	head(out, "jit_notice_attempts_total", "counter", "Deliveries of notices that were tried.");
	for (int i = 0; i < 2; i++)
		buf_addf(out,
			 "jit_notice_attempts_total{way=\"%s\",result=\"sent\"} %llu\n"
			 "jit_notice_attempts_total{way=\"%s\",result=\"failed\"} %llu\n",
			 ways[i], (unsigned long long)m->notices_sent[i], ways[i],
			 (unsigned long long)m->notices_failed[i]);
	one(out, "jit_notices_held_total", "counter", "Mails that were held back for a digest.",
	    (int64_t)m->notices_held);
	if (!s->known)
		return;
	one(out, "jit_notices_waiting", "gauge", "Notices and deliveries that have not arrived yet.",
	    s->notices);
	one(out, "jit_notices_oldest_seconds", "gauge", "How long the oldest delivery of these has waited.",
	    s->oldest_notice_s);
	one(out, "jit_notices_parked", "gauge", "Deliveries that an operator has to look at.",
	    s->parked_notices);
}

static void render_store(const struct store_counts *store, struct buf *out)
{
	one(out, "jit_store_connections_total", "counter", "Connections to Redis that became ready.",
	    (int64_t)store->connected);
	one(out, "jit_store_in_doubt_total", "counter",
	    "Calls to Redis of which it is not known whether they were carried out.",
	    (int64_t)store->in_doubt);
	one(out, "jit_store_redirected_total", "counter",
	    "Calls that a node of the cluster sent on, or that waited until a lane had been moved.",
	    (int64_t)store->redirected);
	one(out, "jit_store_unreplicated_total", "counter",
	    "Calls whose change did not reach redis.replicas in time.", (int64_t)store->unreplicated);
}

static void render_audit(const struct metrics_state *s, struct buf *out)
{
	one(out, "jit_audit_seals_total", "counter", "Seals made by this broker.", (int64_t)s->audit_seals);
	one(out, "jit_audit_exported_total", "counter", "Events exported by this broker.",
	    (int64_t)s->audit_exported);
	one(out, "jit_audit_export_failures_total", "counter", "Exports that failed and are tried again.",
	    (int64_t)s->audit_failures);
	if (!s->known)
		return;
	one(out, "jit_audit_events", "gauge", "Events of the audit that are kept, over all lanes.",
	    s->audit_events);
	one(out, "jit_audit_unsealed", "gauge", "Those of them that wait for a seal.", s->audit_unsealed);
	one(out, "jit_audit_unexported", "gauge", "Those of them that wait to be exported.",
	    s->audit_unexported);
}

static void render_escrow(const struct metrics_state *s, struct buf *out)
{
	one(out, "jit_escrow_ok", "gauge", "1 while the escrow of removals can be written.", s->escrow_ok);
	one(out, "jit_escrow_lines_total", "counter", "Lines written to it by this broker.",
	    (int64_t)s->escrow_lines);
	one(out, "jit_escrow_syncs_total", "counter", "Times that it was forced to the disk.",
	    (int64_t)s->escrow_syncs);
	one(out, "jit_escrow_failures_total", "counter",
	    "Batches that could not be written to one of its folders.", (int64_t)s->escrow_failures);
	one(out, "jit_escrow_bytes", "gauge", "Size of this broker's manifest.", s->escrow_bytes);
}

/* What has to happen, over all lanes. */
static void render_lanes(const struct metrics_state *s, struct buf *out)
{
	one(out, "jit_store_clock_seconds", "gauge",
	    "How far Redis' clock, by which access ends, is ahead of this broker's; below 0: behind.",
	    s->ahead_s);
	one(out, "jit_timetable_entries", "gauge", "What has to happen later, over all lanes.", s->timetable);
	one(out, "jit_timetable_due", "gauge",
	    "What is due, ends of access among it, and is not taken up by any broker.", s->due);
	one(out, "jit_timetable_oldest_seconds", "gauge", "How long the oldest of it has been due.",
	    s->oldest_due_s);
	one(out, "jit_timetable_set_aside", "gauge",
	    "What cannot be worked on, ends of access among it: a key of Redis cannot be read.",
	    s->set_aside);
	one(out, "jit_removals_unconfirmed", "gauge",
	    "Memberships whose time is over and whose removal is not yet "
	    "confirmed.",
	    s->removals);
	one(out, "jit_removals_oldest_seconds", "gauge", "How long the oldest of these has been so.",
	    s->oldest_removal_s);
	one(out, "jit_removals_stranded", "gauge",
	    "Those of them in applications that no broker has in its configuration any more.", s->stranded);
	one(out, "jit_guard_held", "gauge",
	    "Removals by the configuration that wait for an operator's answer.", s->held);
}

void metrics_render(const struct metrics *m, const struct metrics_state *s, struct buf *out)
{
	one(out, "jit_ready", "gauge", "1 while the store can be used.", s->ready);
	head(out, "jit_http_answers_total", "counter", "HTTP answers by class of status.");
	for (int i = 1; i < 6; i++)
		buf_addf(out, "jit_http_answers_total{class=\"%dxx\"} %llu\n", i,
			 (unsigned long long)m->requests[i]);
	render_activations(m, out);
	one(out, "jit_break_glass_total", "counter",
	    "Activations by break-glass: without approval, at any hour.", (int64_t)m->glass_broken);
	render_pushes(m, out);
	render_drift(m, out);
	render_users(m, out);
	one(out, "jit_open_exchanges", "gauge", "HTTP requests under way.", (int64_t)s->open_exchanges);
	one(out, "jit_event_streams", "gauge", "Those of them that listen at /api/events.",
	    (int64_t)s->streams);
	one(out, "jit_store_calls_waiting", "gauge", "Calls to Redis without an answer yet.",
	    (int64_t)s->calls_waiting);
	render_store(s->store, out);
	one(out, "jit_pushes_under_way", "gauge", "Pushes that this broker makes now.", (int64_t)s->orders);
	if (s->known)
		render_lanes(s, out);
	render_notices(m, s, out);
	render_audit(s, out);
	if (s->has_escrow)
		render_escrow(s, out);
}
