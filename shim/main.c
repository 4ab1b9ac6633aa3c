/* The executable. Everything it does begins in app_main(). */
#include "process/process.h"
#include "shim/app.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    process_setup();
    /* Airflow may kill its task runner without a word to us. */
    if (getenv("AIRFLOW_CTX_DAG_ID"))
        process_follow_parent();
    return app_main(argc, argv);
}
