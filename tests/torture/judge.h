/*
 * The judge of a run. Reads the history, the applications' logs and what was there at the end, nothing else, and
 * shares no code with the broker. Each check counts what it finds and says it on standard output.
 *
 *	lost      a call that was answered 2xx is not in the store at the end, is there otherwise than it was asked for, or
 *	          twice; or it was never answered although everything was well again
 *	over      pushes that are the sixth or a later one to begin or end in some window, as the application saw them
 *	overdue   accesses that outlived their end by more than the target, not counting the time that is excused
 *	broken    breaches of the other invariants
 *
 * A decision is a call, too: lost, when it was answered 2xx and another one stands, or none. Where an approver has to agree,
 * access is granted from the moment of a decision that the harness has sent, for as long as was asked for, and by nothing
 * else, whatever the store says.
 *
 * Excused is time between the end E of an access and its removal R in which nobody could remove it by our own doing:
 *
 *	- class "app": the application was away or refused, from the fault's begin to its healing, and after that until
 *	  the next try has to come: a removal is tried again after at most 1, 2, 4 … 30 s (doubled by each failure), and each
 *	  second of the fault may have been a failure;
 *	- class "claim": a broker died, stood still or lost the store: one take-over from the begin, but only for accesses
 *	  whose end had come by then, or of whom a push or a call was under way: what another broker has to begin itself
 *	  is not excused. Class "grip" is the same, for a broker that may take claims all the time without learning of it:
 *	  from the begin until one take-over after the healing;
 *	- class "redis": the store, or all brokers, were away: from the begin until so long after the healing as the
 *	  brokers may need to find the store again (two seconds; five where a cluster has to make up its mind); and, as for "grip", one take-over after it for what had been claimed by then;
 *	- class "memory": the store was full: what is given waits as long as in class "redis", an end does not;
 *	- the application answered this very removal with an error: until the next try has to come;
 *	- no token was free, as the broker told it (how often pushes came is checked separately, from the log);
 *	- the machine that all this ran on stood still.
 *
 * A take-over is the time after which what a broker had claimed is another's: the longer of the push's deadline with
 * two seconds' grace and five seconds, and half a second for the look.
 */
#ifndef TORTURE_JUDGE_H
#define TORTURE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define JUDGE_APPS  12
#define JUDGE_TEXT  64
#define JUDGE_KINDS 40

struct judge_fault {
	char kind[JUDGE_TEXT], class[16];
	int app; /* -1 = all */
	int64_t from_ms, to_ms;
};

/* One call, over all its sendings. */
struct judge_op {
	long number;
	size_t person;
	char action[24], id[JUDGE_TEXT], state[24];
	char withdraws[JUDGE_TEXT]; /* the id of a request */
	int64_t length_ms, asked_start_ms;
	int64_t first_ms, sent_ms; /* of the first sending, and of the one whose answer counts */
	int64_t answered_ms;
	int status; /* of that answer; 0 = it was never answered */
	int64_t start_ms, end_ms, created_ms;
	int64_t next_ms; /* the cycle that it waits for, as it was told */
	bool lost;
};

/* Somebody in a group of an application. */
struct judge_person {
	size_t app;
	char group[JUDGE_TEXT], user[JUDGE_TEXT], id[JUDGE_TEXT];
	bool needs_approval;
	bool shares;   /* the group with others */
	bool in_doubt; /* one of their calls was never answered: when they had access is not known */
};

/* One decision, over all its sendings. */
struct judge_decision {
	long number;
	char by[JUDGE_TEXT], request[JUDGE_TEXT];
	bool approves, lost;
	int64_t first_ms, answered_ms;
	int status; /* 0 = it was never answered */
};

/* What the store says at the end of the only stage that a request had to pass. */
struct judge_approval {
	char request[JUDGE_TEXT], result[16], by[JUDGE_TEXT];
	int64_t at_ms;
};

/* One request that an application saw. */
struct judge_entry {
	int64_t received_ms, answered_ms;
	int status;
	bool is_patch, adds, applied;
	char method[8], path[256], fault[128], body_user[JUDGE_TEXT];
	char group[JUDGE_TEXT]; /* of a PATCH */
	char **users;           /* names of its members; owned */
	size_t user_count;
};

struct judge_app {
	char log[512];
	size_t count;
	struct judge_entry *entries; /* by arrival */
	bool is_read;
};

struct judge_sample {
	int64_t at_ms;
	int free[JUDGE_APPS]; /* -1 = not told */
};

struct judge_request {
	size_t person;
	char id[JUDGE_TEXT], action[24], group[JUDGE_TEXT], why[JUDGE_TEXT];
};

struct judge_event {
	int lane;
	long long number;
	char request[JUDGE_TEXT], by[JUDGE_TEXT], from[24], to[24];
};

struct judge_span {
	int64_t from_ms, to_ms;
};

/* An access that has ended. */
struct judge_end {
	size_t person;
	int64_t end_ms, gone_ms, excused_ms;
};

/* A cycle that had something to do. */
struct judge_cycle {
	int app;
	int64_t started_ms, ended_ms; /* ended: 0 = it runs at the end */
};

struct judge_name {
	int app;
	char id[160], name[JUDGE_TEXT];
};

struct judge_member {
	int app;
	char group[JUDGE_TEXT], user[JUDGE_TEXT];
};

/* What must be found in no file. */
struct judge_secret {
	char text[JUDGE_TEXT], what[JUDGE_TEXT];
};

struct judge {
	/* limits */
	int64_t pushes, window_ms, push_timeout_ms, answer_timeout_ms, target_ms, back_ms, cycle_ms;
	int64_t begin_ms, end_ms;
	/* what happened; all lists owned */
	struct judge_app apps[JUDGE_APPS];
	size_t app_count;
	struct judge_person *people;
	size_t person_count;
	struct judge_op *ops;
	size_t op_count;
	struct judge_fault *faults;
	size_t fault_count;
	struct judge_sample *samples;
	size_t sample_count;
	struct judge_span *stalls;
	size_t stall_count;
	struct judge_decision *decisions;
	size_t decision_count;
	struct judge_approval *approvals;
	size_t approval_count;
	struct judge_request *requests;
	size_t request_count;
	struct judge_event *events;
	size_t event_count;
	struct judge_cycle *cycles;
	size_t cycle_count;
	struct judge_name *names;
	size_t name_count;
	struct judge_member *members, *standing;
	size_t member_count, standing_count;
	struct judge_secret *secrets;
	size_t secret_count;
	char (*files)[512];
	size_t file_count, searched;
	bool is_intact; /* by the broker's own verification */
	/* findings */
	struct judge_end *ends;
	size_t end_count;
	int64_t *over_ms; /* when each push beyond the limit came */
	size_t over_count;
	size_t acknowledged, lost, overdue, broken;
	size_t at_once, deferred;                                     /* activations that were answered so */
	size_t approved, denied, withdrawn, timed_out, too_late, own; /* of what waited for an approver */
	bool quiet; /* prints nothing; for tests of the judge itself */
};

/* Reads history.jsonl in `dir` and the logs that it names. False, with the reason on standard error, when that cannot
 * be: then there is no verdict. Release it in any case. */
bool judge_read(struct judge *judge, const char *dir);
void judge_release(struct judge *judge);

/* All checks. */
void judge_all(struct judge *judge);
bool judge_is_clean(const struct judge *judge);
/* The table, and what else there is to say. */
void judge_print(const struct judge *judge);

/* What the last line says, of one run or of several together. */
struct judge_tally {
	size_t faults, acknowledged, lost, over, overdue;
};

struct judge_tally judge_tally(const struct judge *judge);
void judge_print_tally(const struct judge_tally *tally);

/* Each check by itself. */
void judge_kept(struct judge *judge); /* 2, 6: every acknowledged call is there, once, as asked */
/* 4, 9: who needs an approver's word waits for it; one outcome for each request, by a decision that was sent; what was
 * acknowledged stands; nobody decides their own. Says from when to when the access is granted that came of it, and so
 * comes before judge_access(). */
void judge_approvals(struct judge *judge);
void judge_fives(
	struct judge *judge); /* 1; 8: while nothing has been broken nobody is deferred who finds a token */
void judge_access(
	struct judge *judge); /* 3, 4, 7: ends; nothing without a grant; nothing taken that is granted */
void judge_first(struct judge *judge);     /* 8: pushed at once, or with the cycle, as it was told */
void judge_trail(struct judge *judge);     /* 5: the audit */
void judge_end_state(struct judge *judge); /* final groups, standing members, secrets, programs */

/* -- for the checks --------------------------------------------------------------------------------------------- */

/* One line about something that must not be; counted as broken unless `counted` says where else. */
void judge_say(struct judge *judge, size_t *counted, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* When somebody had access by what was granted: one span for each grant, or, united, spans that do not touch, by time.
 * Owned by the caller. */
struct judge_span *judge_grants(const struct judge *judge, size_t person, bool united, size_t *count);

/* How much of this span is excused for that access. */
int64_t judge_excused(const struct judge *judge, size_t person, int64_t end_ms, int64_t gone_ms);
/* The same for whoever has a token: that none is free excuses only what has to be tried again. */
int64_t judge_hindered(const struct judge *judge, size_t person, int64_t from_ms, int64_t to_ms);

/* Was something struck so shortly before that a push may still arrive which nobody wants any more? */
bool judge_is_troubled(const struct judge *judge, int64_t at_ms);

/* Is this request to an application a part of a push of that person's? In a shared group it may be another's. */
bool judge_is_of_push(const struct judge *judge, const struct judge_entry *entry, size_t person);

/* Does this request to their application change that person's membership, or create them? */
bool judge_is_for(const struct judge_entry *entry, const struct judge_person *person);

/* The list with room for one more; never NULL. */
void *judge_grow(void *list, size_t count, size_t size);

#endif
