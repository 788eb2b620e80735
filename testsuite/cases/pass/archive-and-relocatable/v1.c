//#Config:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -c shop.c && ar rcs libshop.a shop.o && $CC main.o -o app -L. -lshop $LDFLAGS
//#ExpectSection:.debug.dsu_bc
//#ExpectClosure:price
//#Send:total 3
//#Expect:30
//#Update:v2
//#Send:total 3
//#Expect:33
//#Revert
//#Send:total 3
//#Expect:30
//#Config:relocatable:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -c shop.c && ld -r main.o shop.o -o all.o && $CC all.o -o app $LDFLAGS
//#Config:relocatable-by-wrapper:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -c shop.c && $CC -r main.o shop.o -o all.o && $CC all.o -o app $LDFLAGS
//#Config:relocatable-lld:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -c shop.c && ld.lld-19 -r main.o shop.o -o all.o && $CC all.o -o app $LDFLAGS
//#Config:thin-archive:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -c shop.c && ar rcsT libshop.a shop.o && $CC main.o -o app -L. -lshop $LDFLAGS
//#Config:stdin:archive
//#Build:$CC $CFLAGS -c main.c && $CC $CFLAGS -x c - -c -o shop.o <shop.c && $CC main.o shop.o -o app $LDFLAGS
//#Config:preprocessed:archive
//#Build:$CC $CFLAGS -E shop.c -o shop.i && $CC $CFLAGS -Wno-unused-command-line-argument -c shop.i && $CC $CFLAGS main.c shop.o -o app $LDFLAGS
//#Config:response-file:archive
//#Build:echo "$CFLAGS -c shop.c" >args.txt && $CC @args.txt && $CC $CFLAGS main.c shop.o -o app $LDFLAGS
//#Config:save-temps:archive
//#Build:$CC $CFLAGS -save-temps=obj -c shop.c && $CC $CFLAGS main.c shop.o -o app $LDFLAGS
//#Config:stripped-of-debug:archive
//#Build:$CC $CFLAGS -g main.c shop.c -o app $LDFLAGS
//#Config:compile-directories:archive
//#Build:mkdir -p obj && (cd obj && $CC $CFLAGS -c ../main.c && $CC $CFLAGS -c ../shop.c -o shop.o) && $CC obj/main.o obj/shop.o -o app $LDFLAGS
// However the objects reach the program, their records come along.
#include "serve.h"

long price(long n);

void handle(const char *line) { printf("%ld\n", price(argument(line))); }
