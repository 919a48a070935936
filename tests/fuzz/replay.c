/*
 * The main function of a fuzz target where libFuzzer is not there: gives it every named file, and every file of
 * the named folders in the order of their names, once. Ends with 1 when there is none or one cannot be read, so
 * that a corpus cannot get lost unseen.
 */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX ((size_t)4 * 1024 * 1024)

static bool replay_file(const char *path, uint8_t *input)
{
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t len;

	if (file == NULL) {
		perror(path);
		return false;
	}
	len = fread(input, 1, INPUT_MAX, file);
	fclose(file);
	/* In memory of just its size, so that a sanitizer sees the first byte read beyond it. */
	exact = malloc(len > 0 ? len : 1);
	if (exact == NULL)
		return false;
	memcpy(exact, input, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return true;
}

/* How many files were given to the target, or -1 when one could not be. */
static int replay_folder(const char *folder, uint8_t *input)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort), replayed = 0;
	char path[4096];
	struct stat st;

	for (int i = 0; i < count; i++) {
		int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);

		free(names[i]);
		if (replayed < 0 || (len > 0 && stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
			continue;
		replayed = replay_file(path, input) ? replayed + 1 : -1;
	}
	free(names);
	return replayed;
}

static int replay(const char *path, uint8_t *input)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return replay_folder(path, input);
	return replay_file(path, input) ? 1 : -1;
}

int main(int argc, char **argv)
{
	uint8_t *input = malloc(INPUT_MAX);
	int replayed = 0;

	for (int i = 1; i < argc && input; i++) {
		int more = replay(argv[i], input);

		if (more < 0) {
			free(input);
			return 1;
		}
		replayed += more;
	}
	free(input);
	printf("%d inputs replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
