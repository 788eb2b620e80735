//#ExpectClosure:ascending
//#Send:sort
//#Expect:1 2 3 4 5
//#Send:remember
//#Send:same
//#Expect:same pointer
//#Update:v2
//#Send:sort
//#Expect:5 4 3 2 1
//#Send:same
//#Expect:same pointer
//#Send:call
//#Expect:1
//#Revert
//#Send:sort
//#Expect:1 2 3 4 5
// libc calls back through a pointer taken before or after the update: both reach the newest version.
#include "serve.h"

__attribute__((noinline)) int ascending(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b; //#v2: return *(const int *)b - *(const int *)a;
}

static int (*volatile remembered)(const void *, const void *);

void handle(const char *line) {
    int numbers[] = {4, 1, 5, 2, 3}, one = 1, two = 2;
    if (is(line, "sort")) {
        qsort(numbers, 5, sizeof *numbers, ascending);
        printf("%d %d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    } else if (is(line, "remember")) {
        remembered = ascending;
    } else if (is(line, "same")) {
        puts(remembered == ascending ? "same pointer" : "another pointer");
    } else if (is(line, "call")) {
        printf("%d\n", remembered(&one, &two));
    }
}
