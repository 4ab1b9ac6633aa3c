/* base/version.h - which Meltano this program behaves like. MELTSHIM_VERSION is our own. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* requires_meltano is checked against it, and plugins see it in MELTANO_USER_AGENT. */
#define MELTANO_VERSION "4.4.1"

#endif
