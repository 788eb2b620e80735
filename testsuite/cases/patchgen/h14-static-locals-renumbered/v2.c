#include "serve.h"

__attribute__((noinline)) void extra(int which) {
    if (which) {
        static int count = 5;
        printf("c %d\n", ++count);
    } else {
        static int count = 8;
        printf("d %d\n", ++count);
    }
}

__attribute__((noinline)) void tick(const char *line) {
    if (is(line, "c")) {
        extra(1);
    } else if (is(line, "a")) {
        static int count;
        printf("a %d new\n", ++count);
    } else {
        static int count;
        printf("b %d new\n", ++count);
    }
}

void handle(const char *line) { tick(line); }
