/*
 * Test Connection: proves, with a canary group and two canary users, that the application takes changes in the form
 * that is configured and shows them as it is said to. It is made of the very pushes that activations are made of, so
 * that nothing is proved in another way than it is used later:
 *
 *   describe   the application's own description (ServiceProviderConfig): for diagnosis, decides nothing
 *   add        both canaries become members, and are read back
 *   remove     one is removed, and is read back as gone: the form is not ignored
 *   others     the other one is still there: the form does not empty the group
 *   clean      the other one is removed
 *
 * What fails ends the test at once: after a removal that has emptied a group no other is tried.
 */
#ifndef SCIM_PUSH_PROBE_H
#define SCIM_PUSH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/push.h"

#define PROBE_STEPS_MAX 40 /* requests that are kept; confirmations that are repeated come on top */
#define PROBE_PATH_SIZE 256
#define PROBE_BODY_SIZE 512

/* One request, kept: texts that are longer are cut. */
struct probe_step {
	char name[24], method[8], path[PROBE_PATH_SIZE], body[PROBE_BODY_SIZE];
	long status;
	int64_t ms;
	char outcome[16], words[256];
};

enum probe_stage { STAGE_DESCRIBE, STAGE_ADD, STAGE_REMOVE, STAGE_OTHERS, STAGE_CLEAN, STAGE_COUNT };

enum probe_verdict {
	PROBE_NOT_RUN,
	PROBE_PASSED,
	PROBE_NOTED, /* it cannot be told, or decides nothing */
	PROBE_FAILED
};

struct probe_result {
	enum probe_verdict verdict;
	char words[TEXT_SIZE]; /* "" = nothing to say */
	size_t first, count;   /* its requests among the steps */
};

struct http_request;

struct probe {
	/* In; borrowed until on_end: */
	const struct scim_target *target;
	const char *group_name, *group_external_id; /* of the canary group */
	const char *users[2];                       /* user names of the canaries */
	int64_t stage_timeout_ms;
	/* Before each stage that changes something, as that is a push: the caller waits for a token and calls
	 * probe_go(), at once or later. */
	void (*on_turn)(void *ctx, struct probe *probe);
	void (*on_end)(void *ctx, struct probe *probe); /* exactly once; perhaps from within probe_go() */
	void *ctx;

	/* Out: */
	bool passed; /* no stage has failed */
	bool proved; /* form and reading back are proved: false with an application that shows nothing */
	struct probe_result results[STAGE_COUNT];
	struct probe_step steps[PROBE_STEPS_MAX];
	size_t step_count;

	/* This module's own: */
	struct pusher *pusher;
	enum probe_stage stage;
	int64_t begun_ms;             /* when the description was asked for */
	struct http_request *request; /* for it, under way; NULL = none */
	struct probe *next;           /* of those that ask for it */
	struct push push;
	struct push_member members[2];
};

/* Begins the test; the caller has filled in what is its own. Everything goes wrong through on_end. */
void probe_start(struct pusher *pusher, struct probe *probe);

/* The answer to on_turn. `go` false ends the test: `words` says why. */
void probe_go(struct probe *probe, bool go, const char *words);

/* "remove": for people and logs. */
const char *probe_stage_name(enum probe_stage stage);

#define PROBE_FINGERPRINT_SIZE 33

/* What a passed test has proved: it holds as long as these are the same. 32 hexadecimal digits. */
void probe_fingerprint(const struct scim_target *target, char out[PROBE_FINGERPRINT_SIZE]);

#endif
