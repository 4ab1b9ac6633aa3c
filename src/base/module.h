/* base/module.h - shared objects of ours that are opened on first use (meltshim-http.so, ...). */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

#include "base/error.h"

/* The symbol of meltshim-<module>.so, looked up beside the executable, then in lib/meltshim
 * beside bin/, then in the directory the program was configured with. NULL when it cannot be
 * opened, with a hint that names the places. The module stays open until the program ends. */
void *module_symbol(const char *module, const char *symbol, struct error *err);

#endif
