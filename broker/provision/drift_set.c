#include "provision/drift_set.h"

#include <stdlib.h>
#include <string.h>

#include "scim-push/push.h"

void drift_set_release(struct drift_set *set)
{
	free(set->text);
	free(set->ids);
	free(set->known);
	*set = (struct drift_set){0};
}

static bool make_room(struct drift_set *set, size_t len)
{
	size_t cap = set->cap == 0 ? 4096 : set->cap;
	char *text;

	while (cap - set->len < len)
		cap *= 2;
	if (cap == set->cap)
		return true;
	text = cap <= DRIFT_SET_MAX ? realloc(set->text, cap) : NULL;
	if (text == NULL)
		return false;
	set->text = text;
	set->cap = cap;
	return true;
}

void drift_set_add(struct drift_set *set, const char *id)
{
	size_t len = strnlen(id, PUSH_ID_SIZE);

	if (len == 0 || len == PUSH_ID_SIZE || strpbrk(id, "\r\n") != NULL || set->failed)
		return;
	if (!make_room(set, len + 1)) {
		set->failed = true;
		return;
	}
	memcpy(set->text + set->len, id, len + 1);
	set->len += len + 1;
	set->count++;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pages may show somebody twice. */
static void leave_out_doubles(struct drift_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || strcmp(set->ids[kept - 1], set->ids[i]) != 0)
			set->ids[kept++] = set->ids[i];
	set->count = kept;
}

bool drift_set_sort(struct drift_set *set)
{
	const char *at = set->text;

	if (set->failed)
		return false;
	set->ids = calloc(set->count + 1, sizeof(*set->ids));
	set->known = calloc(set->count + 1, sizeof(*set->known));
	if (set->ids == NULL || set->known == NULL) {
		set->failed = true;
		return false;
	}
	for (size_t i = 0; i < set->count; i++, at += strlen(at) + 1)
		set->ids[i] = at;
	if (set->count > 1)
		qsort(set->ids, set->count, sizeof(*set->ids), by_text);
	leave_out_doubles(set);
	return true;
}

/* Is this one among them? Whoever is asked for is known. */
static bool has(struct drift_set *set, const char *id)
{
	const char **found =
		set->count > 0 ? bsearch(&id, set->ids, set->count, sizeof(*set->ids), by_text) : NULL;

	if (found != NULL)
		set->known[found - set->ids] = true;
	return found != NULL;
}

bool drift_set_compare(struct drift_set *set, const struct drift_row *row, enum drift_what *what)
{
	bool is_there = has(set, row->user);

	if (row->kind == DRIFT_EXPECTED)
		*what = DRIFT_MISSING;
	else
		*what = is_there ? DRIFT_RETURNED : DRIFT_ABSENT;
	return row->kind == DRIFT_EXPECTED ? !is_there : row->kind == DRIFT_GONE;
}

const char *drift_set_foreign(const struct drift_set *set, size_t *from)
{
	while (*from < set->count && set->known[*from])
		(*from)++;
	return *from < set->count ? set->ids[(*from)++] : NULL;
}

size_t drift_set_foreigners(const struct drift_set *set, size_t from)
{
	size_t count = 0;

	while (drift_set_foreign(set, &from) != NULL)
		count++;
	return count;
}
