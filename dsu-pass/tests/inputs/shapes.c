/* Functions whose entries are shaped differently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct big { long a[9]; };
struct pair { double x; long y; };
typedef float vec __attribute__((vector_size(16)));
extern int outside(int);
extern void maybe(void) __attribute__((weak));

static int counter;
static __thread int per_thread = 3;
const char *const names[] = { "zero", "one", "two", "three" };
static int square(int x) { return x * x; }
static int cube(int x) { return x * x * x; }
static int (*const table[])(int) = { square, cube, outside };

void nothing(void) {}
void forever(void) { for (;;) outside(1); }
void spin(volatile int *p) { while (*p) { } }
int last(const int *p) { do { p++; } while (p[1]); return *p; }
int count(const char *s) { int n = 0; while (*s++) n++; return n; }
void unreachable(void) { __builtin_unreachable(); }
__attribute__((noreturn)) void leave(int code) { outside(code); exit(code); }
int call_once(int x) { return outside(x); }
int call_and_keep(int x) { return outside(x) + x; }
int through_table(int i, int x) { return table[i](x); }

__attribute__((noinline)) static int sum(int n, ...)
{
    va_list list;
    int total = 0;
    va_start(list, n);
    while (n--)
        total += va_arg(list, int);
    va_end(list);
    return total;
}
int variadic(int a, int b) { return sum(3, a, b, per_thread++); }

struct big make_big(int x) { struct big b; memset(&b, 0, sizeof b); b.a[x & 7] = x; return b; }
struct pair make_pair(double x) { struct pair p = { x, (long)x }; return p; }
long many(long a, long b, long c, long d, long e, long f, long g, struct big h) { return a + b + c + d + e + f + g + h.a[2]; }
vec lanes(vec a, vec b) { return a * b + a; }
long double wide(long double x) { return x * x; }
double halve(double x) { return x / 2; }
int big_frame(int i) { volatile char room[70000]; room[i] = (char)i; return room[i + 1]; }
int sized_frame(int n) { volatile char room[n]; room[0] = 1; outside(room[0]); return room[n - 1]; }

int choose(int x)
{
    switch (x) {
    case 0: return outside(4);
    case 1: return outside(7);
    case 2: counter++; return 1;
    case 3: return outside(x * 3);
    case 4: return square(counter);
    case 5: return cube(counter);
    case 9: return per_thread;
    default: return names[x & 3][0];
    }
}

int interpret(const unsigned char *code)
{
    static void *const ops[] = { &&add, &&twice, &&stop };
    int acc = 0;
    goto *ops[*code];
add: acc += 1; goto *ops[*++code];
twice: acc *= 2; goto *ops[*++code];
stop: return acc;
}

static jmp_buf back;
int risky(int x) { if (setjmp(back)) return -1; if (x) longjmp(back, 1); return outside(x); }
static int even(int n);
static __attribute__((noinline)) int odd(int n) { return n == 0 ? 0 : even(n - 1); }
static __attribute__((noinline)) int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int parity(int n) { return even(n); }
int factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }
int ask_maybe(void) { if (maybe) maybe(); return !!maybe; }

__attribute__((section(".special"))) int in_section(int x) { return outside(x) + 1; }
__attribute__((visibility("hidden"))) int hidden(int x) { return outside(x) + 2; }
__attribute__((weak)) int weak(int x) { return outside(x) + 3; }
__attribute__((aligned(64))) int aligned(int x) { return outside(x) + 4; }
__attribute__((cold)) int cold(int x) { return outside(x) + 5; }
__attribute__((hot, flatten)) int hot(int x) { return weak(x) + hidden(x); }
__attribute__((optnone, noinline)) int slow(int x) { return x + 1; }
__attribute__((regparm(3))) int reg(int x) { return outside(x); }
__attribute__((preserve_most)) void gentle(int x) { outside(x); }
__attribute__((ms_abi)) int foreign(int a, int b, int c, int d, int e) { return outside(a + b + c + d + e); }
__attribute__((constructor)) static void early(void) { counter = 1; }
inline int inlined(int x) { return x + counter; }
extern inline int inlined(int x);
int another_name(int) __attribute__((alias("weak")));
int uses_all(int x) { return slow(x) + inlined(x) + aligned(x) + cold(x) + in_section(x) + reg(x); }
