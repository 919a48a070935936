/*
 * make torture: brokers, their store and applications are broken at random, for as long as TORTURE_SECONDS says, while
 * people come and go; then everything is healed, comes to rest, and is judged by its history (history.h, judge.h).
 *
 *	torture [--short]
 *
 * TORTURE_SECONDS (600), TORTURE_SEED (a number; otherwise one by chance, which is printed), TORTURE_STORE (cluster: six
 * nodes; or single). --short is the form within `make test`: one Redis, two fixed seeds one after the other (or the one of
 * TORTURE_SEED), fewer of everything. The seed decides what is done to whom and in which order; when exactly things happen
 * is the machine's affair.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/proc.h"
#include "tests/support/wait.h"
#include "tests/torture/approvers.h"
#include "tests/torture/closing.h"
#include "tests/torture/fault.h"
#include "tests/torture/judge.h"
#include "tests/torture/watch.h"

#ifdef __SANITIZE_ADDRESS__
#define AGAIN_VARIANT " VARIANT=asan"
#else
#define AGAIN_VARIANT ""
#endif
#define SHORT_SECONDS 12
#define LONG_SECONDS  600
#define STORM_GAP_MS  380  /* the longest between two faults in a storm … */
#define CALM_GAP_MS   1100 /* … and in the calm */
#define BACK_MS       2000 /* a store that is there again is found again */
#define CLUSTER_BACK_MS                                                                                      \
	5000           /* and a cluster has made up its mind by then, and the new master has a replica */
#define TARGET_MS 2000 /* one second is promised; one is for a busy machine */

struct plan {
	bool is_short, cluster;
	long seconds;
	uint64_t seed; /* 0 = those of the short form */
	/* Brokers and the store are struck in storms only; in the calm between them faults are fewer, so that ends are judged
	 * with less to excuse. */
	int64_t storm_ms, calm_ms;
	int64_t settle_ms; /* until all is as it is to be */
};

struct run {
	struct plan plan;
	struct history history;
	struct ground ground;
	struct load load;
	struct approvers approvers;
	struct watch watch;
	struct faults faults;
};

/* -- what is asked for -------------------------------------------------------------------------------------------- */

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static struct plan read_plan(int argc, char **argv)
{
	const char *store = getenv("TORTURE_STORE");
	struct plan plan = {.is_short = argc > 1 && strcmp(argv[1], "--short") == 0};

	plan.seconds = (long)number_of("TORTURE_SECONDS", plan.is_short ? SHORT_SECONDS : LONG_SECONDS);
	plan.seed = number_of("TORTURE_SEED",
			      plan.is_short ? 0 : (uint64_t)clock_wall_ms() % UINT64_C(1000000000) + 1);
	plan.cluster = store != NULL ? strcmp(store, "cluster") == 0 : !plan.is_short;
	plan.storm_ms = plan.is_short ? 4000 : 10000;
	plan.calm_ms = plan.is_short ? 4000 : 14000;
	plan.settle_ms = plan.is_short ? 60000 : 180000;
	return plan;
}

static void print_again(const struct plan *plan)
{
	printf("Again: TORTURE_SEED=%" PRIu64 " TORTURE_SECONDS=%ld TORTURE_STORE=%s ", plan->seed,
	       plan->seconds, plan->cluster ? "cluster" : "single");
	puts(plan->is_short ? "build/release/tests/torture/torture --short" : "make torture" AGAIN_VARIANT);
}

/* -- the run ------------------------------------------------------------------------------------------------------ */

static bool open_run(struct run *run)
{
	const struct plan *plan = &run->plan;
	struct ground_options options = {
		.apps = GROUND_APPS,
		.people_each = plan->is_short ? 2 : 3,
		.brokers = 3,
		.cluster = plan->cluster,
		.seed = plan->seed,
	};
	char path[PROC_PATH_SIZE + 32];

	/* Not in /tmp, which may become a disk that is filled. */
	if (!proc_build_path("torture-XXXXXX", run->ground.dir, sizeof(run->ground.dir)))
		return false;
	if (mkdtemp(run->ground.dir) == NULL) {
		perror(run->ground.dir);
		return false;
	}
	snprintf(path, sizeof(path), "%s/history.jsonl", run->ground.dir);
	if (!history_open(&run->history, path))
		return false;
	history_note(&run->history, "limits",
		     "\"pushes\":%d,\"window\":%d,\"cycle\":%d,\"push_timeout\":%d,\"request_timeout\":%d,"
		     "\"target\":%d,\"back\":%d",
		     PUSHES, WINDOW_MS, CYCLE_MS, PUSH_TIMEOUT_MS, ANSWER_TIMEOUT_MS, TARGET_MS,
		     plan->cluster ? CLUSTER_BACK_MS : BACK_MS);
	snprintf(run->ground.tools_log, sizeof(run->ground.tools_log), "%s/tools.log", run->ground.dir);
	island_make(&run->ground.island, run->ground.tools_log);
	return ground_open(&run->ground, &options, &run->history);
}

static bool turmoil(struct run *run)
{
	const struct plan *plan = &run->plan;
	int64_t begun = clock_mono_ms(), next = begun + 1000, now = begun;
	bool good = true;

	while (good && now < begun + plan->seconds * 1000) {
		good = faults_heal(&run->faults, false) && ground_look_after(&run->ground);
		now = clock_mono_ms();
		if (now >= next) {
			bool is_storm = (now - begun) % (plan->storm_ms + plan->calm_ms) < plan->storm_ms;

			faults_add(&run->faults, is_storm);
			next = clock_mono_ms() +
			       dice_between(&run->faults.dice, 1, is_storm ? STORM_GAP_MS : CALM_GAP_MS);
		}
		wait_a_little(10);
	}
	return faults_heal(&run->faults, true) && good;
}

static bool play(struct run *run)
{
	bool good;

	faults_new(&run->faults, &run->ground, &run->history, run->plan.seed);
	if (!load_begin(&run->load, &run->ground, &run->history, run->plan.seed) ||
	    !approvers_begin(&run->approvers, &run->ground, run->plan.seed) ||
	    !watch_begin(&run->watch, &run->ground, &run->history))
		return false;
	good = turmoil(run);
	load_end(&run->load);
	approvers_end(&run->approvers);
	good = good && ground_wait_ready(&run->ground);
	if (good)
		closing_settle(&run->ground, &run->load, run->plan.settle_ms);
	watch_end(&run->watch);
	return good && closing_take(&run->ground, &run->history);
}

static bool verdict(struct run *run, struct judge_tally *tally)
{
	struct judge *judge = calloc(1, sizeof(*judge));
	bool clean = false;

	if (judge != NULL && judge_read(judge, run->ground.dir)) {
		judge_all(judge);
		judge_print(judge);
		*tally = judge_tally(judge);
		clean = judge_is_clean(judge);
	}
	if (judge != NULL)
		judge_release(judge);
	free(judge);
	return clean;
}

static bool run_one(const struct plan *plan, struct judge_tally *tally)
{
	struct run *run = calloc(1, sizeof(*run));
	bool good;

	if (run == NULL)
		return false;
	run->plan = *plan;
	print_again(plan);
	good = open_run(run) && play(run);
	load_end(&run->load);
	approvers_end(&run->approvers);
	watch_end(&run->watch);
	ground_stop(&run->ground);
	if (run->history.file != NULL)
		closing_files(&run->ground, &run->history);
	good = history_close(&run->history) && good;
	if (good)
		good = verdict(run, tally);
	ground_remove(&run->ground, !good || getenv("KEEP_WORLD") != NULL);
	free(run);
	return good;
}

/* -- one after another -------------------------------------------------------------------------------------------- */

/* In a process of its own, because a process can go to an island once only. */
static bool run_apart(const struct plan *plan, struct judge_tally *tally)
{
	int ends[2], status = -1;
	pid_t parent = getpid(), child;
	bool told;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		bool good =
			prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && run_one(plan, tally);

		good = write(ends[1], tally, sizeof(*tally)) == sizeof(*tally) && good;
		exit(good ? 0 : 1);
	}
	close(ends[1]);
	told = child > 0 && read(ends[0], tally, sizeof(*tally)) == sizeof(*tally);
	close(ends[0]);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0 && told;
}

static bool run_all(struct plan *plan, const uint64_t *seeds, size_t count, struct judge_tally *sum)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		struct judge_tally tally = {0};

		plan->seed = seeds[i];
		good = run_apart(plan, &tally) && good;
		sum->faults += tally.faults;
		sum->acknowledged += tally.acknowledged;
		sum->lost += tally.lost;
		sum->over += tally.over;
		sum->overdue += tally.overdue;
	}
	return good;
}

int main(int argc, char **argv)
{
	static const uint64_t short_seeds[] = {20261126, 7};
	struct plan plan = read_plan(argc, argv);
	bool several = plan.is_short && plan.seed == 0;
	struct judge_tally sum = {0};
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	good = run_all(&plan, several ? short_seeds : (const uint64_t[]){plan.seed},
		       several ? sizeof(short_seeds) / sizeof(short_seeds[0]) : 1, &sum);
	judge_print_tally(&sum);
	return good ? 0 : 1;
}
