/* The Redis function library, made from the .lua files at build time (see Makefile). */
#ifndef ACTIVATION_LIBRARY_H
#define ACTIVATION_LIBRARY_H

#include <stddef.h>

extern const char jit_library[]; /* NUL-terminated */
extern const size_t jit_library_len;
extern const int jit_library_version; /* LIBRARY_VERSION, as the library has it */

#endif
