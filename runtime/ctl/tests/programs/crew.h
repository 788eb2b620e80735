/* Threads that stand where an update finds them: at work with points between, asleep in idle regions, inside a
 * changed function, or running without ever reaching a point. For base.c with -DCREW. */
#include <poll.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>

extern unsigned __dsu_generation;
extern __thread unsigned __dsu_thread_generation;
extern void __dsu_quiesce(void);
extern void __dsu_idle_begin(void);
extern void __dsu_idle_end(void);

/* What the plugin makes of a point. */
#define POINT()                                                                                              \
    do {                                                                                                     \
        if (__dsu_thread_generation != __dsu_generation) __dsu_quiesce();                                    \
    } while (0)

int held(int);

/* int hold(int x) { return held(x) + 1; }, dispatch armed. */
__asm__(".pushsection .bss.hold,\"aw\",@nobits\n .p2align 3\n slot_hold: .zero 8\n .globl slot_hold\n .popsection\n"
        ".text\n .p2align 4\n .quad 0x77\n .byte 0xcc, 0xcc, 0xff, 0x25\n .long slot_hold - . - 4\n"
        " .globl hold\n .type hold, @function\nhold:\n"
        " xchg %ax, %ax\n sub $8, %rsp\n call held\n add $8, %rsp\n inc %eax\n ret\n .size hold, . - hold\n");
int hold(int);

static sem_t let_go, wake_up;
static atomic_int spinning, crew_stop, mixed, sleepers;
static atomic_long passes;

/* Called by `hold`, old and new: the caller's frame stays on the stack for as long as it sleeps. */
__attribute__((noinline)) int held(int x) {
    while (sem_wait(&let_go)) {
    }
    return x;
}

static void nap(long ns) {
    struct timespec time = {0, ns};
    nanosleep(&time, NULL);
}

/* One pass: what it sees of the three functions has to belong together. */
static void pass(void) {
    int a = first(0), b = second(0), c = third(0);
    int old = a == 1 && b == 1 && c == 1, one = a == 102 && b == 9 && c == 3, two = a == 202 && b == 109 && c == 103;
    if (!old && !one && !two) atomic_fetch_add(&mixed, 1);
    atomic_fetch_add_explicit(&passes, 1, memory_order_relaxed);
}

static void *work(void *unused) {
    while (!atomic_load(&crew_stop)) {
        POINT();
        for (int i = 0; i < 100; i++) pass();
    }
    return unused;
}

static void *sleep_idle(void *unused) {
    atomic_fetch_add(&sleepers, 1);
    __dsu_idle_begin();
    while (sem_wait(&wake_up)) {
    }
    __dsu_idle_end();
    pass();
    return unused;
}

static void *spin(void *unused) {
    while (atomic_load(&spinning)) pass();
    POINT();
    /* From here on it can be moved where it sleeps. */
    return sleep_idle(unused);
}

static void *go_inside(void *unused) {
    hold(0);
    POINT();
    return sleep_idle(unused);
}

static void begin(void *(*body)(void *), int count, const char *name) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, body, NULL)) abort();
        pthread_setname_np(thread, name);
        pthread_detach(thread);
    }
}

/* Whether the line was one of ours. */
static int crew_command(const char *line) {
    int count = 0;
    if (sscanf(line, "work %d", &count) == 1) {
        begin(work, count, "worker");
    } else if (sscanf(line, "sleep %d", &count) == 1) {
        begin(sleep_idle, count, "sleeper");
        while (atomic_load(&sleepers) < count) nap(1000000);
    } else if (!strcmp(line, "spin")) {
        atomic_store(&spinning, 1);
        begin(spin, 1, "spinner");
    } else if (!strcmp(line, "inside")) {
        begin(go_inside, 1, "inside");
        nap(50000000);
    } else if (!strcmp(line, "hold")) {
        printf("%d\n", hold(0));
        return 1;
    } else if (!strcmp(line, "let go")) {
        sem_post(&let_go);
    } else if (!strcmp(line, "unspin")) {
        atomic_store(&spinning, 0);
    } else if (!strcmp(line, "vfork")) {
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        printf("%d\n", status);
        return 1;
    } else if (!strcmp(line, "mixed")) {
        printf("%d of %ld\n", atomic_load(&mixed), atomic_load(&passes));
        return 1;
    } else {
        return 0;
    }
    puts("ok");
    return 1;
}

/* Sleeps in an idle region until there is a line to read. */
static void wait_for_line(void) {
    struct pollfd in = {0, POLLIN, 0};
    __dsu_idle_begin();
    poll(&in, 1, -1);
    __dsu_idle_end();
    POINT();
}
