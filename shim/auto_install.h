/* shim/auto_install.h - plugins that are not installed yet are, before they are started. */
#ifndef SHIM_AUTO_INSTALL_H
#define SHIM_AUTO_INSTALL_H

#include "shim/app.h"

enum auto_install {
    AUTO_INSTALL_DEFAULT, /* as the setting auto_install says */
    AUTO_INSTALL_YES,
    AUTO_INSTALL_NO,
    AUTO_INSTALL_ONLY, /* and then do nothing else */
};

#define AUTO_INSTALL_OPTIONS(args)                                                                 \
    OPTION_VALUE(args, install, "install", "Install plugins that are not installed yet.",          \
                 .value = AUTO_INSTALL_YES),                                                       \
        OPTION_VALUE(args, install, "no-install", "Install nothing.", .value = AUTO_INSTALL_NO),   \
        OPTION_VALUE(args, install, "only-install", "Install what is missing and do no more.",     \
                     .value = AUTO_INSTALL_ONLY)

/* Fails with ERR_INSTALL when one of the plugins cannot be installed. */
int auto_install(struct app *app, struct plugin *const *plugins, size_t count,
                 enum auto_install mode, struct error *err);

#endif
