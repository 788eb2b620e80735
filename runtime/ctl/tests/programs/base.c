/* A program with stubs written by hand after dsu_abi::stub, as the plugin would make them.
 * Reads commands from stdin, one a line; answers each with one line. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef WITH_POINTS
#include "dsu.h"
#endif

int counter = 100;
__thread int tls_filler = 5;
__thread int tls_counter = 7;

/* int NAME(int x) { return x + ADDEND; }, dispatch armed. */
#define ARMED(name, id, endbr, addend)                                                                       \
    __asm__(".pushsection .bss." #name ",\"aw\",@nobits\n .p2align 3\n slot_" #name ": .zero 8\n"            \
            " .globl slot_" #name "\n .popsection\n"                                                         \
            ".text\n .p2align 4\n .quad " #id "\n .byte 0xcc, 0xcc, 0xff, 0x25\n"                            \
            " .long slot_" #name " - . - 4\n .globl " #name "\n .type " #name ", @function\n" #name ":\n"    \
            endbr " xchg %ax, %ax\n lea " #addend "(%rdi), %eax\n ret\n .size " #name ", . - " #name "\n");  \
    int name(int)

/* The same, dispatch always. */
#define ALWAYS(name, addend)                                                                                 \
    __asm__(".pushsection .data." #name ",\"aw\",@progbits\n .p2align 3\n slot_" #name ": .quad " #name      \
            " + 6\n .globl slot_" #name "\n .popsection\n"                                                   \
            ".text\n .p2align 4\n .globl " #name "\n .type " #name ", @function\n" #name ":\n"               \
            " .byte 0xff, 0x25\n .long slot_" #name " - . - 4\n lea " #addend "(%rdi), %eax\n ret\n"         \
            " .size " #name ", . - " #name "\n");                                                            \
    int name(int)

ARMED(first, 0x1122334455667788, "", 1);
ARMED(second, 0x99, " endbr64\n", 1);
ALWAYS(third, 1);

#ifndef DISPATCH
#define DISPATCH 0
#endif
#ifndef POINTS
#define POINTS 1
#endif
#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define NOTE(dispatch)                                                                                       \
    __asm__(".pushsection .note.dsu,\"a\",@note\n .p2align 2\n .long 4, 20, 1\n .asciz \"DSU\"\n"            \
            " .long 1, " STRING(dispatch) ", 3, " STRING(POINTS) ", 0\n .popsection\n")
NOTE(DISPATCH);

static atomic_int stop;
static atomic_long calls, wrong;

static void *hammer(void *unused) {
    (void)unused;
    for (int x = 0; !atomic_load_explicit(&stop, memory_order_relaxed); x = (x + 1) & 0xffff) {
        int a = first(x), b = second(x), c = third(x);
        if ((a != x + 1 && a != x + 102) || (b != x + 1 && b != x + 9) || (c != x + 1 && c != x + 3)) {
            atomic_fetch_add(&wrong, 1);
        }
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    }
    return NULL;
}

static long resident_pages(void) {
    long total = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%ld %ld", &total, &resident) != 2) abort();
    fclose(statm);
    return resident;
}

static pthread_t hammers[4];

#ifdef CREW
#include "crew.h"
#else
static int crew_command(const char *line) { return line == NULL; }
static void wait_for_line(void) {}
#endif

static void command(const char *line) {
    if (crew_command(line)) {
        /* Answered. */
    } else if (!strcmp(line, "call")) {
        printf("%d %d %d\n", first(0), second(0), third(0));
    } else if (!strcmp(line, "hammer")) {
        for (int i = 0; i < 4; i++) pthread_create(&hammers[i], NULL, hammer, NULL);
        puts("hammering");
    } else if (!strcmp(line, "rest")) {
        atomic_store(&stop, 1);
        for (int i = 0; i < 4; i++) pthread_join(hammers[i], NULL);
        printf("wrong %ld of %ld\n", atomic_load(&wrong), atomic_load(&calls));
    } else if (!strcmp(line, "memory")) {
        printf("%ld\n", resident_pages());
    } else if (!strcmp(line, "fork")) {
        /* From here on the child answers; the parent waits for it. */
        fflush(stdout);
        pid_t child = fork();
        if (child) {
            int status = 0;
            waitpid(child, &status, 0);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
        }
        printf("%d\n", (int)getpid());
    } else if (!strcmp(line, "exec")) {
        /* Becomes another program, which says its number first as this one did. */
        execl(getenv("OTHER"), getenv("OTHER"), (char *)NULL);
        puts("?");
    } else if (!strcmp(line, "closefrom")) {
        for (int fd = 3; fd < 65536; fd++) close(fd);
        printf("%d\n", dup(0));
    } else if (!strcmp(line, "setuid")) {
        printf("%d\n", setgid(65534) || setuid(65534));
    } else if (!strcmp(line, "chroot")) {
        printf("%d\n", chroot("/tmp") || chdir("/"));
    } else if (!strcmp(line, "mdwe")) {
        printf("%d\n", prctl(65 /* PR_SET_MDWE */, 1L, 0L, 0L, 0L));
    } else if (!strcmp(line, "forks")) {
        int bad = 0;
        for (int i = 0; i < 1000; i++) {
            pid_t child = fork();
            if (child == 0) {
                /* Updated wholly or not at all. */
                int a = first(0), b = second(0), c = third(0);
                _exit(!(a == 1 && b == 1 && c == 1) && !(a == 102 && b == 9 && c == 3));
            }
            int status = 0;
            waitpid(child, &status, 0);
            bad += status != 0;
        }
        printf("bad %d\n", bad);
    } else {
        puts("?");
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
#ifdef NOT_DUMPABLE
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
    if (argc > 1 && !strcmp(argv[1], "daemon") && daemon(1, 1)) return 1;
    printf("%d\n", (int)getpid());
    fflush(stdout);
    char line[64];
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        wait_for_line();
        if (!fgets(line, sizeof line, stdin)) break;
        line[strcspn(line, "\n")] = 0;
        command(line);
    }
    return 0;
}
