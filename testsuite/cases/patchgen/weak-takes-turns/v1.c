//#Unit:weak.c
//#Unit:helper.c
//#ExpectClosure:hook
//#Send:go
//#Expect:20
//#Update:v2
//#Send:go
//#Expect:1
//#Revert
//#Send:go
//#Expect:20
// The strong definition is gone, and the weak one, whose unit is the same in both builds, takes its place.
#include "serve.h"

int hook(void);
void handle(const char *line) { printf("%d\n", hook()); }
