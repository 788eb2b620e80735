//#DsuArgs:--dsu-list=never.txt
//#ExpectSkipped:bare: naked
//#ExpectSkipped:resolve: ifunc resolver
//#ExpectSkipped:marked: dsu::never
//#ExpectSkipped:listed: never.txt
//#ExpectSkipped:vector: vectorcall
//#RunTool:cat dsu.log
//#ToolReject:`ordinary`
//#Send:go
//#Expect:1 2 3 4 5 6
// Functions that must not, or are asked not to, be redirected: each with its reason.
#include "serve.h"

__attribute__((naked, noinline)) int bare(void) { __asm__("movl $1, %eax; ret"); }
static int two(void) { return 2; }
static int (*resolve(void))(void) { return two; }
int chosen(void) __attribute__((ifunc("resolve")));
__attribute__((annotate("dsu::never"), noinline)) int marked(void) { return 3; }
__attribute__((noinline)) int listed(void) { return 4; }
__attribute__((noinline)) int ordinary(void) { return 5; }
__attribute__((vectorcall, noinline)) int vector(int n) { return n; }

void handle(const char *line) { printf("%d %d %d %d %d %d\n", bare(), chosen(), marked(), listed(), ordinary(), vector(6)); }
