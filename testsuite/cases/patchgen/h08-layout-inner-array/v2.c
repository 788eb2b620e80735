#include "serve.h"

struct buffer {
    int used;
    char text[24];
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
