//#Unit:first.c
//#Unit:second.c
//#ExpectRefused:dissolved-state existed in `first.c`, where its value is; this would be another variable of that name
//#Send:first
//#Expect:call 1
// Two functions may have this name, as only their files see them: nothing says that the variable of the new one is that of
// the old one.
#include "serve.h"

void first(void);
void second(void);

void handle(const char *line) {
    if (is(line, "first"))
        first();
    else
        second();
}
