//#ExpectClosure:is_default, chosen
//#Send:set
//#Send:check
//#Expect:default
//#Expect:in the table
//#Send:call
//#Expect:1
//#Update:v2
//#Send:check
//#Expect:still default
//#Expect:in the table
//#Send:call
//#Expect:2
//#Send:set
//#Send:check
//#Expect:still default
//#Send:call
//#Expect:2
//#Revert
//#Send:check
//#Expect:default
//#Send:call
//#Expect:1
// One function has one address, whoever asks and whenever.
#include "serve.h"

typedef int chooser(void);
static chooser *current;

__attribute__((noinline)) int chosen(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
static chooser *const table[] = {chosen};

__attribute__((noinline)) void is_default(void) {
    puts(current == chosen ? "default" : "another"); //#v2: puts(current == chosen ? "still default" : "another");
    puts(current == table[0] ? "in the table" : "not in the table");
}

void handle(const char *line) {
    if (is(line, "set"))
        current = chosen;
    else if (is(line, "check"))
        is_default();
    else
        printf("%d\n", current());
}
