/* New versions for base.c. `base` stands for the words that patchgen takes out of .rela.dyn. */
#include <stdint.h>

/* &counter; offset of tls_counter from the thread pointer; its module's number and its offset therein */
uintptr_t base[4] = {1, 1, 1, 1};
void *__tls_get_addr(uintptr_t *);

#ifndef ADD
#define ADD 0
#endif

__attribute__((visibility("default"))) int new_first(int x) { return x + ADD + 2 + *(int *)base[0]; }

__attribute__((visibility("default"))) int new_second(int x) {
    int value;
    __asm__("movl %%fs:(%1), %0" : "=r"(value) : "r"(base[1]));
    return x + ADD + 2 + value;
}

__attribute__((visibility("default"))) int new_third(int x) {
    return x + ADD - 4 + *(int *)__tls_get_addr(&base[2]);
}

#ifdef TRAMPOLINES
/* A control block, original-code trampolines, and dispatch stubs, after dsu_abi::control. `past` stands for what is
 * behind the bytes of each entry that arming overwrites; `kept` for the storage of the persistent variable `added`. */
uintptr_t control[3 + 2 * 4] = {1};
uintptr_t past[4] = {1, 1, 1, 1};
uintptr_t kept = 1;
int added = 40;

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define TRAMPOLINE(name, index)                                                                                     \
    __asm__(".text\n .globl old_" #name "\nold_" #name ": jmp *past+8*" TEXT(index) "(%rip)\n"               \
            " .globl stub_" #name "\nstub_" #name ":\n mov control(%rip), %r11\n mov %fs:(%r11), %r11\n"     \
            " mov (%r11), %r11\n test %r11, %r11\n js 2f\n cmp control+8(%rip), %r11d\n js 1f\n"            \
            " jmp *control+32+16*" TEXT(index) "(%rip)\n1: jmp *control+24+16*" TEXT(index) "(%rip)\n"        \
            "2: lea control+24+16*" TEXT(index) "(%rip), %r11\n jmp *control+16(%rip)\n")
TRAMPOLINE(first, 0);
TRAMPOLINE(second, 1);
TRAMPOLINE(third, 2);
TRAMPOLINE(hold, 3);

__attribute__((visibility("default"))) int veto(void) { return 1; }
__attribute__((visibility("default"))) int agree(void) { return 0; }

/* Held as the old one, so that threads can be found inside it; counts its calls. */
__attribute__((visibility("default"))) int new_hold(int x) { return x + ++*(int *)kept; }
#endif

#ifdef UNRESOLVED
extern int nobody_has_this(int);
__attribute__((visibility("default"))) int stray(int x) { return nobody_has_this(x); }
#endif
