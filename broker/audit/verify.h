/*
 * Is the audit as it was written? Each event's number and link, each seal's digest and mac, the anchor's and the head's:
 * all is computed again, page by page, from a place that an earlier call has reached. Says the first place that is wrong.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/seal.h"

/* How far a lane has been followed: what the next event is checked against. */
struct audit_place {
	unsigned lane;
	int64_t number;          /* of the last event that was right; 0 = the lane has not been begun */
	char link[SHA1_HEX];     /* its link */
	int64_t sealed_to;       /* the last event that a seal covers, among those */
	char digest[SHA256_HEX]; /* of that seal */
};

#define AUDIT_PLACE_SIZE 192

/* As text without blanks, for whoever asks again later. */
void audit_place_print(const struct audit_place *place, char out[AUDIT_PLACE_SIZE]);
/* False when the text is no place. */
bool audit_place_read(struct audit_place *place, const char *text);

/* What a broker has seen itself and keeps in its memory, so that the end of a lane cannot be cut off and written again
 * while it runs. */
struct audit_witness {
	int64_t number; /* 0 = nothing yet */
	char link[SHA1_HEX];
};

struct audit_verdict {
	struct audit_place
		place; /* where it has ended: at the lane's end, at the break, or because it is enough for once */
	int64_t first;         /* the first event that was checked; 0 = none */
	int64_t events, seals; /* checked */
	bool at_end;
	int64_t broken_at; /* the number of the event that is wrong, or missing; 0 = none is */
	struct errctx why;
};

struct audit_check {
	struct activation *activation;
	struct seal_keys keys;
	const struct audit_witness *witness; /* NULL = none */
	int64_t most;                        /* events at once */
};

typedef void audit_verified(void *ctx, enum err err, const struct audit_verdict *verdict);

/* Checks the lane from that place on. `check` and the place are copied, the keys' texts and the witness borrowed. */
void audit_verify(const struct audit_check *check, const struct audit_place *from, audit_verified *done,
		  void *ctx);

#endif
