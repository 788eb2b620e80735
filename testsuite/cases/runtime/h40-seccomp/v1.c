//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#Send:spawn
//#Expect:not permitted
// The threads of the program may no longer run other programs: the runtime's thread does not need to.
#include "serve.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

static void lock_down(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, 1, 1 /* all threads */, &program))
        puts("no seccomp");
}

void handle(const char *line) {
    static int done;
    if (!done++)
        lock_down();
    if (is(line, "spawn")) {
        char *words[] = {(char *)"true", NULL};
        execv("/bin/true", words);
        puts(errno == EPERM ? "not permitted" : "permitted");
    } else {
        puts(work());
    }
}
