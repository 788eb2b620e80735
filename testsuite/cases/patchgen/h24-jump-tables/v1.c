//#Config:o2
//#ExpectClosure:classify, run
//#Send:classify 3
//#Expect:d 3
//#Send:run 213
//#Expect:6
//#Update:v2
//#Send:classify 3
//#Expect:D 3
//#Send:run 213
//#Expect:106
//#Revert
//#Send:classify 3
//#Expect:d 3
//#Config:no-pie:o2
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#Config:o0:o2
//#CompArgs:-O0
// A dense switch and a computed goto: tables of code addresses travel with their function.
#include "serve.h"

static int seen;

__attribute__((noinline)) void classify(int n) {
    switch (n) {
    case 0: seen += 7; puts("a"); break;
    case 1: seen *= 3; printf("b %d\n", n); break;
    case 2: seen -= n; puts("c"); break;
    case 3: seen ^= 9; printf("d %d\n", n); break; //#v2: case 3: seen ^= 9; printf("D %d\n", n); break;
    case 4: seen = 0; puts("e"); break;
    case 5: seen |= n; printf("f %d\n", n); break;
    default: puts("none");
    }
}

__attribute__((noinline)) long run(long program) {
    static void *const steps[] = {&&stop, &&one, &&two, &&three};
    long sum = 0;
next:
    goto *steps[program % 10 & 3];
one:
    sum += 1;
    program /= 10;
    goto next;
two:
    sum += 2;
    program /= 10;
    goto next;
three:
    sum += 3;
    program /= 10;
    goto next;
stop:
    return opaque_number(sum); //#v2: return opaque_number(sum + 100);
}

void handle(const char *line) {
    if (is(line, "run"))
        printf("%ld\n", run(argument(line)));
    else
        classify((int)argument(line));
}
