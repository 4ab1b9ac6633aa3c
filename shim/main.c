/* The executable: finds the command, runs it, prints the error if there is one. */
#include <stdio.h>

int main(void)
{
    puts("meltshim " MELTSHIM_VERSION);
    return 0;
}
