//#ExpectClosure:handle, make
//#Send:go 3
//#Expect:3 4
//#Update:v2
//#Send:go 7
//#Expect:7 8
// In registers the structure looks the same, but its halves changed places.
#include "serve.h"

struct pair {
    int first, second; //#v2: int second, first;
};

__attribute__((noinline)) static struct pair make(int n) { return (struct pair){.first = n, .second = n + 1}; }

void handle(const char *line) {
    struct pair p = make((int)argument(line));
    printf("%d %d\n", p.first, p.second);
}
