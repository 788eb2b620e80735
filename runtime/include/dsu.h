/* dsu.h - what a program may tell the update toolchain. Nothing here is needed to be updatable.
 *
 * Works with every C and C++ compiler. Compiled without the plugin, a quiescence point is a call of an empty
 * function and DSU_NEVER is nothing; compiled with it, a point is two loads and a compare.
 */
#ifndef DSU_H
#define DSU_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__has_attribute)
#if __has_attribute(annotate)
#define DSU_NEVER __attribute__((annotate("dsu::never")))
#endif
#endif
#ifndef DSU_NEVER
/* DSU_NEVER - before a function's declaration: leave this function alone. It cannot be updated, and its code is what
 * a build without the toolchain has. For code that must not be touched (signal trampolines, code that is copied or
 * checksummed).
 *
 *     DSU_NEVER static void trampoline(void) { ... }
 */
#define DSU_NEVER
#endif

/* The marker behind DSU_QUIESCENCE_POINT: not to be called by hand. The plugin replaces calls of it; a unit compiled
 * without the plugin brings this empty body along, weak, so that it links with and without the runtime. */
#if defined(__GNUC__)
__attribute__((weak, noinline)) DSU_NEVER void __dsu_quiescence_point(void) { __asm__ volatile("" ::: "memory"); }
#else
static void __dsu_quiescence_point(void) {}
#endif

/* DSU_QUIESCENCE_POINT() - a place where the calling thread may move to a newer version of the program, all changed
 * functions at once. Put it where the thread is between two pieces of work: at the head of an event loop, after a
 * request. There the thread should hold no lock, and no local copy of a pointer to a function.
 *
 *     for (;;) {
 *         DSU_QUIESCENCE_POINT();
 *         serve(next_request());
 *     }
 *
 * Only patches of consistency `thread` need such points; with `newest`, each call finds the newest version. A point
 * never blocks and never calls back. */
#define DSU_QUIESCENCE_POINT() __dsu_quiescence_point()

#ifdef __cplusplus
}
#endif

#endif
