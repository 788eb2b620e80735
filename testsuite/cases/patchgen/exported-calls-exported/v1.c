//#Lib:shop.c
//#Module:libshop.so
//#ExpectClosure:fib, visit
//#Config:named
//#CompArgs:-O2
//#Send:go
//#Expect:the library's
//#Expect:55
//#Update:v2
//#Send:go
//#Expect:the library's
//#Expect:551
//#Config:taken-over
//#CompArgs:-O2 -fsemantic-interposition -DNAME
//#Send:go
//#Expect:the program's
//#Expect:55
//#Update:v2
//#Send:go
//#Expect:the program's
//#Expect:551
//#Config:bound:named
//#Consistency:newest
//#CompArgs:-O2 -fsemantic-interposition -DNAME
//#Build:$CC $CFLAGS -fPIC -shared shop.c -o libshop.so -Wl,-soname,libshop.so,-Bsymbolic && $CC $CFLAGS main.c ./libshop.so -o app $LDFLAGS -Wl,-rpath,\$ORIGIN
//#Config:functions-bound:named
//#Consistency:newest
//#CompArgs:-O2 -fsemantic-interposition -DNAME
//#Build:$CC $CFLAGS -fPIC -shared shop.c -o libshop.so -fuse-ld=lld -Wl,-soname,libshop.so,-Bsymbolic-functions && $CC $CFLAGS main.c ./libshop.so -o app $LDFLAGS -Wl,-rpath,\$ORIGIN
//#Config:without-name:named
//#Consistency:newest
//#CompArgs:-O2
//#Build:$CC $CFLAGS -fPIC -shared shop.c -o libshop.so && $CC $CFLAGS main.c ./libshop.so -o app $LDFLAGS -Wl,-rpath,\$ORIGIN
// Exported functions that call themselves and each other: the program may take one over, unless the library was bound to itself.
#include "serve.h"

int visit(int n);
#ifdef NAME
int name(void) { return puts("the program's"); }
#endif

void handle(const char *line) { printf("%d\n", visit(10)); }
