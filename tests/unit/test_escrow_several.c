/*
 * Several manifests: those of the brokers of one folder, and of one broker in two folders. What they say comes to one
 * statement for each membership, the last one, and what is over is forgotten once nobody says otherwise.
 */
#include "tests/unit/test_escrow_folder.h"

static void open_in(struct volume *volume, const char *path)
{
	struct folder folder;

	snprintf(folder.path, sizeof(folder.path), "%s", path);
	assert_int_equal(mkdir(path, 0700), 0);
	open_volume(volume, &folder);
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

	assert_int_equal(geteuid(), 0); /* nobody else can show it */
	write_story(folder);            /* while the folder is root's */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
