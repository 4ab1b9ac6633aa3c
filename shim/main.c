/* The executable. Everything it does begins in app_main(). */
#include "process/process.h"
#include "shim/app.h"

int main(int argc, char **argv)
{
    process_setup();
    return app_main(argc, argv);
}
