/* Options and signals. */
#include "sqld.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] = "usage: sqld [-l ADDRESS] [-p PORT] [-t THREADS] DATABASE\n"
                            "  -l ADDRESS  IPv4 address to listen on (default 127.0.0.1)\n"
                            "  -p PORT     port to listen on, 0 for any (default 7722)\n"
                            "  -t THREADS  worker threads, 1 to 64 (default 4)\n";

static void on_signal(int signal)
{
    (void)signal;
    server_stop();
}

static bool number_between(const char *text, long least, long most, int *number)
{
    char *end;
    long value = strtol(text, &end, 10);

    *number = (int)value;
    return end != text && *end == '\0' && value >= least && value <= most;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    const char *address = "127.0.0.1";
    int port = 7722, threads = 4;
    bool good = true;
    int option;

    while ((option = getopt(argc, argv, "l:p:t:h")) != -1) {
        switch (option) {
        case 'l':
            address = optarg;
            break;
        case 'p':
            good = good && number_between(optarg, 0, 65535, &port);
            break;
        case 't':
            good = good && number_between(optarg, 1, 64, &threads);
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            good = false;
        }
    }
    if (!good || optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return server_run(argv[optind], address, port, threads);
}
