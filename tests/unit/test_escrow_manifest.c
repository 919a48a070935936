/*
 * Manifests of the escrow: what is written is read again, a changed, moved, missing or foreign line is found, a line that
 * was cut off at the end is no harm, and what several of them say comes to one statement for each membership.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escrow/ledger.h"
#include "escrow/volume.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define FORMER "fedcba9876543210fedcba9876543210"

static const struct escrow_keys keys = {KEY, ""};

struct folder {
	char path[32];
	char file[160]; /* of the only manifest */
};

static struct escrow_line line_of(enum escrow_kind kind, const char *person, int64_t at, int64_t end)
{
	return (struct escrow_line){.kind = kind,
				    .at_ms = at,
				    .end_ms = end,
				    .application = "aws",
				    .group = "g1",
				    .principal = person,
				    .group_name = kind == ESCROW_ADD ? "Admins \\ \t of\nall" : "",
				    .group_id = kind == ESCROW_ADD ? "G-1" : "",
				    .user_name = kind == ESCROW_ADD ? person : "",
				    .user_id = kind == ESCROW_ADD ? "U-1" : "",
				    .assignment = kind == ESCROW_ADD ? "r1" : ""};
}

static void append(struct volume *volume, const struct escrow_line *line)
{
	struct errctx ec = {""};
	struct buf lines;

	buf_init(&lines, ESCROW_LINE_MAX);
	escrow_line_print(line, &lines);
	buf_adds(&lines, "\n");
	if (volume_append(volume, buf_text(&lines), false, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	buf_release(&lines);
}

static void open_volume(struct volume *volume, const struct folder *folder)
{
	struct errctx ec = {""};

	volume_init(volume, folder->path, &keys);
	if (volume_open(volume, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
}

static void open_in(struct volume *volume, const char *path)
{
	struct folder folder;

	snprintf(folder.path, sizeof(folder.path), "%s", path);
	assert_int_equal(mkdir(path, 0700), 0);
	open_volume(volume, &folder);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/jit-escrow-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

/* Three people are added, the second gets another end, the third is gone. */
static void write_story(struct folder *folder)
{
	struct volume volume;
	struct escrow_line lines[] = {
		line_of(ESCROW_ADD, "ann", 10, 1000), line_of(ESCROW_ADD, "ben", 20, 1000),
		line_of(ESCROW_ADD, "cay", 30, 1000), line_of(ESCROW_END, "ben", 40, 5000),
		line_of(ESCROW_GONE, "cay", 1100, 0),
	};

	open_volume(&volume, folder);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		append(&volume, &lines[i]);
	snprintf(folder->file, sizeof(folder->file), "%s/%s%s", folder->path, volume.name, MANIFEST_SUFFIX);
	volume_close(&volume);
}

static struct ledger *read_file(const struct folder *folder, struct manifest_file *file)
{
	struct ledger *ledger = ledger_new();
	struct manifest_to to = {ledger_take, ledger, 0};
	struct errctx ec = {""};

	assert_non_null(ledger);
	if (manifest_read(folder->file, &keys, &to, file, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	return ledger;
}

static const struct escrow_line *entry(const struct ledger *ledger, const char *person)
{
	for (size_t i = 0; i < ledger_count(ledger); i++)
		if (strcmp(ledger_at(ledger, i)->line.principal, person) == 0)
			return &ledger_at(ledger, i)->line;
	fail_msg("nothing about %s", person);
	return NULL;
}

static void test_what_is_written_is_read(void **state)
{
	struct folder *folder = *state;
	struct manifest_file file;
	struct ledger *ledger;

	write_story(folder);
	ledger = read_file(folder, &file);
	assert_false(file.reader.is_broken);
	assert_false(file.is_cut);
	assert_int_equal(file.reader.lines, 6);
	assert_int_equal(file.good_size, file.size);
	assert_int_equal(ledger_count(ledger), 3);
	assert_int_equal(entry(ledger, "ann")->end_ms, 1000);
	assert_string_equal(entry(ledger, "ann")->group_name, "Admins \\ \t of\nall");
	assert_int_equal(entry(ledger, "ben")->end_ms, 5000);
	assert_string_equal(entry(ledger, "ben")->user_id, "U-1");
	assert_int_equal(entry(ledger, "cay")->kind, ESCROW_GONE);
	ledger_free(ledger);
}

static char *load(const char *path, size_t *len)
{
	struct stat st;
	FILE *file = fopen(path, "rb");
	char *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = calloc(1, (size_t)st.st_size + 1);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	*len = (size_t)st.st_size;
	return bytes;
}

static void store(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* The n-th line begins here, from 0. */
static size_t line_start(const char *bytes, size_t n)
{
	const char *at = bytes;

	while (n-- > 0)
		at = strchr(at, '\n') + 1;
	return (size_t)(at - bytes);
}

static void expect_broken(struct folder *folder, int64_t good_lines)
{
	struct manifest_file file;
	struct ledger *ledger = read_file(folder, &file);

	assert_true(file.reader.is_broken);
	assert_int_equal(file.reader.lines, good_lines);
	ledger_free(ledger);
}

static void test_any_changed_byte_is_found(void **state)
{
	struct folder *folder = *state;
	size_t len, line = 0;
	char *bytes;

	write_story(folder);
	bytes = load(folder->file, &len);
	for (size_t i = 0; i + 1 < len; i++) {
		char was = bytes[i];

		bytes[i] = was == 'x' ? 'y' : 'x';
		store(folder->file, bytes, len);
		expect_broken(folder, (int64_t)line);
		bytes[i] = was;
		line += was == '\n' ? 1 : 0;
	}
	free(bytes);
}

static void test_a_missing_or_moved_line_is_found(void **state)
{
	struct folder *folder = *state;
	size_t len, second, third, fourth;
	char *bytes, *moved;

	write_story(folder);
	bytes = load(folder->file, &len);
	second = line_start(bytes, 1);
	third = line_start(bytes, 2);
	fourth = line_start(bytes, 3);
	moved = calloc(1, len + 1);
	memcpy(moved, bytes, second);
	memcpy(moved + second, bytes + third, len - third);
	store(folder->file, moved, len - (third - second));
	expect_broken(folder, 1);
	memcpy(moved + second, bytes + third, fourth - third);
	memcpy(moved + second + (fourth - third), bytes + second, third - second);
	memcpy(moved + fourth, bytes + fourth, len - fourth);
	store(folder->file, moved, len);
	expect_broken(folder, 1);
	free(moved);
	free(bytes);
}

static void test_a_cut_line_is_no_harm(void **state)
{
	struct folder *folder = *state;
	struct escrow_line more = line_of(ESCROW_ADD, "dan", 50, 2000);
	struct manifest_file file;
	struct ledger *ledger;
	struct volume volume;
	size_t len;
	char *bytes;

	write_story(folder);
	bytes = load(folder->file, &len);
	store(folder->file, bytes, len - 5);
	free(bytes);
	ledger = read_file(folder, &file);
	assert_true(file.is_cut);
	assert_false(file.reader.is_broken);
	assert_int_equal(file.reader.lines, 5);
	assert_int_equal(entry(ledger, "cay")->kind, ESCROW_ADD);
	ledger_free(ledger);
	/* The writer goes on behind the last good line. */
	open_volume(&volume, folder);
	assert_false(volume.set_aside);
	append(&volume, &more);
	volume_close(&volume);
	ledger = read_file(folder, &file);
	assert_false(file.is_cut || file.reader.is_broken);
	assert_int_equal(entry(ledger, "dan")->end_ms, 2000);
	ledger_free(ledger);
}

static void test_a_broken_one_is_kept_aside(void **state)
{
	struct folder *folder = *state;
	struct manifest_names names;
	struct volume volume;
	struct errctx ec;
	size_t len;
	char *bytes;

	write_story(folder);
	bytes = load(folder->file, &len);
	bytes[len / 2] ^= 1;
	store(folder->file, bytes, len);
	free(bytes);
	open_volume(&volume, folder);
	assert_true(volume.set_aside);
	volume_close(&volume);
	assert_int_equal(manifest_names(folder->path, &names, &ec), ERR_OK);
	assert_int_equal(names.count, 2);
	manifest_names_release(&names);
}

static void test_another_key(void **state)
{
	static const struct escrow_keys other = {FORMER, ""}, rotated = {FORMER, KEY};
	struct folder *folder = *state;
	struct manifest_file file;
	struct errctx ec = {""};
	struct volume volume;

	write_story(folder);
	assert_int_equal(manifest_read(folder->file, &other, NULL, &file, &ec), ERR_OK);
	assert_true(file.reader.is_broken);
	assert_int_equal(manifest_read(folder->file, &rotated, NULL, &file, &ec), ERR_OK);
	assert_false(file.reader.is_broken);
	/* What the former key has sealed goes on under the new one. */
	volume_init(&volume, folder->path, &rotated);
	assert_int_equal(volume_open(&volume, &ec), ERR_OK);
	volume_close(&volume);
	assert_int_equal(manifest_read(folder->file, &other, NULL, &file, &ec), ERR_OK);
	assert_false(file.reader.is_broken);
	assert_int_equal(file.reader.lines, 3); /* the head, and who is not gone */
}

/* Whoever deletes it under the writer's hands is found out; the next call begins a new one. */
static void test_a_deleted_one_is_told(void **state)
{
	struct folder *folder = *state;
	struct escrow_line more = line_of(ESCROW_ADD, "dan", 50, 2000);
	struct manifest_file file;
	struct errctx ec = {""};
	struct ledger *ledger;
	struct volume volume;

	write_story(folder);
	open_volume(&volume, folder);
	assert_int_equal(unlink(folder->file), 0);
	assert_int_equal(volume_open(&volume, &ec), ERR_IO);
	assert_non_null(strstr(ec.text, "deleted"));
	assert_int_equal(volume_open(&volume, &ec), ERR_OK);
	append(&volume, &more);
	volume_close(&volume);
	ledger = read_file(folder, &file);
	assert_int_equal(entry(ledger, "dan")->end_ms, 2000);
	ledger_free(ledger);
}

/* A file that grows is written anew with what is not over; it does not grow for ever. */
static void test_it_stays_bounded(void **state)
{
	struct folder *folder = *state;
	struct manifest_file file;
	struct errctx ec = {""};
	struct volume volume;
	struct ledger *ledger;
	int64_t most = 0;

	write_story(folder);
	open_volume(&volume, folder);
	for (int64_t i = 0; i < 3000; i++) {
		struct escrow_line add = line_of(ESCROW_ADD, "eve", 2000 + 2 * i, 9000 + i);
		struct escrow_line gone = line_of(ESCROW_GONE, "eve", 2001 + 2 * i, 0);

		append(&volume, &add);
		append(&volume, &gone);
		assert_int_equal(volume_compact(&volume, NULL, &ec), ERR_OK);
		most = volume.size > most ? volume.size : most;
	}
	volume_close(&volume);
	assert_true(most < 300 * 1024);
	ledger = read_file(folder, &file);
	assert_false(file.reader.is_broken);
	assert_int_equal(entry(ledger, "ann")->end_ms, 1000);
	assert_int_equal(entry(ledger, "ben")->end_ms, 5000);
	ledger_free(ledger);
}

/* Brokers of one folder: each has its own file, and what one says is over stays so although another's file is older. */
static void test_several_brokers(void **state)
{
	struct folder *folder = *state;
	struct escrow_line add = line_of(ESCROW_ADD, "ann", 10, 1000);
	struct escrow_line gone = line_of(ESCROW_GONE, "ann", 1010, 0);
	struct volume one, two, three;
	struct errctx ec = {""};
	struct manifest_file file;
	struct ledger *ledger;

	open_volume(&one, folder);
	open_volume(&two, folder);
	assert_string_not_equal(one.name, two.name);
	append(&one, &add);
	append(&two, &gone);
	assert_int_equal(volume_compact(&two, &two, &ec), ERR_OK);
	snprintf(folder->file, sizeof(folder->file), "%s/%s%s", folder->path, two.name, MANIFEST_SUFFIX);
	ledger = read_file(folder, &file);
	assert_int_equal(entry(ledger, "ann")->kind, ESCROW_GONE);
	ledger_free(ledger);
	/* Once the other one has forgotten it, it may be forgotten. */
	assert_int_equal(volume_compact(&one, &one, &ec), ERR_OK);
	volume_close(&one);
	open_volume(&three, folder);
	assert_string_equal(one.name, three.name);
	volume_close(&two);
	volume_close(&three);
}

/* The manifest of that volume, as it is on the disk. */
static struct ledger *read_volume(const struct volume *volume)
{
	struct manifest_file file;
	struct folder folder;

	snprintf(folder.file, sizeof(folder.file), "%.32s/%.96s%s", volume->folder, volume->name,
		 MANIFEST_SUFFIX);
	return read_file(&folder, &file);
}

struct twins {
	struct volume one, two;
};

static void open_twins(struct twins *twins, const struct folder *folder)
{
	char path[sizeof(folder->path)];

	snprintf(path, sizeof(path), "%.24s/1", folder->path);
	open_in(&twins->one, path);
	snprintf(path, sizeof(path), "%.24s/2", folder->path);
	open_in(&twins->two, path);
}

/* As a broker does at its start. */
static void catch_up(struct twins *twins)
{
	struct errctx ec = {""};

	assert_int_equal(volume_compact(&twins->one, &twins->two, &ec), ERR_OK);
	assert_int_equal(volume_compact(&twins->two, &twins->one, &ec), ERR_OK);
}

/* A folder that was away has the older statements, in whichever order the two are read. */
static void test_a_stale_twin_learns(void **state)
{
	struct escrow_line add = line_of(ESCROW_ADD, "ann", 10, 100);
	struct escrow_line end = line_of(ESCROW_END, "ann", 20, 300);
	struct escrow_line other = line_of(ESCROW_ADD, "ben", 10, 100);
	struct escrow_line gone = line_of(ESCROW_GONE, "ben", 110, 0);
	struct twins twins;

	open_twins(&twins, *state);
	append(&twins.one, &add);
	append(&twins.one, &end);
	append(&twins.one, &other);
	append(&twins.one, &gone);
	append(&twins.two, &add);
	append(&twins.two, &other);
	catch_up(&twins);
	for (const struct volume *volume = &twins.one; volume != NULL;
	     volume = volume == &twins.one ? &twins.two : NULL) {
		struct ledger *ledger = read_volume(volume);

		assert_int_equal(entry(ledger, "ann")->end_ms, 300);
		for (size_t i = 0; i < ledger_count(ledger); i++)
			assert_true(strcmp(ledger_at(ledger, i)->line.principal, "ben") != 0 ||
				    ledger_at(ledger, i)->line.kind == ESCROW_GONE);
		ledger_free(ledger);
	}
	volume_close(&twins.one);
	volume_close(&twins.two);
}

/* That something is over is kept for whoever says otherwise, and not for whoever says the same. */
static void test_what_is_over_is_forgotten(void **state)
{
	struct folder *folder = *state;
	struct escrow_line add = line_of(ESCROW_ADD, "ann", 10, 1000);
	struct escrow_line gone = line_of(ESCROW_GONE, "ann", 1010, 0);
	struct volume one, two;
	struct errctx ec = {""};
	struct ledger *ledger;

	open_volume(&one, folder);
	open_volume(&two, folder);
	append(&one, &add);
	append(&two, &gone);
	assert_int_equal(volume_compact(&two, &two, &ec), ERR_OK);
	append(&one, &gone);
	assert_int_equal(volume_compact(&one, &one, &ec), ERR_OK);
	ledger = read_volume(&one);
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	append(&one, &gone);
	assert_int_equal(volume_compact(&two, &two, &ec), ERR_OK);
	ledger = read_volume(&two);
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	volume_close(&one);
	volume_close(&two);
}

/* One that cannot be read keeps nobody from writing anew; but it may say what ours says is over. */
static void test_an_unreadable_one_is_passed_over(void **state)
{
	struct folder *folder = *state;
	struct escrow_line add = line_of(ESCROW_ADD, "ann", 10, 1000);
	struct escrow_line gone = line_of(ESCROW_GONE, "ann", 1010, 0);
	struct errctx ec = {""};
	struct volume volume;
	struct ledger *ledger;
	char path[64];

	open_volume(&volume, folder);
	append(&volume, &add);
	append(&volume, &gone);
	snprintf(path, sizeof(path), "%s/other%s", folder->path, MANIFEST_SUFFIX);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(volume_compact(&volume, &volume, &ec), ERR_OK);
	assert_non_null(strstr(ec.text, path));
	ledger = read_volume(&volume);
	assert_int_equal(entry(ledger, "ann")->kind, ESCROW_GONE);
	ledger_free(ledger);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(volume_compact(&volume, &volume, &ec), ERR_OK);
	ledger = read_volume(&volume);
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	volume_close(&volume);
}

#define SOMEBODY 65534

static void expect_owner(const struct folder *folder, const char *name, const char *suffix)
{
	char path[192];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s%s", folder->path, name, suffix);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
}

/* Whoever drains as root leaves nothing behind that the brokers cannot open. */
static void test_root_keeps_nothing(void **state)
{
	struct folder *folder = *state;
	struct volume volume;

	if (geteuid() != 0)
		skip();
	write_story(folder); /* while the folder is root's */
	assert_int_equal(chown(folder->path, SOMEBODY, SOMEBODY), 0);
	open_volume(&volume, folder);
	expect_owner(folder, volume.name, MANIFEST_SUFFIX);
	expect_owner(folder, volume.name, ".lock");
	assert_int_equal(unlink(folder->file), 0);
	volume_close(&volume);
	open_volume(&volume, folder);
	expect_owner(folder, volume.name, MANIFEST_SUFFIX);
	volume_close(&volume);
}

static void test_what_was_said_last_counts(void **state)
{
	static const struct {
		struct {
			size_t file;
			enum escrow_kind kind;
			int64_t at, end;
		} said[4];
		enum escrow_kind kind;
		int64_t end;
	} rows[] = {
		{{{0, ESCROW_ADD, 10, 100}, {1, ESCROW_END, 20, 300}}, ESCROW_ADD, 300},
		{{{1, ESCROW_END, 20, 300}, {2, ESCROW_ADD, 10, 100}}, ESCROW_ADD, 300},
		{{{0, ESCROW_ADD, 10, 100}, {1, ESCROW_END, 20, 20}}, ESCROW_ADD, 20},
		{{{0, ESCROW_ADD, 10, 100}, {1, ESCROW_GONE, 20, 0}, {2, ESCROW_ADD, 30, 90}},
		 ESCROW_ADD,
		 90},
		{{{0, ESCROW_ADD, 30, 100}, {1, ESCROW_GONE, 20, 0}}, ESCROW_ADD, 100},
		{{{0, ESCROW_ADD, 10, 100}, {0, ESCROW_GONE, 10, 0}}, ESCROW_GONE, 0},
		{{{0, ESCROW_ADD, 10, 100}, {0, ESCROW_END, 20, 300}, {LEDGER_TWIN, ESCROW_ADD, 10, 100}},
		 ESCROW_ADD,
		 300},
		{{{0, ESCROW_ADD, 10, 100}, {LEDGER_TWIN, ESCROW_END, 20, 300}}, ESCROW_ADD, 300},
		{{{0, ESCROW_ADD, 10, 100}, {1, ESCROW_ADD, 10, 200}, {2, ESCROW_ADD, 10, 150}},
		 ESCROW_ADD,
		 200},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ledger *ledger = ledger_new();

		for (size_t k = 0; k < 4 && rows[i].said[k].at > 0; k++) {
			struct escrow_line line =
				line_of(rows[i].said[k].kind, "ann", rows[i].said[k].at, rows[i].said[k].end);

			assert_true(ledger_take(ledger, rows[i].said[k].file, &line));
		}
		assert_int_equal(ledger_count(ledger), 1);
		assert_int_equal(entry(ledger, "ann")->kind, rows[i].kind);
		assert_int_equal(entry(ledger, "ann")->end_ms, rows[i].end);
		assert_string_equal(entry(ledger, "ann")->group_id, "G-1");
		ledger_free(ledger);
	}
}

static void test_many(void **state)
{
	struct ledger *ledger = ledger_new();
	char person[32];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 5000; i++) {
			struct escrow_line line;

			snprintf(person, sizeof(person), "person-%d", i);
			line = line_of(ESCROW_ADD, person, 10 + round, 100 + round);
			assert_true(ledger_take(ledger, 0, &line));
		}
	assert_int_equal(ledger_count(ledger), 5000);
	assert_int_equal(entry(ledger, "person-4711")->end_ms, 101);
	ledger_free(ledger);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_what_is_written_is_read),
		IN_FOLDER(test_any_changed_byte_is_found),
		IN_FOLDER(test_a_missing_or_moved_line_is_found),
		IN_FOLDER(test_a_cut_line_is_no_harm),
		IN_FOLDER(test_a_broken_one_is_kept_aside),
		IN_FOLDER(test_another_key),
		IN_FOLDER(test_a_deleted_one_is_told),
		IN_FOLDER(test_it_stays_bounded),
		IN_FOLDER(test_several_brokers),
		IN_FOLDER(test_a_stale_twin_learns),
		IN_FOLDER(test_what_is_over_is_forgotten),
		IN_FOLDER(test_an_unreadable_one_is_passed_over),
		IN_FOLDER(test_root_keeps_nothing),
		cmocka_unit_test(test_what_was_said_last_counts),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
