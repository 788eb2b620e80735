//#Unit:part.S
//#ExpectRefused:unexplained-data .rodata
//#Send:ab
//#Expect:two
// Nothing but the second of two strings that only assembly knows: the second is found behind the first.
#include "serve.h"

const char *part(long);

void handle(const char *line) { puts(part((long)strlen(line))); }
