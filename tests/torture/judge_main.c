/* Judges a run that was kept: judge FOLDER. */
#include <stdio.h>

#include "tests/torture/judge.h"

int main(int argc, char **argv)
{
	static struct judge judge;
	struct judge_tally tally;
	bool clean = false;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (judge_read(&judge, argv[1])) {
		judge_all(&judge);
		judge_print(&judge);
		tally = judge_tally(&judge);
		judge_print_tally(&tally);
		clean = judge_is_clean(&judge);
	}
	judge_release(&judge);
	return clean ? 0 : 1;
}
