//#CompArgs:-O2 -fno-builtin
//#ExpectClosure:malloc
//#Send:use 1000
//#Expect:ok, 16 each
//#Update:v2
//#Send:use 1000
//#Expect:ok, 32 each
//#Revert
//#Send:use 1000
//#Expect:ok, 16 each
//#Update:v2
//#Send:use 10
//#Expect:ok, 32 each
// The program brings its own malloc, and exactly that is updated: dlopen and everybody else call it meanwhile.
#include "serve.h"
#include <stdint.h>

static char heap[64 << 20] __attribute__((aligned(16)));
static size_t used;
static volatile long granule;

__attribute__((noinline)) void *malloc(size_t size) {
    size_t step = 16; //#v2: size_t step = 32;
    granule = (long)step;
    size = (size + step + 15) & ~(size_t)15;
    size_t at = __atomic_fetch_add(&used, size + 16, __ATOMIC_RELAXED);
    if (at + size + 16 > sizeof heap)
        return NULL;
    *(size_t *)(heap + at) = size;
    return heap + at + 16;
}

void free(void *pointer) { (void)pointer; }

void *calloc(size_t count, size_t size) {
    void *pointer = malloc(count * size);
    return pointer ? memset(pointer, 0, count * size) : NULL;
}

void *realloc(void *pointer, size_t size) {
    void *fresh = malloc(size);
    if (fresh && pointer) {
        size_t old = *(size_t *)((char *)pointer - 16);
        memcpy(fresh, pointer, old < size ? old : size);
    }
    return fresh;
}

void *memalign(size_t alignment, size_t size) {
    uintptr_t at = (uintptr_t)malloc(size + alignment);
    return (void *)((at + alignment - 1) & ~(alignment - 1));
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **place, size_t alignment, size_t size) {
    *place = memalign(alignment, size);
    return *place ? 0 : 12;
}

void handle(const char *line) {
    long sum = 0;
    for (long i = 0; i < argument(line); i++) {
        char *text = (char *)malloc(10);
        strcpy(text, "abc");
        sum += (long)strlen(text);
        free(text);
    }
    printf("%s, %ld each\n", sum == argument(line) * 3 ? "ok" : "broken", granule);
}
