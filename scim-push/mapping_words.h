/* The words of the mapping language, shared by its compiler and its evaluation. Private to these two files. */
#ifndef SCIM_PUSH_MAPPING_WORDS_H
#define SCIM_PUSH_MAPPING_WORDS_H

#define MAPPING_DEPTH_MAX 8 /* values at a time, that is, nesting and arguments */

enum mapping_name { NAME_OF_USER, NAME_DISPLAY, NAME_GIVEN, NAME_FAMILY, NAME_EMAIL, NAME_ID };

enum mapping_function { FUNCTION_JOIN, FUNCTION_REPLACE, FUNCTION_LOWER, FUNCTION_FIRST, FUNCTION_DEFAULT };

#endif
