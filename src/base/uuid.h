/* base/uuid.h - UUIDs (RFC 9562) as text. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

#define UUID_TEXT_SIZE 37 /* 8-4-4-4-12 hexadecimal digits and a NUL */
#define UUID_HEX_SIZE  33 /* 32 digits and a NUL: how Meltano's SQLite column has it */

/* Version 7: by time, so that names sort by age. */
void uuid_new_v7(char out[UUID_TEXT_SIZE]);
/* Version 4: random. */
void uuid_new_v4(char out[UUID_TEXT_SIZE]);
/* Accepts what Python's uuid.UUID() accepts: any dashes, braces, "urn:uuid:", either case.
 * Writes the lower-case 8-4-4-4-12 form; false when it is no UUID. */
bool uuid_parse(const char *text, char out[UUID_TEXT_SIZE]);
void uuid_to_hex(const char *uuid, char out[UUID_HEX_SIZE]);

#endif
