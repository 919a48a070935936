/* Certificate and key files, for as long as the TLS library needs to read them. */
#ifndef SERVER_PEM_H
#define SERVER_PEM_H

#include "base/err.h"

#define PEM_MAX (256 * 1024) /* a chain of certificates is a few KiB */

/*
 * Reads the file; the caller ends the text's life with pem_free. NULL with the reason in `ec` when it cannot be
 * read, is empty, or is larger than PEM_MAX. Blocks; for the start only.
 */
char *pem_load(const char *path, struct errctx *ec) MUST_CHECK;

/* Overwrites and frees. NULL is fine. */
void pem_free(char *text);

#endif
