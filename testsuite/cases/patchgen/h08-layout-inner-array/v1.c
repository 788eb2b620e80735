//#ExpectChanged:buffer(type), handle(body)
//#ExpectClosure:handle
//#Send:go 3
//#Expect:3 of 16: aaa
//#Update:v2
//#Send:go 20
//#Expect:20 of 24: aaaaaaaaaaaaaaaaaaaa
// An array of bytes within an object is handed to functions that know nothing of the object: only its length changes.
#include "serve.h"

struct buffer {
    int used;
    char text[16]; //#v2: char text[24];
};

__attribute__((noinline)) static void repeat(char *text, int count) { memset(text, 'a', opaque_number(count)); }

__attribute__((noinline)) static void show(const char *text, int count, long room) {
    printf("%d of %ld: %.*s\n", count, room, count, text);
}

void handle(const char *line) {
    struct buffer b;
    b.used = (int)argument(line);
    if (b.used > (int)sizeof b.text)
        b.used = sizeof b.text;
    repeat(b.text, b.used);
    show(b.text, b.used, opaque_number(sizeof b.text));
}
