/* Hexadecimal digits. Pure. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

/* The digit's value, 0 to 15, in upper or lower case; -1 when it is none. */
int hex_value(char c);

/* The byte that two digits stand for, or -1. The second is looked at only where the first is one. */
int hex_byte(const char *digits);

#endif
