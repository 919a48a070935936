/* The life of one request. A held one is applied in exchange_check_held() or on release, never later. */
#include "scim-push/sandbox/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "scim-push/sandbox/response.h"

enum state { STATE_RECEIVING, STATE_HELD, STATE_RESUMED };

struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	char *target; /* owned; as it was sent */
	char method[24];
	int64_t received_ms; /* 0 until the headers are there */
	struct buf body;
	enum state state;
	struct fault fault;
	int64_t due_ms; /* clock_mono_ms() at which a delay ends */
	struct quirk quirk;
	struct answer answer;
	bool answered;    /* the answer stands, and with it the change */
	bool client_gone; /* while it was held */
	bool dropped;     /* the server stops */
	bool is_control;  /* not logged */
	bool logged;
	struct exchange *next_held, *previous_held;
};

/* -- small questions -------------------------------------------------------------------------------------------- */

static bool is_below(const char *target, const char *base)
{
	size_t len = strlen(base);

	return strncmp(target, base, len) == 0 && strchr("/?", target[len]) != NULL;
}

static const char *header(struct exchange *exchange, const char *name)
{
	const char *value = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);

	return value != NULL ? value : "";
}

static bool is_authorised(struct exchange *exchange)
{
	const char *value = header(exchange, "Authorization"), *token = exchange->server->token;

	return strncmp(value, "Bearer ", 7) == 0 && strlen(value + 7) == strlen(token) &&
	       digest_equal(value + 7, token, strlen(token));
}

static bool is_json(struct exchange *exchange)
{
	const char *type = header(exchange, "Content-Type");
	size_t len = strcspn(type, "; ");

	return (len == 21 && strncmp(type, "application/scim+json", len) == 0) ||
	       (len == 16 && strncmp(type, "application/json", len) == 0);
}

static bool is_loopback(struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (info == NULL || info->client_addr == NULL)
		return false;
	if (info->client_addr->sa_family == AF_INET) {
		(void)memcpy(&v4, info->client_addr, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (info->client_addr->sa_family != AF_INET6)
		return false;
	(void)memcpy(&v6, info->client_addr, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
}

/* libmicrohttpd does not watch suspended connections. */
static bool client_is_gone(struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd fd = {.events = POLLRDHUP};

	if (info == NULL)
		return true;
	fd.fd = info->connect_fd;
	return poll(&fd, 1, 0) > 0;
}

/* -- log, application, answer --------------------------------------------------------------------------------------- */

static void log_once(struct exchange *exchange, int status, bool client_gone)
{
	if (exchange->logged || exchange->is_control || exchange->received_ms == 0)
		return;
	exchange->logged = true;
	journal_write(&exchange->server->journal, &(struct journal_entry){
							  .received_ms = exchange->received_ms,
							  .answered_ms = clock_wall_ms(),
							  .method = exchange->method,
							  .path = exchange->target,
							  .status = status,
							  .body = buf_text(&exchange->body),
							  .body_len = exchange->body.len,
							  .fault = exchange->fault.text,
							  .client_gone = client_gone,
						  });
}

/* This one call in the dialect as its quirk has it. */
static void handle(struct exchange *exchange, const struct scim_call *call)
{
	struct scim *scim = &exchange->server->scim;
	struct dialect usual = scim->dialect, other = usual;

	quirk_dialect(&exchange->quirk, &other);
	scim_use(scim, &other);
	answer_speak(&exchange->answer, &other);
	scim_handle(scim, call, &exchange->answer);
	scim_use(scim, &usual);
}

static void apply(struct exchange *exchange)
{
	static const char base[] = "/scim/v2";
	char url[300];
	struct scim_call call = {
		.method = exchange->method,
		.target = exchange->target + sizeof(base) - 1,
		.base = url,
		.names_version = header(exchange, "If-Match")[0] != '\0',
		.authorised = is_authorised(exchange),
		.media_type_ok = is_json(exchange),
		.body = buf_text(&exchange->body),
		.body_len = exchange->body.len,
		.now_ms = clock_wall_ms(),
	};

	(void)snprintf(url, sizeof(url), "%s://%s%s", exchange->server->is_tls ? "https" : "http",
		       header(exchange, "Host"), base);
	/* AWS: a wrong tenant, and so any other path, is a 401 as well. */
	if (!is_below(exchange->target, base))
		answer_error(&exchange->answer, 401, PROBLEM_UNAUTHORISED, call.now_ms);
	else if (buf_failed(&exchange->body))
		answer_error(&exchange->answer, 413, PROBLEM_TOO_LARGE, call.now_ms);
	else
		handle(exchange, &call);
}

/* Applies the request where its fault lets it be applied, once. */
static void settle(struct exchange *exchange)
{
	if (exchange->answered)
		return;
	exchange->answered = true;
	answer_speak(&exchange->answer, &exchange->server->scim.dialect);
	if (fault_applies(&exchange->fault))
		apply(exchange);
	fault_spoil(&exchange->fault, &exchange->answer, clock_wall_ms());
	quirk_answer(&exchange->quirk, exchange->method, &exchange->answer);
}

/* The line is in the log before the client can have the answer. */
static enum MHD_Result send_answer(struct exchange *exchange)
{
	struct answer *answer = &exchange->answer;
	struct MHD_Response *response = response_make(answer, &exchange->quirk);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	log_once(exchange, answer->status, false);
	result = MHD_queue_response(exchange->connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/* -- holding ------------------------------------------------------------------------------------------------------- */

static enum MHD_Result hold(struct exchange *exchange)
{
	struct server *server = exchange->server;

	if (exchange->fault.after)
		settle(exchange);
	exchange->state = STATE_HELD;
	exchange->due_ms = clock_mono_ms() + exchange->fault.delay_ms;
	exchange->previous_held = server->last_held;
	*(server->last_held != NULL ? &server->last_held->next_held : &server->first_held) = exchange;
	server->last_held = exchange;
	MHD_suspend_connection(exchange->connection);
	return MHD_YES;
}

static void let_go(struct exchange *exchange)
{
	struct server *server = exchange->server;
	struct exchange *next = exchange->next_held, *previous = exchange->previous_held;

	*(previous != NULL ? &previous->next_held : &server->first_held) = next;
	*(next != NULL ? &next->previous_held : &server->last_held) = previous;
	exchange->state = STATE_RESUMED;
	server->resuming++;
	server->run_again = true;
	MHD_resume_connection(exchange->connection);
}

void exchange_check_held(struct server *server)
{
	struct exchange *next;

	for (struct exchange *exchange = server->first_held; exchange != NULL; exchange = next) {
		bool hung = exchange->fault.action == FAULT_HANG;

		next = exchange->next_held;
		if (!hung && clock_mono_ms() < exchange->due_ms)
			continue;
		exchange->client_gone = client_is_gone(exchange);
		if (hung && !exchange->client_gone)
			continue;
		/* A real service applies what it was slow with, whether or not somebody still waits. */
		if (!hung)
			settle(exchange);
		let_go(exchange);
	}
}

void exchange_drop_held(struct server *server)
{
	while (server->first_held != NULL) {
		server->first_held->dropped = true;
		let_go(server->first_held);
	}
}

/* GET hung: how many, and which. */
static void list_hung(struct server *server, struct answer *answer)
{
	struct buf list;
	size_t count = 0;

	buf_init(&list, ANSWER_MAX);
	for (struct exchange *exchange = server->first_held; exchange != NULL;
	     exchange = exchange->next_held) {
		if (exchange->fault.action != FAULT_HANG)
			continue;
		buf_addf(&list, "%s{\"method\":\"%s\",\"path\":", count++ > 0 ? "," : "", exchange->method);
		json_add_string(&list, exchange->target);
		buf_adds(&list, "}");
	}
	answer->status = 200;
	buf_addf(&answer->body, "{\"hung\":%zu,\"requests\":[%s]}", count, buf_text(&list));
	buf_release(&list);
}

/* POST release: what is held is applied now, and answered: as well what only was to be late. */
static void release_hung(struct server *server, struct answer *answer)
{
	size_t count = 0;

	for (; server->first_held != NULL; count++) {
		server->first_held->client_gone = client_is_gone(server->first_held);
		settle(server->first_held);
		let_go(server->first_held);
	}
	answer->status = 200;
	buf_addf(&answer->body, "{\"released\":%zu}", count);
}

/* -- deciding ------------------------------------------------------------------------------------------------------ */

static enum MHD_Result control(struct exchange *exchange)
{
	static const char base[] = "/sandbox";
	struct server *server = exchange->server;
	const char *target = exchange->target + sizeof(base) - 1;
	struct scim_call call = {
		.method = exchange->method,
		.target = target,
		.body = buf_text(&exchange->body),
		.body_len = exchange->body.len,
		.now_ms = clock_wall_ms(),
	};

	exchange->is_control = true;
	/* What they say must not be behind the facts. */
	exchange_check_held(server);
	if (!is_loopback(exchange))
		control_error(&exchange->answer, 403, "only from this machine");
	else if (strcmp(target, "/hung") == 0 && strcmp(exchange->method, "GET") == 0)
		list_hung(server, &exchange->answer);
	else if (strcmp(target, "/release") == 0 && strcmp(exchange->method, "POST") == 0)
		release_hung(server, &exchange->answer);
	else
		control_handle(&server->control, &call, &exchange->answer);
	return send_answer(exchange);
}

/* Nothing that a fault's rule would tell of. */
static void be_late(struct exchange *exchange)
{
	exchange->fault.delay_ms = quirk_delay_ms(&exchange->quirk);
	exchange->fault.after = quirk_draw(&exchange->quirk, 2) == 1;
	exchange->fault.action = exchange->fault.delay_ms > 0 ? FAULT_DELAY : FAULT_NONE;
}

static enum MHD_Result decide(struct exchange *exchange)
{
	static const char base[] = "/scim/v2";
	const struct fault *fault = NULL;

	if (is_below(exchange->target, "/sandbox"))
		return control(exchange);
	if (is_below(exchange->target, base))
		fault = faults_pick(&exchange->server->faults, exchange->method,
				    exchange->target + sizeof(base) - 1);
	exchange->quirk =
		quirk_begin(exchange->server->scim.dialect.value[B_QUIRKS], ++exchange->server->requests);
	if (fault != NULL)
		exchange->fault = *fault;
	else
		be_late(exchange);
	if (exchange->fault.action == FAULT_HANG || exchange->fault.action == FAULT_DELAY)
		return hold(exchange);
	settle(exchange);
	if (exchange->fault.action != FAULT_CLOSE)
		return send_answer(exchange);
	log_once(exchange, 0, false);
	return MHD_NO;
}

/* -- libmicrohttpd's callbacks ---------------------------------------------------------------------------------------- */

void *exchange_begin(void *server, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->server = server;
	exchange->connection = connection;
	exchange->target = strdup(uri);
	if (exchange->target == NULL) {
		free(exchange);
		return NULL;
	}
	buf_init(&exchange->body, BODY_MAX);
	answer_init(&exchange->answer);
	return exchange;
}

/* The first call of the handler, when the headers are there. */
static enum MHD_Result start(struct exchange *exchange, const char *method)
{
	if (strlen(method) >= sizeof(exchange->method))
		return MHD_NO;
	(void)memcpy(exchange->method, method, strlen(method) + 1);
	exchange->received_ms = clock_wall_ms();
	return MHD_YES;
}

enum MHD_Result exchange_handle(void *server, struct MHD_Connection *connection, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **context)
{
	struct exchange *exchange = *context;

	(void)server;
	(void)connection;
	(void)url;
	(void)version;
	if (exchange == NULL)
		return MHD_NO;
	if (exchange->received_ms == 0)
		return start(exchange, method);
	if (*upload_size > 0) {
		buf_add(&exchange->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (exchange->state != STATE_RESUMED)
		return decide(exchange);
	if (!exchange->client_gone && !exchange->dropped)
		return send_answer(exchange);
	log_once(exchange, 0, exchange->client_gone);
	return MHD_NO;
}

void exchange_end(void *server, struct MHD_Connection *connection, void **context,
		  enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *context;

	(void)server;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	/* Not logged so far: the connection ended while the body came, or while the request was being resumed. */
	log_once(exchange, 0, !exchange->dropped);
	if (exchange->state == STATE_RESUMED)
		exchange->server->resuming--;
	answer_release(&exchange->answer);
	buf_release(&exchange->body);
	free(exchange->target);
	free(exchange);
	*context = NULL;
}
