//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#RunTool:cp app running && rm app && cp $V2 app
//#Update:v2
//#Send:ask
//#Expect:new
//#RunTool:cp running app
//#Revert
//#Send:ask
//#Expect:old
// Meanwhile somebody installed the new program over the old: what counts is what runs.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
