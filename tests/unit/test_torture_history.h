/* A small history that is as it should be, and what the application saw meanwhile. For test_torture_judge.c only. */
#ifndef TEST_TORTURE_HISTORY_H
#define TEST_TORTURE_HISTORY_H

#define LINES_MAX 96

/* Times in ms from the beginning; the window is ten seconds, the target two. */
static const char *const history[] = {
	"{\"t\":0,\"k\":\"limits\",\"pushes\":5,\"window\":10000,\"cycle\":15000,\"push_timeout\":1000,"
	"\"request_timeout\":"
	"500,"
	"\"target\":2000,\"back\":2000}",
	"{\"t\":0,\"k\":\"app\",\"app\":0,\"log\":\"LOG\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":0,\"app\":0,\"group\":\"g-0.\",\"user\":\"p0@example.com\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":1,\"app\":0,\"group\":\"g-1.\",\"user\":\"p1@example.com\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":2,\"app\":0,\"group\":\"g-2.\",\"user\":\"p2@example.com\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":3,\"app\":0,\"group\":\"g-3.\",\"user\":\"p3@example.com\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":4,\"app\":0,\"group\":\"g-4.\",\"user\":\"p4@example.com\"}",
	"{\"t\":0,\"k\":\"person\",\"person\":5,\"app\":0,\"group\":\"g-5.\",\"user\":\"p5@example.com\"}",
	"{\"t\":0,\"k\":\"standing\",\"app\":0,\"group\":\"g-0.\",\"user\":\"standing@example.com\"}",
	"{\"t\":1,\"k\":\"begin\",\"seed\":1}",
	/* Person 0 has access from 1000 to 5000. */
	"{\"t\":1000,\"k\":\"ask\",\"op\":1,\"try\":1,\"broker\":0,\"person\":0,\"action\":\"selfActivate\","
	"\"length\":4000,\"start\":0}",
	"{\"t\":1005,\"k\":\"answer\",\"op\":1,\"try\":1,\"status\":503,\"id\":\"\",\"start\":0,\"end\":0,"
	"\"created\":0,\"state\":\"\",\"error\":\"\"}",
	"{\"t\":1010,\"k\":\"answer\",\"op\":1,\"try\":2,\"status\":201,\"id\":\"r1\",\"start\":1000,\"end\":"
	"5000,"
	"\"created\":1000,\"state\":\"pushing\",\"error\":\"\"}",
	/* Person 1 from 2000 on, for an hour. */
	"{\"t\":2000,\"k\":\"ask\",\"op\":2,\"try\":1,\"broker\":0,\"person\":1,\"action\":\"selfActivate\","
	"\"length\":3600000,\"start\":0}",
	"{\"t\":2010,\"k\":\"answer\",\"op\":2,\"try\":1,\"status\":201,\"id\":\"r2\",\"start\":2000,"
	"\"end\":3602000,\"created\":2000,\"state\":\"pushing\",\"error\":\"\"}",
	"{\"t\":3000,\"k\":\"ask\",\"op\":3,\"try\":1,\"broker\":0,\"person\":2,\"action\":"
	"\"selfDeactivate\","
	"\"length\":0,\"start\":0}",
	"{\"t\":3010,\"k\":\"answer\",\"op\":3,\"try\":1,\"status\":400,\"id\":\"\",\"start\":0,\"end\":0,"
	"\"created\":0,\"state\":\"\",\"error\":\"RoleAssignmentDoesNotExist\"}",
	"{\"t\":60000,\"k\":\"end\",\"apps\":1}",
	"{\"t\":60001,\"k\":\"request\",\"person\":0,\"id\":\"r1\",\"action\":\"selfActivate\",\"group\":\"g-"
	"0.\","
	"\"why\":\"op-1\"}",
	"{\"t\":60001,\"k\":\"request\",\"person\":1,\"id\":\"r2\",\"action\":\"selfActivate\",\"group\":\"g-"
	"1.\","
	"\"why\":\"op-2\"}",
	"{\"t\":60002,\"k\":\"member\",\"app\":0,\"group\":\"g-0.\",\"user\":\"standing@example.com\"}",
	"{\"t\":60002,\"k\":\"member\",\"app\":0,\"group\":\"g-1.\",\"user\":\"p1@example.com\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G0\",\"name\":\"g-0.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G1\",\"name\":\"g-1.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G2\",\"name\":\"g-2.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G3\",\"name\":\"g-3.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G4\",\"name\":\"g-4.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G5\",\"name\":\"g-5.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"U0\",\"name\":\"p0@example.com\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"U1\",\"name\":\"p1@example.com\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"U2\",\"name\":\"p2@example.com\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"S\",\"name\":\"standing@example.com\"}",
	"{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":1,\"request\":\"r1\",\"event\":\"push\",\"from\":"
	"\"new\","
	"\"to\":\"provisioning\"}",
	"{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":2,\"request\":\"r1\",\"event\":\"confirm\","
	"\"from\":\"provisioning\",\"to\":\"in_force\"}",
	"{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":3,\"request\":\"r2\",\"event\":\"push\",\"from\":"
	"\"new\","
	"\"to\":\"provisioning\"}",
	"{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":4,\"request\":\"\",\"event\":\"seal\",\"from\":"
	"\"\","
	"\"to\":\"\"}",
	"{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":5,\"request\":\"r1\",\"event\":\"expire\","
	"\"from\":\"in_force\",\"to\":\"expired\"}",
	"{\"t\":60005,\"k\":\"verify\",\"intact\":true}",
};

#define PATCH(from, to, group, op, user, status, fault)                                                      \
	"{\"received_ms\":" from ",\"answered_ms\":" to                                                      \
	",\"method\":\"PATCH\",\"path\":\"/scim/v2/Groups/" group "\",\"status\":" status fault              \
	",\"client_gone\":false,\"body\":{\"Operations\":[{\"op\":\"" op                                     \
	"\",\"path\":\"members\",\"value\":[{\"value\":\"" user "\"}]}]}}"

static const char *const requests[] = {
	PATCH("1012", "1013", "G0", "add", "U0", "204", ""),
	PATCH("2012", "2013", "G1", "add", "U1", "204", ""),
	PATCH("5012", "5013", "G0", "remove", "U0", "204", ""),
};

#endif
