/* New versions for base.c. `base` stands for the words that patchgen takes out of .rela.dyn. */
#include <stdint.h>

/* &counter; offset of tls_counter from the thread pointer; its module's number and its offset therein */
uintptr_t base[4] = {1, 1, 1, 1};
void *__tls_get_addr(uintptr_t *);

__attribute__((visibility("default"))) int new_first(int x) { return x + 2 + *(int *)base[0]; }

__attribute__((visibility("default"))) int new_second(int x) {
    int value;
    __asm__("movl %%fs:(%1), %0" : "=r"(value) : "r"(base[1]));
    return x + 2 + value;
}

__attribute__((visibility("default"))) int new_third(int x) {
    return x - 4 + *(int *)__tls_get_addr(&base[2]);
}

#ifdef UNRESOLVED
extern int nobody_has_this(int);
__attribute__((visibility("default"))) int stray(int x) { return nobody_has_this(x); }
#endif
