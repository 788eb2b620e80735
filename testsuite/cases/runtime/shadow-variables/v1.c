//#NoOracle:a plain build has no runtime that could keep shadow variables
//#ExpectClosure:handle, forget, show, spend, spent
//#Send:add 3
//#Send:add 4
//#Send:show
//#Expect:4
//#Expect:3
//#Update:v2
//#Send:show
//#Expect:4 - 0
//#Expect:3 - 0
//#Send:spend 2
//#Send:spend 1
//#Send:show
//#Expect:4 - 3
//#Expect:3 - 0
//#Send:fork
//#Expect:child 4 - 5
//#Send:show
//#Expect:4 - 3
//#Send:drop
//#Send:add 4
//#Send:show
//#Expect:4 - 0
//#Revert
//#Send:show
//#Expect:4
//#Send:spend 1
//#Expect:cannot
// The struct cannot grow while objects of it are alive; what the fix has to know of each lies beside it.
#include "dsu.h"
#include "serve.h"

struct account {
    struct account *next;
    long amount;
};

static struct account *head;

__attribute__((noinline)) void show(void) {
    for (struct account *a = head; a; a = a->next)
        printf("%ld\n", a->amount);
}

__attribute__((noinline)) void spend(long amount) { puts(opaque("cannot")); }

__attribute__((noinline)) void forget(struct account *account) {
    __asm__ volatile("" ::: "memory");
    free(account);
}

void handle(const char *line) {
    if (is(line, "add")) {
        struct account *account = calloc(1, sizeof *account);
        account->amount = argument(line);
        account->next = head;
        head = account;
    } else if (is(line, "spend")) {
        spend(argument(line));
    } else if (is(line, "drop")) {
        struct account *account = head;
        head = account->next;
        forget(account);
    } else {
        show();
    }
}
