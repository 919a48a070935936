/* Takes deploy/redis.acl line by line. */
#include "tests/support/redis_acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/digest.h"

#define ZEROS    "0000000000000000000000000000000000000000000000000000000000000000"
#define REPLICA  "#user jit-replica "
#define LOCK_OUT "user default off\n"

void redis_acl_copy(const char *path, const char *password, const char *without)
{
	char line[2048], hash[SHA256_HEX];
	FILE *from = fopen("deploy/redis.acl", "r");
	FILE *to = fopen(path, "w");
	assert_non_null(from);
	assert_non_null(to);
	digest_sha256_hex(password, strlen(password), hash);
	while (fgets(line, sizeof(line), from) != NULL) {
		char *zeros = strstr(line, ZEROS);
		char *word = without != NULL ? strstr(line, without) : NULL;
		size_t skip = strncmp(line, REPLICA, strlen(REPLICA)) == 0 ? 1 : 0;
		if (zeros != NULL)
			memcpy(zeros, hash, strlen(ZEROS));
		if (word != NULL)
			memset(word, ' ', strlen(without));
		if (strcmp(line, LOCK_OUT) != 0)
			assert_true(fputs(line + skip, to) >= 0);
	}
	assert_int_equal(fclose(from), 0);
	assert_int_equal(fclose(to), 0);
}

void redis_acl_password(const char *path, const char *password)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "%s\n", password) > 0); /* as an editor leaves it */
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}
