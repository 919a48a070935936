#include "tests/support/sought.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#define AREA_MAX ((uint64_t)1 << 26) /* a sanitizer reserves more than can be read */

static void count_in(int memory, uint64_t from, uint64_t to, struct sought *all)
{
	size_t len = (size_t)(to - from);
	char *bytes = malloc(len);
	ssize_t got;

	assert_non_null(bytes);
	got = pread(memory, bytes, len, (off_t)from);
	for (; all->bytes != NULL; all++)
		for (const char *at = bytes; got > 0; at++, all->count++) {
			size_t sought = all->len > 0 ? all->len : strlen(all->bytes);

			at = memmem(at, (size_t)(bytes + got - at), all->bytes, sought);
			if (at == NULL)
				break;
		}
	free(bytes);
}

void sought_count(pid_t pid, struct sought *all)
{
	char path[64], line[512];
	size_t areas = 0;
	FILE *maps;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	assert_true(memory >= 0 && maps != NULL);
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *end;
		uint64_t from = strtoull(line, &end, 16), to = strtoull(end + 1, &end, 16);

		if (strncmp(end, " rw", 3) != 0 || to - from > AREA_MAX)
			continue;
		count_in(memory, from, to, all);
		areas++;
	}
	assert_true(areas > 0);
	fclose(maps);
	close(memory);
}
