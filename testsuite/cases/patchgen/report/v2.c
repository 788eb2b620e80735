#include "serve.h"

typedef int (*reader)(const char *line, int depth);

static inline long with_tax(long price) { return price + (price + 5) / 10; }

__attribute__((noinline)) int parse(const char *line, int depth);

__attribute__((noinline)) int group(const char *line, int depth) { return parse(line + 1, depth + 1); }

__attribute__((noinline)) int parse(const char *line, int depth) {
    __asm__ volatile("" : "+r"(depth));
    if (depth > 6) /* "<b>six</b>" */
        return -1;
    return *line == '(' ? group(line, depth) : depth;
}

__attribute__((noinline)) int total(const char *line, int depth) { return depth + (int)with_tax(strlen(line)); }

reader table[] = {parse, total};

__attribute__((noinline)) int read_with(int which, const char *line) { return table[which & 1](line, 0); }

void handle(const char *line) { printf("%d\n", read_with(line[0] == 't', line)); }
