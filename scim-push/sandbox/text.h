/* Which characters, and how many, AWS takes in the texts of users and groups. Pure. */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include <stdbool.h>

enum text_kind {
	TEXT_USER_NAME,    /* 1 to 128 characters, no white space, none of <>;:% */
	TEXT_EXTERNAL_ID,  /* 1 to 256 characters, no white space, none of <>;:% */
	TEXT_DISPLAY_NAME, /* 1 to 1024 characters, blanks but no other white space, none of <>;:% */
	TEXT_OTHER         /* 1 to 1024 characters, any but control characters */
};

/* `text` is valid UTF-8. */
bool text_allowed(enum text_kind kind, const char *text);

#endif
