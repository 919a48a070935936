/* What fault rules and rates have in common. */
#include "scim-push/sandbox/words.h"

#include <stdlib.h>
#include <string.h>

bool words_split(struct words *words, const char *text)
{
	size_t count = 0;
	char *at = words->text;

	*words = (struct words){0};
	if (strlen(text) >= sizeof(words->text))
		return false;
	(void)memcpy(words->text, text, strlen(text) + 1);
	for (at += strspn(at, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		if (count == WORDS_MAX)
			return false;
		words->list[count++] = at;
		at += strcspn(at, " \t");
		if (*at != '\0')
			*at++ = '\0';
	}
	return true;
}

bool words_are_over(const struct words *words)
{
	return words->list[words->at] == NULL;
}

bool words_accept(struct words *words, const char *word)
{
	if (words_are_over(words) || strcmp(words->list[words->at], word) != 0)
		return false;
	words->at++;
	return true;
}

bool words_take_text(struct words *words, char *out, size_t size)
{
	const char *word = words->list[words->at];

	if (word == NULL || strlen(word) >= size)
		return false;
	(void)memcpy(out, word, strlen(word) + 1);
	words->at++;
	return true;
}

bool words_take_number(struct words *words, long least, long most, long *out)
{
	const char *word = words->list[words->at];
	char *end;
	long value;

	if (word == NULL || word[0] < '0' || word[0] > '9' || strlen(word) > 10)
		return false;
	value = strtol(word, &end, 10);
	if (*end != '\0' || value < least || value > most)
		return false;
	*out = value;
	words->at++;
	return true;
}

bool words_take_method(struct words *words, char *out, size_t size)
{
	static const char *const methods[] = {"*", "GET", "POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!words_are_over(words) && strcmp(words->list[words->at], methods[i]) == 0)
			return words_take_text(words, out, size);
	return false;
}

bool words_take_path(struct words *words, char *out, size_t size)
{
	if (words_are_over(words) ||
	    (words->list[words->at][0] != '/' && strcmp(words->list[words->at], "*") != 0))
		return false;
	return words_take_text(words, out, size);
}

bool words_match(const char *rule_method, const char *rule_path, const char *method, const char *target)
{
	return (strcmp(rule_method, "*") == 0 || strcmp(rule_method, method) == 0) &&
	       (strcmp(rule_path, "*") == 0 || strncmp(target, rule_path, strlen(rule_path)) == 0);
}
