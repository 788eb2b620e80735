// Thread-locals of the program, exported and static: new code finds this thread's.
#include "serve.h"

_Thread_local long exported;
static _Thread_local long hidden = 100;

__attribute__((noinline)) void bump(long by) {
    exported += by * 10;
    hidden += by * 10;
}

void handle(const char *line) {
    bump(argument(line));
    printf("%ld %ld\n", exported, hidden);
}
