#define SERVE_OWN_MAIN
#include "serve.h"

void count(void) {
    static int calls;
    printf("call %d\n", ++calls); //#v2: printf("call number %d\n", ++calls);
}
