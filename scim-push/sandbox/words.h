/* The words of a rule, read one by one. What is taken is taken whole or not at all. Pure. */
#ifndef SANDBOX_WORDS_H
#define SANDBOX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define RULE_TEXT 1024
#define WORDS_MAX 12

struct words {
	char text[RULE_TEXT];
	const char *list[WORDS_MAX + 1]; /* into `text`; NULL behind the last one */
	size_t at;
};

/* Splits at blanks. False: too long, or too many. */
bool words_split(struct words *words, const char *text);
bool words_are_over(const struct words *words);
/* Steps over the next word if it is this one. */
bool words_accept(struct words *words, const char *word);
bool words_take_text(struct words *words, char *out, size_t size);
bool words_take_number(struct words *words, long least, long most, long *out);
/* GET, POST, PUT, PATCH, DELETE or *, and a prefix of the target or *. */
bool words_take_method(struct words *words, char *out, size_t size);
bool words_take_path(struct words *words, char *out, size_t size);

/* Does the request go by these? */
bool words_match(const char *rule_method, const char *rule_path, const char *method, const char *target);

#endif
