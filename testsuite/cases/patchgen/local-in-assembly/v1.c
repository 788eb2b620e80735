//#Build:$CC $CFLAGS -fPIC -shared shop.c more.S -o libshop.so -Wl,--version-script=map,-soname,libshop.so && $CC $CFLAGS main.c ./libshop.so -o app $LDFLAGS -Wl,-rpath,\$ORIGIN
//#Consistency:newest
//#Module:libshop.so
//#ExpectClosure:price
//#Send:go
//#Expect:16
//#Update:v2
//#Send:go
//#Expect:85
// Assembly's symbols are local to the library, by its version script; the patch finds them where the base has them.
#include "serve.h"

int price(int n);
void handle(const char *line) { printf("%d\n", price(5)); }
