//#CompArgs:-O2
//#RunTool:mkdir -p other && cp main.c other/ && cd other && $CC $CFLAGS -O0 main.c -o app $LDFLAGS && patchgen diff $V1 app
//#ToolError:4 [different-flags]
//#Send:go
//#Expect:1
// The same source with other flags: everything differs, and nobody meant it.
#include "serve.h"

int sum(int *numbers, int count) {
    int total = 0;
    for (int i = 0; i < count; i++)
        total += numbers[i];
    return total;
}

void handle(const char *line) {
    int numbers[] = {1, 0};
    printf("%d\n", sum(numbers, 2));
}
