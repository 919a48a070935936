/* Redis tells its errors apart by their first word; only "ERR" needs more. */
#include "store/answer.h"

#include <string.h>

static const struct {
	const char *prefix;
	enum answer answer;
} errors[] = {
	{"ERR Function not found", ANSWER_NO_FUNCTION},
	/* It starts, or runs a script of somebody else's for too long. */
	{"LOADING ", ANSWER_LATER},
	{"BUSY ", ANSWER_LATER},
	/* It has become a replica, with or without a master. */
	{"READONLY ", ANSWER_LATER},
	{"MASTERDOWN ", ANSWER_LATER},
	/* Slots of the cluster have no master, or this node is cut off from most of the others. */
	{"CLUSTERDOWN ", ANSWER_LATER},
	/* The password was changed: a new connection gives the one that we have, or says that it is wrong. */
	{"NOAUTH ", ANSWER_LATER},
	{"MOVED ", ANSWER_MOVED},
	/* Following it would run a function where only a part of the lane's keys is (call.c). */
	{"ASK ", ANSWER_OPEN},
	{"TRYAGAIN ", ANSWER_OPEN},
	/* Out of memory; the disk is full or refuses the append-only file; min-replicas-to-write are not there. */
	{"OOM ", ANSWER_FULL},
	{"MISCONF ", ANSWER_FULL},
	{"NOREPLICAS ", ANSWER_FULL},
};

enum answer answer_of(const struct reply *reply)
{
	if (!reply_is_error(reply))
		return ANSWER_VALUE;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strncmp(reply->text, errors[i].prefix, strlen(errors[i].prefix)) == 0)
			return errors[i].answer;
	return ANSWER_ERROR;
}
