#include "serve.h"

#include "entry.h"

struct entry table[3] = {{0, "first"}, {0, "second"}, {0, "third"}};

static long history[3];
static long *volatile newest = history;

__attribute__((noinline)) static void add(long number) { table[number].count += opaque_number(1), *newest = number; }

__attribute__((noinline)) static long all(void) { return first_two() + table[2].count; }

void handle(const char *line) {
    add(argument(line));
    printf("%ld in all\n", all());
}
