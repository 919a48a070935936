/* An application's terms: from the configuration to the words that the function library reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/core.h"
#include "broker/terms.h"

static void in_the_order_of_the_library(void **state)
{
	static struct config config;
	static struct config_application application;
	struct terms terms;
	char text[TERMS_SIZE], *rest = NULL;

	snprintf(application.id, sizeof(application.id), "aws");
	application.throttle = (struct throttle){
		.pushes = 5, .per_ms = 10000, .cycle_reserve = 3, .overflow_wait_ms = 7, .cycle_ms = 2400000};
	application.push_timeout_ms = 30000;
	application.scim.dialect = *dialect_row(DIALECT_AWS);
	application.quarantine_failures = 50;
	application.quarantine_share = 40;
	application.quarantine_slowest_ms = 7200000;
	config.log_keep_ms = 86400000;
	config.log_most = 900;
	terms_from(&config, &application, &terms);
	core_terms(&terms, text);
	/* The seventh is the phase, by the name. */
	rest = strstr(text, " 100 ");
	assert_non_null(rest);
	assert_memory_equal(text, "aws 5 10000 3 7 2400000 ", strlen("aws 5 10000 3 7 2400000 "));
	assert_string_equal(rest, " 100 30000 32000 50 40 86400000 900 7200000");
	/* In whole seconds: cycles of many applications begin together. */
	assert_int_equal(strtoll(text + strlen("aws 5 10000 3 7 2400000 "), NULL, 10) % 1000, 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_order_of_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
