/* As much of OpenMP's library as one thread needs. */
#include <stdarg.h>
#include <stdlib.h>
typedef void region(int *, int *, ...);
void __kmpc_fork_call(void *where, int count, region *body, ...) {
    va_list list;
    int thread = 0;
    void *a[3] = {0};
    va_start(list, body);
    for (int i = 0; i < count && i < 3; i++)
        a[i] = va_arg(list, void *);
    va_end(list);
    body(&thread, &thread, a[0], a[1], a[2]);
}
void __kmpc_for_static_init_4(void *where, int t, int kind, int *last, int *low, int *up, int *stride, int inc, int chunk) { *last = 1; }
void __kmpc_for_static_fini(void *where, int t) {}
void __kmpc_push_num_threads(void *where, int t, int n) {}
int __kmpc_global_thread_num(void *where) { return 0; }
int __kmpc_reduce_nowait(void *where, int t, int n, size_t size, void *data, void (*f)(void *, void *), void *lock) { return 1; }
void __kmpc_end_reduce_nowait(void *where, int t, void *lock) {}
void __kmpc_barrier(void *where, int t) {}
