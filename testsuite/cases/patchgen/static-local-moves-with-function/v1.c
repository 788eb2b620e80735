//#Unit:first.c
//#Unit:second.c
//#ExpectChanged:count
//#ExpectClosure:count
//#Send:go
//#Expect:call 1
//#Send:go
//#Expect:call 2
//#Update:v2
//#Send:go
//#Expect:call number 3
//#Revert
//#Send:go
//#Expect:call 4
// A function that other units call moves to another file: its own static variables are what they were.
#include "serve.h"

void count(void);

void handle(const char *line) {
    (void)line;
    count();
}
