/*
 * A network and a /tmp of the run's own, where root may make them: namespaces that go with the program, however it ends.
 * In there packets can be dropped by filter rules (nft), and the store's disk is a small one that can be filled. Nothing
 * outside is touched. Where it cannot be had, the kinds of faults that need it do not come.
 */
#ifndef TORTURE_ISLAND_H
#define TORTURE_ISLAND_H

#include <stdbool.h>

enum island_cut {
	CUT_ALL,     /* packets to that port and from it are dropped */
	CUT_ANSWERS, /* those from it are dropped */
	CUT_REFUSED  /* those to it are answered with a reset */
};

struct island {
	bool has_filter, has_disk;
	const char *clock; /* library that changes a program's clock; NULL = none */
	char clock_path[256];
};

/* Before any thread and any program is started. Says on standard output what there is. `log_path`: of the programs that
 * it runs. */
void island_make(struct island *island, const char *log_path);

/* Begins, or ends, cutting that port off. False when the filter refuses. */
bool island_cut(const char *log_path, enum island_cut cut, int port, bool begin);

/* Leaves no room on the disk, or frees it again. */
void island_fill_disk(void);
bool island_free_disk(void);

#endif
