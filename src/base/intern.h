/* base/intern.h - strings that live as long as the program, one copy each: file names. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

/* NULL stays NULL. Equal texts give the same pointer. */
const char *intern(const char *text);

#endif
