/* A library's event loop, called by an instrumented program, waits in functions of the C library that the program
 * defines in their stead here: an idle region around each real one. Only a program that calls such a loop refers to
 * __dsu_loop_begin and so gets this object; nothing is interposed in others. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

/* The runtime's. None of them blocks or changes errno. */
void __dsu_loop_enter(void);
void __dsu_loop_leave(void);
void __dsu_library_idle_begin(int fd);
void __dsu_library_idle_end(void);

void __dsu_loop_begin(void) { __dsu_loop_enter(); }

void __dsu_loop_end(void) { __dsu_loop_leave(); }

/* The definition behind ours, looked up at the first call: a constructor may be the first to call. */
static void *next(void **known, const char *name) {
    void *real = __atomic_load_n(known, __ATOMIC_ACQUIRE);
    if (!real) {
        int error = errno;
        real = dlsym(RTLD_NEXT, name);
        errno = error;
        __atomic_store_n(known, real, __ATOMIC_RELEASE);
    }
    return real;
}

/* Also when the thread is cancelled in the call: its clean-up handlers are no waiting. */
static void leave(int *fd) {
    (void)fd;
    __dsu_library_idle_end();
}

#define WAIT(name, type, fd, ...)                                                                                      \
    static void *known;                                                                                                \
    type *real = (type *)next(&known, name);                                                                           \
    if (!real) {                                                                                                       \
        errno = ENOSYS;                                                                                                \
        return -1;                                                                                                     \
    }                                                                                                                  \
    __dsu_library_idle_begin(fd);                                                                                      \
    __attribute__((cleanup(leave), unused)) int inside = fd;                                                           \
    return real(fd, __VA_ARGS__)

typedef int wait_type(int, struct epoll_event *, int, int);
typedef int pwait_type(int, struct epoll_event *, int, int, const sigset_t *);
typedef int pwait2_type(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout) {
    WAIT("epoll_wait", wait_type, fd, events, count, timeout);
}

int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *mask) {
    WAIT("epoll_pwait", pwait_type, fd, events, count, timeout, mask);
}

int epoll_pwait2(int fd, struct epoll_event *events, int count, const struct timespec *timeout, const sigset_t *mask) {
    WAIT("epoll_pwait2", pwait2_type, fd, events, count, timeout, mask);
}
