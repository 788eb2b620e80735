// In registers the structure looks the same, but its halves changed places.
#include "serve.h"

struct pair {
    int second, first;
};

__attribute__((noinline)) static struct pair make(int n) { return (struct pair){.first = n, .second = n + 1}; }

void handle(const char *line) {
    struct pair p = make((int)argument(line));
    printf("%d %d\n", p.first, p.second);
}
