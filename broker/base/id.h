/*
 * Ids handed out by the API: UUIDs of version 8 (RFC 9562) whose first 16 bits are the lane in which the object
 * lives; the rest is random or derived. Also the bounds of the short texts that the broker keeps.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

#define ID_SIZE   37   /* 36 characters and a NUL */
#define LANES_MAX 1024 /* more would only make polling dearer */

/* Bounds of text that is kept as it came, each with its closing NUL. */
#define APP_ID_SIZE 64   /* an application's id in the configuration */
#define NAME_SIZE   257  /* userName, displayName, name parts, e-mail: AWS refuses longer userNames anyway */
#define TEXT_SIZE   1025 /* justification, and what an application answered */
#define TICKET_SIZE 129  /* ticketNumber, ticketSystem */
#define CUSTOM_SIZE 513  /* customData: kept with each request for as long as its history */

/* A fresh random id of that lane (below LANES_MAX). Aborts when the kernel has no randomness. */
void id_make(unsigned lane, char out[ID_SIZE]);

/* The id of that lane that belongs to these bytes: the same bytes always give the same id. */
void id_derive(unsigned lane, const void *bytes, size_t len, char out[ID_SIZE]);

/* Is this 8-4-4-4-12 hexadecimal, any version, lower or upper case? */
bool id_valid(const char *text);

/* The lane in one of our ids, or -1 when the text is not one (version 8, lower case, lane below LANES_MAX). */
int id_lane(const char *text);

#endif
