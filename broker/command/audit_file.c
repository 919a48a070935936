#include "command/audit_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/exported.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"

#define KEY_SIZE 256

/* The file's only line; "" when none is named. False after having said why not. */
static bool read_key(const char *path, char out[KEY_SIZE])
{
	FILE *file;
	size_t len;

	out[0] = '\0';
	if (path == NULL)
		return true;
	file = fopen(path, "re");
	len = file != NULL ? fread(out, 1, KEY_SIZE - 1, file) : 0;
	if (file == NULL)
		fprintf(stderr, "jit: %s: %s\n", path, strerror(errno));
	else
		fclose(file);
	out[len] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	if (file != NULL && out[0] == '\0')
		fprintf(stderr, "jit: %s holds no key\n", path);
	return out[0] != '\0';
}

static void print_json(const struct exported_report *r, bool with_key)
{
	struct buf out;

	buf_init(&out, 4096);
	buf_addf(&out,
		 "{\"intact\":%s,\"sealed\":%s,\"events\":%lld,\"seals\":%lld,\"lanes\":%lld,\"repeated\":%"
		 "lld,"
		 "\"cut\":%lld,\"unsealed\":%lld,\"unchecked\":%lld,\"break\":",
		 r->line == 0 ? "true" : "false", with_key ? "true" : "false", (long long)r->events,
		 (long long)r->seals, (long long)r->lanes, (long long)r->repeated, (long long)r->cut,
		 (long long)r->unsealed, (long long)r->unchecked);
	if (r->line == 0) {
		buf_adds(&out, "null}");
	} else {
		buf_addf(&out, "{\"line\":%lld,\"lane\":%lld,\"number\":%lld,\"what\":", (long long)r->line,
			 (long long)r->lane, (long long)r->number);
		json_add_string(&out, r->why.text);
		buf_adds(&out, "}}");
	}
	puts(buf_text(&out));
	buf_release(&out);
}

static void print_words(const struct exported_report *r, const char *path, bool with_key)
{
	if (r->line != 0) {
		printf("Not as it was written: %s:%lld, lane %lld, event %lld. %s\n", path,
		       (long long)r->line, (long long)r->lane, (long long)r->number, r->why.text);
		return;
	}
	printf("As it was written: %lld events, %lld seals%s, %lld lanes.", (long long)r->events,
	       (long long)r->seals, with_key ? "" : " (without a key: anybody could have made them)",
	       (long long)r->lanes);
	if (r->unsealed > 0)
		printf(" The last %lld have no seal yet.", (long long)r->unsealed);
	if (r->unchecked > 0)
		printf(" The first %lld are covered by seals over events before the file.",
		       (long long)r->unchecked);
	if (r->cut > 0)
		printf(" %lld lines were cut off.", (long long)r->cut);
	puts("");
}

int audit_verify_file(const struct options *options)
{
	const char *path = options->words[1];
	char key[KEY_SIZE], former[KEY_SIZE];
	struct exported_report report;
	bool with_key;
	FILE *file;
	enum err err;

	if (!read_key(options->key_file, key) || !read_key(options->former_key_file, former))
		return EXIT_USAGE;
	with_key = key[0] != '\0' || former[0] != '\0';
	file = fopen(path, "re");
	if (file == NULL) {
		fprintf(stderr, "jit: %s: %s\n", path, strerror(errno));
		return EXIT_USAGE;
	}
	err = exported_check(file, &(struct exported_keys){key, former}, &report);
	fclose(file);
	digest_wipe(key, sizeof(key));
	digest_wipe(former, sizeof(former));
	if (err != ERR_OK) {
		fprintf(stderr, "jit: %s: %s\n", path, err_message(err));
		return EXIT_UNAVAILABLE;
	}
	if (options->json)
		print_json(&report, with_key);
	else
		print_words(&report, path, with_key);
	return report.line == 0 ? EXIT_DONE : EXIT_BROKEN;
}
