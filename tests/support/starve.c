#include "tests/support/starve.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

/* In memory of this process, or in a file that is shared with another one. */
struct starve {
	atomic_long left; /* allocations until the first that fails; 0 = none will */
	atomic_long failed;
	atomic_bool rest;
};

static struct starve own;
static struct starve *felt = &own;    /* what this process' allocations ask */
static struct starve *steered = &own; /* what the test says */

/* What the linker makes of the names when it is told --wrap=NAME. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
/* libyaml's own names; those of the program come first. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *memory, size_t size);

static bool fails(void)
{
	long left = atomic_load(&felt->left);

	while (left > 0 && !atomic_compare_exchange_weak(&felt->left, &left, left - 1))
		;
	if (left > 1 || (left == 0 && !(atomic_load(&felt->rest) && atomic_load(&felt->failed) > 0)))
		return false;
	atomic_fetch_add(&felt->failed, 1);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strndup(const char *text, size_t len)
{
	size_t size = strnlen(text, len);
	char *copy = __wrap_malloc(size + 1);

	if (copy != NULL) {
		memcpy(copy, text, size);
		copy[size] = '\0';
	}
	return copy;
}

char *__wrap_strdup(const char *text)
{
	return __wrap_strndup(text, strlen(text));
}

void *yaml_malloc(size_t size)
{
	return __wrap_malloc(size > 0 ? size : 1);
}

void *yaml_realloc(void *memory, size_t size)
{
	return __wrap_realloc(memory, size > 0 ? size : 1);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_malloc(size);
}

static void *crypto_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_realloc(memory, size);
}

static void crypto_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

void starve_from(long n, enum starve_how how)
{
	atomic_store(&steered->failed, 0);
	atomic_store(&steered->rest, how == STARVE_REST);
	atomic_store(&steered->left, n);
}

long starve_failed(void)
{
	return atomic_load(&steered->failed);
}

long starve_end(void)
{
	atomic_store(&steered->left, 0);
	atomic_store(&steered->rest, false);
	return atomic_load(&steered->failed);
}

static struct starve *share(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(struct starve)) == 0)
		memory = mmap(NULL, sizeof(struct starve), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		perror(path);
	if (fd >= 0)
		close(fd);
	return memory != MAP_FAILED ? memory : NULL;
}

bool starve_others(const char *path)
{
	struct starve *shared = share(path, O_CREAT | O_TRUNC);

	if (shared != NULL)
		steered = shared;
	return shared != NULL && setenv(STARVE_FILE, path, 1) == 0;
}

/* Before main(), so that no library has allocated anything yet. */
__attribute__((constructor)) static void take_over(void)
{
	cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};
	const char *path = getenv(STARVE_FILE);

	cJSON_InitHooks(&hooks);
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1 ||
	    curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, free, __wrap_realloc, __wrap_strdup,
				 __wrap_calloc) != CURLE_OK ||
	    (path != NULL && (felt = share(path, 0)) == NULL)) {
		fprintf(stderr, "memory cannot be made to run out\n");
		abort();
	}
}
