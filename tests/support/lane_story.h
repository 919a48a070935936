/*
 * Stories about the function library, as tables: what is called at which millisecond, and what the answer says.
 *
 *	{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
 *	{"40 end Pr1 ann:done", "ok"},
 *	{"60000 due", "q aws"},
 *
 * The first word of a row is the time, in ms since the story's start; times in answers count from there as well.
 *
 *	submit ID GROUP PERSON DURATION [start=MS] [end=MS] [h=HASH] [action=A] [limits=L] [person=P] [ck=1] (the time counts from the
 *	     confirmation)    try …: the same, only tried; "beyond=" the words for the limits that it would exceed
 *	start ID [limits=L] [person=P]    refuse ID WHY    cancel ID WHO [operator]    deactivate ID GROUP PERSON [h=HASH]    try-deactivate …
 *	due [MOST]    pump PUSH    check PUSH    cycle [WHO] [steps=NAME:N,NAME:N]    operate WHAT    provision PUSH GROUP PERSON    plan [token=DAYS]    leave KIND ID [1]    terms TERMS
 *	step PIECE [AT] [over=1] [walked=N] [did=N] [close=MS] [health=H] [failed=N]
 *	drift find PIECE GROUP[:report|:remove] …    drift page GROUP AT    drift end PIECE GROUP RETURNED FOREIGN    drift unlearn GROUP PERSON
 *	drift found PIECE GROUP missing|returned|absent|report|remove[/MOST/SHARE/WINDOW/LEFT] PERSON|USER/PERSON|USER …    (USER: see user= of end)
 *	end PUSH [keep] [close=MS] [health=H] [why=W] [chance=C] PERSON:VERDICT[:doubt|:sure[:DELAY[:TEXT]]] …
 *	     [user=ID_BEFORE_THE_NAME]; other marks than doubt and sure as they stand: 0c
 *	user PERSON    users    what is kept of them as users of the application
 *	users-take PIECE STEP [most=N]    users-go PIECE PERSON AIM    users-end PIECE AIM PERSON:VERDICT[:doubt|:sure[:DIGEST]] …
 *	spoil KEY    a list stands in its place    mend KEY    as it was before that
 *	get ID FIELD …    list p|g WHO [most=N] [states=A,B] [action=A] [group=G] [person=P] [from=MS] [below=ID]
 *	     [what=eligibility_list]    the same with what=count or what=eligibility_count
 *	give ID GROUP PERSON ACTION [DURATION] [start=MS] [end=MS] [h=HASH]    try-give …    withdraw ID    given ID FIELD …
 *	eligible GROUP PERSON [at=MS]
 *	cycles    log [most=N] [before=ID] [since=MS] [person=P] [group=G] [result=V]
 *	app FIELD …    lane    removals    timetable    keys    audit ID (EVENT>STATE/CAUSE, +MS that access has outlived its end)
 *	decide ID STAGE WHO Approve|Deny [needed=N] [stages=N] [names=JSON] [by=MESSAGE] [limits=L] [person=P] [declined=WHY]
 *	     (of a request submitted with wait=MS)
 *	message ID MESSAGE Approve|Deny TEXT (it was refused with that; what it was refused with first, and days that is kept)
 *	policies NAME (the caller goes by these from now on; the grace is a second)    lose ID [guard=MOST/SHARE/WINDOW]
 *	guard remove|keep
 *	tells BEFORE OVERDUE    outbox [most=N]    spread NUMBER {DELIVERY TARGET|MAILBOX@DELAY} …    fill TARGET NUMBER
 *	take TARGET [most=N] [as=FINGERPRINT]    tell DELIVERY done|again|park|gone|held [in=MS] [text=T] [silent=MS]
 *	order DELIVERY send|discard    mailbox MAILBOX DELIVERY PERSON (3 a minute, 2 for one person)    notices
 *
 * A push that an answer hands out is shown as "| push ID add|remove GROUP PERSON …", with " cycle" behind the
 * operation when the cycle makes it and "PERSON*N" after N failures. A piece of a step is "piece ID STEP AT". `submit r1` and `start r1` call their push Pr1.
 */
#ifndef TESTS_SUPPORT_LANE_STORY_H
#define TESTS_SUPPORT_LANE_STORY_H

#include "tests/support/lane.h"

struct CMUnitTest;

struct lane_story_row {
	const char *does, *says;
};

/* Runs the rows up to the first with does == NULL in an empty lane; fails at the first that says something else. */
void lane_story_run(struct lane *lane, const char *name, const struct lane_story_row *rows);

/* One command, without its time, in the lane as it stands; whatever it says. */
void lane_story_look(struct lane *lane, const char *does);

/* Runs the tests, each with a lane as *state, on every engine that is installed; how many failed. */
int lane_story_tests(const struct CMUnitTest *tests, size_t count);
#define LANE_STORY_TESTS(tests) lane_story_tests((tests), sizeof(tests) / sizeof((tests)[0]))

#endif
