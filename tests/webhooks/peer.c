/*
 * Signs and verifies webhooks for another program: one command a line, one answer a line.
 *
 *     sign SECRETS ID TIMESTAMP BODY                   answers "signed HEADER" or "refused"
 *     verify SECRETS ID TIMESTAMP BODY SIGNATURE NOW   answers "valid" or "refused REASON"
 *
 * SECRETS are separated by commas; NOW is in Unix milliseconds; the others are written in hexadecimal behind an
 * 'x', or "-" where the header is missing. A line that is not of this form, or with a secret that is not
 * accepted, is answered "bad".
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webhook/standard.h"

#define WORDS    7
#define LINE_MAX (3 * (size_t)SIGNING_BODY_MAX)

/* The words of a line, each terminated; how many there are, at most WORDS. */
static size_t split(char *line, char *words[WORDS])
{
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	while (count < WORDS && *line != '\0') {
		size_t len = strcspn(line, " ");

		words[count++] = line;
		line += len;
		if (*line == ' ')
			*line++ = '\0';
	}
	return count;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* Decodes a word in its place; *text is NULL for "-". False when it is not of the form. */
static bool decode(char *word, char **text, size_t *len)
{
	*text = NULL;
	*len = 0;
	if (strcmp(word, "-") == 0)
		return true;
	if (*word++ != 'x')
		return false;
	*text = word;
	for (const char *p = word; *p != '\0'; p += 2) {
		int high = hex_value(p[0]), low = high < 0 ? -1 : hex_value(p[1]);

		if (low < 0)
			return false;
		word[(*len)++] = (char)(high * 16 + low);
	}
	word[*len] = '\0';
	return true;
}

static bool add_secrets(char *list, struct signing_keys *keys)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		char *next = list + len + (list[len] == ',' ? 1 : 0);

		list[len] = '\0';
		if (webhook_key_add(keys, list, NULL) != ERR_OK)
			return false;
		list = next;
	}
	return true;
}

static void sign(const struct signing_keys *keys, const struct webhook_message *message)
{
	char header[WEBHOOK_HEADER_SIZE];

	if (webhook_sign(keys, message, header) == ERR_OK)
		printf("signed %s\n", header);
	else
		puts("refused");
}

static void verify(const struct signing_keys *keys, const struct webhook_message *message,
		   const char *signature, const char *now)
{
	enum signing_verdict verdict = webhook_verify(keys, message, signature, strtoll(now, NULL, 10));

	if (verdict == SIGNING_VALID)
		puts("valid");
	else
		printf("refused %s\n", signing_reason(verdict));
}

static bool answer(char *line)
{
	char *words[WORDS], *id, *timestamp, *body, *signature;
	struct signing_keys keys = {.count = 0};
	size_t count = split(line, words), len, ignored;
	struct webhook_message message;

	if (count < 5 || !add_secrets(words[1], &keys) || !decode(words[2], &id, &ignored) ||
	    !decode(words[3], &timestamp, &ignored) || !decode(words[4], &body, &len))
		return false;
	message = (struct webhook_message){id, timestamp, body, len};
	if (strcmp(words[0], "sign") == 0 && count == 5 && id != NULL && timestamp != NULL)
		sign(&keys, &message);
	else if (strcmp(words[0], "verify") == 0 && count == 7 && decode(words[5], &signature, &ignored))
		verify(&keys, &message, signature, words[6]);
	else
		return false;
	return true;
}

int main(void)
{
	char *line = malloc(LINE_MAX);

	if (line == NULL)
		return 1;
	while (fgets(line, (int)LINE_MAX, stdin) != NULL) {
		if (!answer(line))
			puts("bad");
		fflush(stdout);
	}
	free(line);
	return 0;
}
