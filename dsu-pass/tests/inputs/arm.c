/* Redirects functions through their stubs, as the runtime does, and takes it back. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Keeps the optimiser from knowing what a call gives. */
#define OPAQUE __asm__ volatile("" ::: "memory")

__attribute__((noinline, weak)) int price(int x) { return x * 2; }
__attribute__((noinline)) static int counted(int n) { OPAQUE; return n < 2 ? 1 : n * counted(n - 1); }
__attribute__((noinline, aligned(64))) double scaled(double x, int n) { OPAQUE; while (n--) x *= 2; return x; }
__attribute__((noinline)) struct six { long a[6]; } filled(int a, int b, int c, int d, int e, int f, int g)
{ OPAQUE; struct six s = { { a, b, c, d, e, f + g } }; return s; }

static int new_price(int x) { return x * 3; }
static int new_counted(int n) { return -n; }
static double new_scaled(double x, int n) { return x + n; }
static struct six new_filled(int a, int b, int c, int d, int e, int f, int g)
{ struct six s = { { g, f, e, d, c, a + b } }; return s; }

typedef void (*code)(void);
static const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };

/* Fills the slot of a function and arms it; new_code 0 takes it back. */
static void redirect(void *function, code new_code)
{
    static struct { unsigned char *entry; unsigned char first[2]; code body; } known[8];
    unsigned char *entry = function;
    int arm = memcmp(entry, endbr, 4) ? 0 : 4, i = 0;
    int always = entry[arm] == 0xff && entry[arm + 1] == 0x25;
    unsigned char *jump = always ? entry + arm : entry - 6;
    int32_t rel;
    memcpy(&rel, jump + 2, 4);
    code volatile *slot = (void *)(jump + 6 + rel);
    while (known[i].entry && known[i].entry != entry)
        i++;
    if (!known[i].entry) {
        known[i].entry = entry;
        memcpy(known[i].first, entry + arm, 2);
        known[i].body = *slot;
        if (always ? (unsigned char *)*slot != jump + 6 : *slot != 0)
            printf("wrong first value of a slot\n");
        if (!always && (entry[-8] != 0xcc || entry[-7] != 0xcc || jump[0] != 0xff || jump[1] != 0x25))
            printf("no stub\n");
        if (!always && ((uintptr_t)entry & 15))
            printf("entry not aligned\n");
    }
    *slot = new_code ? new_code : known[i].body;
    if (always)
        return;
    unsigned char short_jump[2] = { 0xeb, (unsigned char)(-8 - arm) };
    uintptr_t page = (uintptr_t)entry & ~(uintptr_t)4095;
    mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    memcpy(entry + arm, new_code ? short_jump : known[i].first, 2);
    mprotect((void *)page, 8192, PROT_READ | PROT_EXEC);
}

static void show(void)
{
    struct six s = filled(1, 2, 3, 4, 5, 6, 7);
    printf("%d %d %g %ld%ld%ld%ld%ld%ld\n", price(10), counted(5), scaled(1.5, 3), s.a[0], s.a[1], s.a[2], s.a[3], s.a[4], s.a[5]);
}

int main(void)
{
    show();
    redirect(price, (code)new_price);
    redirect(counted, (code)new_counted);
    redirect(scaled, (code)new_scaled);
    redirect(filled, (code)new_filled);
    show();
    redirect(price, 0);
    redirect(counted, 0);
    redirect(scaled, 0);
    redirect(filled, 0);
    show();
    return 0;
}
