/*
 * Who has lost their eligibility loses what they have, where the group says so. This broker tells the store again and
 * again which policies it goes by, looks at such groups when their time comes, and ends what policy no longer allows;
 * the store lets it do so only while no broker goes by other policies (activation/review.lua).
 */
#ifndef ACTIVATION_REVIEW_H
#define ACTIVATION_REVIEW_H

#include "base/err.h"

struct activation;
struct review;

struct review *review_new(struct activation *activation) MUST_CHECK; /* NULL: no memory */
void review_free(struct review *review);                             /* NULL is legal */

/* The store is there (again), or the configuration has changed. */
void review_start(struct review *review);
void review_stop(struct review *review);

/* The group's entry in the timetable has been claimed. */
void review_group(struct review *review, unsigned lane, const char *group);

#endif
