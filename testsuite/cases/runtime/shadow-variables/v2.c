#include "dsu.h"
#include "serve.h"
#include <sys/wait.h>
#include <unistd.h>

struct account {
    struct account *next;
    long amount;
};

enum { SPENT = 1 };

static struct account *head;

static long spent(struct account *account) {
    long *known = dsu_shadow_get(account, SPENT);
    return known ? *known : 0;
}

__attribute__((noinline)) void show(void) {
    for (struct account *a = head; a; a = a->next)
        printf("%ld - %ld\n", a->amount, spent(a));
}

__attribute__((noinline)) void spend(long amount) {
    long *known = dsu_shadow_get_or_alloc(head, SPENT, sizeof *known, NULL, NULL);
    *known += amount;
}

__attribute__((noinline)) void forget(struct account *account) {
    dsu_shadow_free(account, SPENT);
    free(account);
}

static void spend_in_child(void) {
    pid_t child = fork();
    if (child == 0) {
        spend(2);
        printf("child %ld - %ld\n", head->amount, spent(head));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
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
    } else if (is(line, "fork")) {
        spend_in_child();
    } else {
        show();
    }
}
