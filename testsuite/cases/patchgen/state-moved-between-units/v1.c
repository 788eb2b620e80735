//#Unit:first.c
//#Unit:second.c
//#ExpectRefused:dissolved-state existed in `first.c`, where its value is; this would be another variable of that name
//#RunTool:patchgen build $V1 $V2 -o ok.dsu --accept calls --because "a number to look at"
//#ToolOut:accepted  calls
//#Send:go
//#Expect:call 1
//#Send:go
//#Expect:call 2
//#RunTool:dsuctl apply $PID ok.dsu
//#Send:go
//#Expect:call number 1
// A static variable moves to another file with the function that counts in it: what it holds would stay behind.
#include "serve.h"

void count(void);

void handle(const char *line) {
    (void)line;
    count();
}
