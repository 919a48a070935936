/*
 * The sandbox's rules: faults, rates and behaviours, tried with each line of the input. What is accepted stays within
 * its bounds and means the same when it is read again; what is refused says why.
 */
#include <string.h>

#include "scim-push/sandbox/fault.h"
#include "scim-push/sandbox/rate.h"
#include "tests/fuzz/fuzz.h"

static void check_fault(const char *text)
{
	struct errctx ec = {""};
	struct faults faults = {0};
	struct answer answer;

	if (faults_add(&faults, text, &ec) != ERR_OK) {
		REQUIRE(faults.count == 0 && ec.text[0] != '\0');
		return;
	}
	REQUIRE(faults.count == 1 && strcmp(faults.rules[0].text, text) == 0);
	REQUIRE(faults.rules[0].action != FAULT_NONE);
	for (int i = 0; i < 3; i++) {
		const struct fault *fault = faults_pick(&faults, "PATCH", "/Groups/1");

		REQUIRE(faults.rules[0].seen <= i + 1);
		/* Ten megabytes each time would be slow, and are nothing to read. */
		if (fault == NULL || fault->action == FAULT_HUGE)
			continue;
		answer_init(&answer);
		buf_adds(&answer.body, "{}");
		fault_spoil(fault, &answer, 1000);
		REQUIRE(answer.status >= 200 && answer.status < 600 && !buf_failed(&answer.body));
		answer_release(&answer);
	}
}

static void check_rate(const char *text)
{
	struct errctx ec = {""};
	struct rates rates = {0};
	struct rate_request request = {"PATCH", "/Groups/1", 100, 1000};
	long allowed = 0;

	if (rates_add(&rates, text, &ec) != ERR_OK) {
		REQUIRE(rates.count == 0 && ec.text[0] != '\0');
		return;
	}
	REQUIRE(rates.count == 1 && rates.list[0].burst > 0);
	for (int i = 0; i < 100; i++) {
		int64_t wait_ms = rates_wait(&rates, &request);

		REQUIRE(wait_ms >= 0 && wait_ms <= rates.list[0].per_ms + 1);
		allowed += wait_ms == 0;
	}
	REQUIRE(allowed == 100 || allowed == rates.list[0].burst);
}

static void check_behaviour(const char *text)
{
	struct errctx ec = {""};
	struct dialect before = dialect_plain(), dialect = before;
	size_t changed = 0;

	if (dialect_set(&dialect, text, &ec) != ERR_OK) {
		REQUIRE(ec.text[0] != '\0' && memcmp(&before, &dialect, sizeof(dialect)) == 0);
		return;
	}
	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++) {
		REQUIRE(dialect.value[i] >= 0);
		changed += dialect.value[i] != before.value[i];
	}
	REQUIRE(changed <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[RULE_TEXT * 2];

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		if (len >= sizeof(text))
			return 0;
		memcpy(text, data, len);
		text[len] = '\0';
		check_fault(text);
		check_rate(text);
		check_behaviour(text);
		len += end != NULL;
		data += len;
		size -= len;
	}
	return 0;
}
