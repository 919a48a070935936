/*
 * The handlers: what the table of routes (route.c) calls, by the files that they are in. Each answers its call, now or
 * later, exactly once (call_answer(), call_error(), call_stream()), and does not block.
 */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

struct call;

/* requests.c */
void requests_post(struct call *call);
void requests_cancel(struct call *call);

/* lists.c */
void lists_list(struct call *call);
void lists_get(struct call *call);

/* approvals.c */
void approvals_get(struct call *call);
void approvals_stages(struct call *call);
void approvals_decide(struct call *call);

/* hooks.c */
void hooks_approval(struct call *call);
void hooks_slack(struct call *call);

/* applications.c */
void applications_list(struct call *call);
void applications_get(struct call *call);

/* operate.c */
void applications_pause(struct call *call);
void applications_resume(struct call *call);
void applications_restart(struct call *call);
void applications_guard(struct call *call);
void cycles_begin(struct call *call);
void cycles_current(struct call *call);
void cycles_list(struct call *call);

void applications_test(struct call *call);      /* connection_test.c */
void applications_provision(struct call *call); /* on_demand.c */
void log_list(struct call *call);               /* provisioning_log.c */
void events_get(struct call *call);             /* events.c */
void batches_post(struct call *call);           /* batches.c */
void sign_in_list(struct call *call);           /* sign_in.c */
void me_get(struct call *call);                 /* me.c */
void sweep_post(struct call *call);             /* sweep.c */
void openapi_get(struct call *call);            /* openapi.c */

/* notices.c */
void notices_show(struct call *call);
void notices_send(struct call *call);
void notices_discard(struct call *call);

/* audit.c */
void audit_events(struct call *call);
void audit_verify_all(struct call *call);

/* page.c */
void page_get(struct call *call);
void page_file_get(struct call *call);

/* health.c */
void health_live(struct call *call);
void health_ready(struct call *call);
void health_metrics(struct call *call);

#endif
