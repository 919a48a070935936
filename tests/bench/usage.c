#include "tests/bench/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t read_file(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		len = fread(out, 1, size - 1, file);
		fclose(file);
	}
	out[len] = '\0';
	return len;
}

int64_t usage_cpu_ms(pid_t pid)
{
	char text[1024];
	unsigned long user = 0, system = 0;

	read_file(pid, "stat", text, sizeof(text));
	/* Behind the name, which may hold anything, utime is the twelfth and stime the thirteenth. */
	const char *at = strrchr(text, ')');
	for (int field = 0; at != NULL && field < 12; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return 0;
	char *end;
	user = strtoul(at, &end, 10);
	system = strtoul(end, NULL, 10);
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

size_t usage_rss_kib(pid_t pid)
{
	char text[4096];

	read_file(pid, "status", text, sizeof(text));
	const char *at = strstr(text, "VmRSS:");
	return at != NULL ? strtoul(at + strlen("VmRSS:"), NULL, 10) : 0;
}

size_t usage_setting(const char *name, size_t fallback)
{
	const char *text = getenv(name);
	size_t number = text != NULL ? strtoul(text, NULL, 10) : 0;

	return number > 0 ? number : fallback;
}
