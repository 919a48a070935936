/*
 * Manifests of the escrow: what is written is read again, a changed, moved, missing or foreign line is found, and a line
 * that was cut off at the end is no harm.
 */
#include "tests/unit/test_escrow_folder.h"

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

/* Whoever deletes it under the writer's hands is found out, and deletes nothing that is not over. */
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
	assert_int_equal(volume_open(&volume, &ec), ERR_OK);
	assert_non_null(strstr(ec.text, "deleted"));
	append(&volume, &more);
	volume_close(&volume);
	ledger = read_file(folder, &file);
	assert_int_equal(entry(ledger, "dan")->end_ms, 2000);
	assert_int_equal(entry(ledger, "ann")->end_ms, 1000);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
