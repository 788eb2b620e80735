//#ExpectChanged:make(body), show(body)
//#ExpectClosure:make, show
//#Consistency:newest
//#Send:keep 3
//#Expect:number 3
//#Update:v2
//#Send:show
//#Expect:number 3
//#Send:keep -5
//#Expect:real 2.5
//#Send:show
//#Expect:real 2.5
// A union that live objects have gets another alternative: what they hold is none of it, as their tags tell.
#include "serve.h"

struct value {
    int tag;
    union {
        long number;
        void *pointer;
        //#v2+: double real;
    } u;
};

static struct value *kept;
static struct value spare;

__attribute__((noinline)) static struct value *make(long number) {
    struct value *value = malloc(sizeof *value);
    value->tag = 1; //#v2: value->tag = number < 0 ? 2 : 1;
    value->u.number = number; //#v2: if (number < 0)
        //#v2+: value->u.real = (double)-number / 2;
    //#v2+: else
        //#v2+: value->u.number = number;
    return value;
}

__attribute__((noinline)) static void show(const struct value *value) {
    if (value->tag == 1)
        printf("number %ld\n", value->u.number);
    //#v2+: else
        //#v2+: printf("real %.1f\n", value->u.real);
}

void handle(const char *line) {
    if (is(line, "keep"))
        kept = make(argument(line));
    show(kept ? kept : &spare);
}
