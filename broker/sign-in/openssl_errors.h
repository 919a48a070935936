/* What OpenSSL has noted about the calls of this thread that failed. */
#ifndef SIGN_IN_OPENSSL_ERRORS_H
#define SIGN_IN_OPENSSL_ERRORS_H

#include <stdbool.h>

/* Forgets all that is noted. Was memory short in any of it? Then a call that failed says nothing of its input. */
bool openssl_errors_take(void);

#endif
