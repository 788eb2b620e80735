#include "serve.h"

static struct pair {
    long first, second;
} counts;

__attribute__((noinline)) static void add(long number) {
    struct pair *all = (struct pair *)opaque((const char *)&counts);
    if (number)
        all->second++;
    else
        all->first++;
}

__attribute__((noinline)) static void show(void) { printf("%ld and %ld\n", counts.first, counts.second); }

void handle(const char *line) {
    add(argument(line));
    show();
}
