/* What an answer of Redis means for the call that it answers. Pure, and the one place that knows Redis' error texts.
 * Internal to the store. */
#ifndef STORE_ANSWER_H
#define STORE_ANSWER_H

#include "store/reader.h"

enum answer {
	ANSWER_VALUE,       /* done */
	ANSWER_NO_FUNCTION, /* not executed: the function library is gone; load it and repeat once */
	ANSWER_LATER,       /* not executed: this server cannot do it now; it or its successor will */
	ANSWER_MOVED, /* not executed: another node of the cluster has the lane, the answer says which */
	ANSWER_OPEN,  /* not executed: the lane is on its way between two nodes; repeat in a moment */
	ANSWER_FULL,  /* not executed: this server takes no writes until somebody has seen to it */
	ANSWER_ERROR  /* it failed, and would fail again */
};

/* What the reply means for the call that it answers. Pure. */
enum answer answer_of(const struct reply *reply);

#endif
