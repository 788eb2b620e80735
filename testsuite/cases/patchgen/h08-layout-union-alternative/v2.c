#include "serve.h"

struct value {
    int tag;
    union {
        long number;
        void *pointer;
        double real;
    } u;
};

static struct value *kept;
static struct value spare;

__attribute__((noinline)) static struct value *make(long number) {
    struct value *value = malloc(sizeof *value);
    value->tag = number < 0 ? 2 : 1;
    if (number < 0)
        value->u.real = (double)-number / 2;
    else
        value->u.number = number;
    return value;
}

__attribute__((noinline)) static void show(const struct value *value) {
    if (value->tag == 1)
        printf("number %ld\n", value->u.number);
    else
        printf("real %.1f\n", value->u.real);
}

void handle(const char *line) {
    if (is(line, "keep"))
        kept = make(argument(line));
    show(kept ? kept : &spare);
}
