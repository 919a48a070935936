/* Starting and ending a broker under test. */
#include "tests/support/broker_proc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/wait.h"

#define START_MS    20000 /* with a sanitizer, on a machine that is busy */
#define UNDER_WORDS 16
#define STOP_MS     30000 /* longer than the broker's own limit */

/* Reads "… event=listening address=127.0.0.1 port=8080" and keeps the root URL. */
static bool read_port(struct broker *broker)
{
	char line[512];
	const char *port;

	if (!proc_wait_text(&broker->proc, "event=listening", START_MS, line, sizeof(line)))
		return false;
	port = strstr(line, "port=");
	if (port == NULL) {
		fprintf(stderr, "no port in: %s\n", line);
		return false;
	}
	snprintf(broker->root, sizeof(broker->root), "%s://127.0.0.1:%ld",
		 broker->ca_file[0] != '\0' ? "https" : "http", strtol(port + strlen("port="), NULL, 10));
	return true;
}

/* The words of BROKER_UNDER come before the broker's own. False when there are too many. */
static bool put_under(char *words, const char **argv, size_t *count)
{
	char *rest = words, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*count == UNDER_WORDS)
			return false;
		if (word[0] != '\0')
			argv[(*count)++] = word;
	}
	return true;
}

static bool launch(struct broker *broker)
{
	const char *under = getenv(BROKER_UNDER);
	char program[PROC_PATH_SIZE], words[PROC_PATH_SIZE];
	const char *argv[UNDER_WORDS + 4];
	size_t count = 0;

	snprintf(words, sizeof(words), "%s", under != NULL ? under : "");
	if (!proc_build_path(broker->program, program, sizeof(program)) || !put_under(words, argv, &count))
		return false;
	argv[count++] = program;
	argv[count++] = "--config";
	argv[count++] = broker->config_path;
	argv[count] = NULL;
	return proc_start(&broker->proc, argv, broker->variables, broker->log_path) && read_port(broker);
}

static bool is_ready(void *ctx)
{
	const struct broker *broker = ctx;
	struct http_response response;
	bool ready;

	broker_call(broker, &(struct http_request){.url = "/readyz"}, &response);
	ready = response.status == 200;
	http_response_release(&response);
	return ready;
}

bool broker_wait_ready(const struct broker *broker, int64_t timeout_ms)
{
	struct broker copy = *broker;

	if (wait_until(is_ready, &copy, timeout_ms))
		return true;
	fprintf(stderr, "the broker did not become ready\n");
	proc_print_log(&broker->proc, stderr);
	return false;
}

bool broker_start_unready(struct broker *broker, const char *dir, const char *name,
			  const struct broker_config *config)
{
	memset(broker, 0, sizeof(*broker));
	broker->program = config->program != NULL ? config->program : "jit-broker";
	snprintf(broker->config_path, sizeof(broker->config_path), "%s/%s.yaml", dir, name);
	snprintf(broker->log_path, sizeof(broker->log_path), "%s/%s.log", dir, name);
	snprintf(broker->ca_file, sizeof(broker->ca_file), "%s",
		 config->tls_authority != NULL ? config->tls_authority : "");
	broker->variables = config->variables;
	return broker_config_write(config, broker->config_path) && launch(broker);
}

bool broker_start(struct broker *broker, const char *dir, const char *name,
		  const struct broker_config *config)
{
	return broker_start_unready(broker, dir, name, config) && broker_wait_ready(broker, START_MS);
}

bool broker_restart(struct broker *broker)
{
	return launch(broker) && broker_wait_ready(broker, START_MS);
}

void broker_kill9(struct broker *broker)
{
	proc_kill9(&broker->proc);
}

bool broker_stop(struct broker *broker)
{
	int status = proc_end(&broker->proc, SIGTERM, STOP_MS);

	if (status != 0)
		fprintf(stderr, "the broker exited with %d\n", status);
	return status == 0;
}

void broker_call(const struct broker *broker, const struct http_request *request,
		 struct http_response *response)
{
	struct http_request whole = *request;
	char url[4096];

	snprintf(url, sizeof(url), "%s%s", broker->root, request->url);
	whole.url = url;
	whole.ca_file = broker->ca_file[0] != '\0' ? broker->ca_file : NULL;
	http_call(&whole, response);
}
