/*
 * The conversation that comes before any call on a connection: who we are, is this Redis durable, is it the master,
 * is its data of a form that we know, does it have our functions, how many lanes are there. Pure: takes replies, gives
 * commands and a verdict. Internal to the store.
 */
#ifndef STORE_SETUP_H
#define STORE_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "store/reader.h"

/* What is true of the whole store. One hash tag: on a cluster one node has both. */
#define SETUP_LANES_KEY  "{jit}:lanes"
#define SETUP_SCHEMA_KEY "{jit}:schema"

/*
 * Which data a lane holds: an id and when it began ("ID MS", Unix ms by the clock of the broker that began it). Data that
 * is lost and begun anew has another one. One server, which has all lanes, has lane 0's only. In the lane, where a function
 * can read it, and with it on its way from one node of a cluster to another.
 */
#define SETUP_STORE_KEY  "{j%u}:store"
#define SETUP_STORE_SIZE 64

/* What the conversation wants, and what it learns: what is known_… is filled in by the first that reads it. Must outlive
 * it. The same for all connections of a store. */
struct setup_wish {
	unsigned db;
	const char *user;     /* of Redis' access control list; NULL for the one that Redis calls default */
	const char *password; /* NULL: nobody signs in */
	unsigned schema;      /* the form of the keys' values that this broker reads and writes */
	bool waits;           /* for replicas */
	bool is_cluster;      /* other nodes may have the keys of the whole store */
	const char *library;
	size_t library_len;
	int library_version;
	unsigned lanes;       /* wanted when Redis has no number yet */
	unsigned known_lanes; /* the number this broker has worked with, 0 before it is known */
	bool allow_volatile;
	char store[SETUP_STORE_SIZE]; /* what data that is begun now is called */
	/* The data of each lane that it has worked with, "" before it is known. */
	char known_store[LANES_MAX][SETUP_STORE_SIZE];
};

enum setup_step {
	SETUP_SIGN_IN,    /* only with a password */
	SETUP_SELECT,     /* only with a database other than 0 */
	SETUP_DURABILITY, /* CONFIG GET */
	SETUP_MEMORY,     /* INFO, only where CONFIG GET is not permitted */
	SETUP_ROLE,       /* INFO */
	SETUP_WRITE_MARK, /* unless somebody has; each of them (setup_marks.c) ... */
	SETUP_READ_MARK,  /* ... in turn */
	SETUP_VERSION,    /* of the library that is there */
	SETUP_LOAD,       /* only when it is absent or older than ours */
	SETUP_PERMITTED,  /* may its functions do what they do? */
	SETUP_WAIT,       /* may we wait for replicas, ... */
	SETUP_WAITAOF,    /* ... and for what they have synced? Only where we want to */
	SETUP_STEPS
};

enum setup_verdict { SETUP_MORE, SETUP_READY, SETUP_REFUSED };

struct setup {
	struct setup_wish *wish;
	enum setup_step step;
	unsigned mark;  /* the one that is being written or read */
	bool has_lanes; /* how many there are was known, so that their data has been looked at */
	bool library_is_absent, library_is_old;
	bool has_replaced; /* an older library by ours; another broker, slower than us, may yet do so with one older than ours */
	bool is_hidden;    /* CONFIG GET is not permitted */
	bool has_waitaof;  /* WAITAOF: Redis 7.2 or newer, or Valkey */
	bool is_volatile;  /* runs on a Redis that may forget, because it may; `why` says what was found */
	struct errctx why; /* valid after SETUP_REFUSED: a sentence without full stop */
};

/* A new connection: begins with the first command. `wish` is kept, and must outlive the setup. */
void setup_begin(struct setup *setup, struct setup_wish *wish);

/* The next command as it goes over the wire; it may hold the password. The caller frees *text with
 * redisFreeCommand(). ERR_NOMEM. */
enum err setup_command(const struct setup *setup, char **text, size_t *len) MUST_CHECK;

/* Takes the reply to the last command. After SETUP_MORE, ask setup_command() again. */
enum setup_verdict setup_reply(struct setup *setup, const struct reply *reply) MUST_CHECK;

#endif
