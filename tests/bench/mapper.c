/* A mapper that changes nothing. */
#include "plugins.h"

int main(void)
{
    static char buffer[PLUGIN_BUFFER_SIZE];
    size_t size;

    while ((size = read_some(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        write_all(STDOUT_FILENO, buffer, size);
    return EXIT_SUCCESS;
}
