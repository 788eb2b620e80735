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
 * dsu-cc finds the loops that wait for work by itself and places points there; this is for those it misses, which its
 * log names. Only patches of consistency `thread` need points; with `newest`, each call finds the newest version. A
 * point never blocks and never calls back. */
#define DSU_QUIESCENCE_POINT() __dsu_quiescence_point()

/* DSU_IDLE_BEGIN(), DSU_IDLE_END() - around a call that blocks until there is work: while the thread is in there, it
 * counts as being at a quiescence point, and may be moved without being woken. What holds for a point holds for the
 * whole of it. Both must be reached, in this order; they keep errno and never block.
 *
 *     DSU_IDLE_BEGIN();
 *     int count = wait_for_events(events);
 *     DSU_IDLE_END();
 *     serve(events, count);
 */
#define DSU_IDLE_BEGIN() __dsu_idle_begin()
#define DSU_IDLE_END() __dsu_idle_end()

/* dsu_register_stack(low, size), dsu_unregister_stack(low) - tell of a stack that the program made itself, of a
 * coroutine for example, before the first switch to it and before it is freed. Versions are not taken away while
 * something on it may return into them.
 *
 *     void *low = mmap(NULL, size, ...);
 *     dsu_register_stack(low, size);
 */
#if defined(__GNUC__)
#define DSU_WEAK_ __attribute__((weak, noinline)) DSU_NEVER void
DSU_WEAK_ __dsu_idle_begin(void) { __asm__ volatile("" ::: "memory"); }
DSU_WEAK_ __dsu_idle_end(void) { __asm__ volatile("" ::: "memory"); }
DSU_WEAK_ dsu_register_stack(void *low, __SIZE_TYPE__ size) {
    __asm__ volatile("" : : "r"(low), "r"(size) : "memory");
}
DSU_WEAK_ dsu_unregister_stack(void *low) { __asm__ volatile("" : : "r"(low) : "memory"); }
#undef DSU_WEAK_
#else
#include <stddef.h>
static void __dsu_idle_begin(void) {}
static void __dsu_idle_end(void) {}
static void dsu_register_stack(void *low, size_t size) { (void)low, (void)size; }
static void dsu_unregister_stack(void *low) { (void)low; }
#endif
/* Shadow variables - memory that patch code attaches to an object whose struct it cannot enlarge, because objects of
 * the old size are alive. An object is known by its address, what is attached to it by a number of your choice.
 *
 *     int *retries = dsu_shadow_get_or_alloc(conn, RETRIES, sizeof *retries, NULL, NULL);
 *
 * The memory is zeroed, or what the constructor makes of it: it gets the object, the new memory and `argument`, and
 * returns 0, or anything else for "none". Threads that ask at once get one block; a constructor may have run for
 * another one that is thrown away. Free it when the object dies (in the patched version of what frees the object): an
 * object at the same address would find it. As with free, nobody may use a block that is being freed. Nothing here
 * waits for another thread, and a forked child has all of it; but it allocates, so only dsu_shadow_get is for signal
 * handlers. */
typedef int (*dsu_shadow_constructor)(const void *object, void *shadow, void *argument);
/* The block attached to `object` under `id`, or NULL. */
void *dsu_shadow_get(const void *object, unsigned long id);
/* Attaches `size` bytes; NULL when there is a block already, no memory, or the constructor says no. */
void *dsu_shadow_alloc(const void *object, unsigned long id, __SIZE_TYPE__ size, dsu_shadow_constructor constructor,
                       void *argument);
/* The block there is, else a new one; NULL without memory. */
void *dsu_shadow_get_or_alloc(const void *object, unsigned long id, __SIZE_TYPE__ size,
                              dsu_shadow_constructor constructor, void *argument);
/* Frees the block of one object; of all objects. */
void dsu_shadow_free(const void *object, unsigned long id);
void dsu_shadow_free_all(unsigned long id);

/* Hooks - functions that the runtime calls around an update, in a file for `patchgen build --hooks FILE.c`. It is
 * compiled with the flags of the base and becomes part of the patch; what the program has, it declares and uses. The
 * runtime calls each on a thread of its own while the program runs: it must lock what the program would lock, and must
 * not wait for long.
 *
 *     int dsu_pre_apply(void);      before anything is switched; other than 0 vetoes
 *     int dsu_post_apply(void);     when every thread has moved; may also return void
 *     int dsu_pre_revert(void);     before a revert; other than 0 vetoes
 *     int dsu_post_revert(void);    when every thread is back; may also return void
 *     void dsu_transform_NAME(const void *old, void *now);
 *                                   gives the variable NAME its value, when its initialiser changed: right before
 *                                   dsu_post_apply. Both point at the variable. A static local is function_name.
 *
 * DSU_STATIC(unit, name) makes a declaration mean the `static` of that name in a source file of the program. */
#define DSU_STATIC(unit, name) __asm__("dsu!" unit "!" #name)

#ifdef __cplusplus
}
#endif

#endif
