/* plugin/glob.h - shell patterns as Python's fnmatch module has them.
 *
 * '*' matches any text, dots and slashes included, '?' one character, "[a-c]" and "[!a-c]" one
 * character of a set; a '[' that is not closed stands for itself. There is no escape character.
 * Upper and lower case differ. Both texts are UTF-8 and are compared by code point. */
#ifndef PLUGIN_GLOB_H
#define PLUGIN_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);

#endif
