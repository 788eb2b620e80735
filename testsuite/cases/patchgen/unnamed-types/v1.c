//#Dispatch:armed
//#Consistency:newest
//#Send:go 5
//#Expect:hits 1 bytes 5
//#Config:of-a-variable
//#CompArgs:-O2 -DKIND=1
//#ExpectRefused:layout-changed unnamed type of g
//#Config:of-a-static-local
//#CompArgs:-O2 -DKIND=2
//#ExpectRefused:layout-changed unnamed type of count::g
//#Config:behind-a-member
//#CompArgs:-O2 -DKIND=3
//#ExpectRefused:layout-changed unnamed type of table::rows
//#Config:behind-an-inner-member
//#CompArgs:-O2 -DKIND=4
//#ExpectRefused:layout-changed unnamed type of outer::in::rows
//#Config:behind-a-local-pointer
//#CompArgs:-O2 -DKIND=5
//#ExpectRefused:layout-changed unnamed type of count::g
//#Config:an-enumeration
//#CompArgs:-O2 -DKIND=6
//#ExpectRefused:layout-changed unnamed type of state
//#Config:on-the-stack
//#CompArgs:-O2 -DKIND=7
//#NoOracle:the numbers are those of one call
//#Send:go 5
//#Expect:hits 1 bytes 5
//#Update:v2
//#Send:go 6
//#Expect:v2 hits 1 bytes 6
//#Config:renamed-member
//#CompArgs:-O2 -DKIND=8
//#Send:go 5
//#Expect:hits 1 bytes 5
//#Update:v2
//#Send:go 6
//#Expect:v2 hits 2 bytes 11
// A type without a name is judged as one that has a name: data of the old layout is there.
#include "serve.h"

#define FIELDS struct { long hits, bytes; }

#if KIND == 1
static FIELDS g;
#define G g
#elif KIND == 8
static struct { long hits, size; } g;
#define G g
#define bytes size
#elif KIND == 3
static struct table { FIELDS *rows; } table;
#define G (*table.rows)
#elif KIND == 4
static struct outer { struct { FIELDS *rows; } in; } outer;
#define G (*outer.in.rows)
#elif KIND == 5
static void *area;
#define G (*g)
#elif KIND == 6
static enum { NONE, SOME } state;
static struct named { long hits, bytes; } g;
#define G g
#else
#define G g
#endif

__attribute__((noinline)) static void count(long n) {
#if KIND == 2
    static FIELDS g;
#elif KIND == 3
    if (!table.rows)
        table.rows = calloc(8, sizeof *table.rows);
#elif KIND == 4
    if (!outer.in.rows)
        outer.in.rows = calloc(8, sizeof *outer.in.rows);
#elif KIND == 5
    FIELDS *g = area ? area : (area = calloc(8, sizeof *g));
#elif KIND == 6
    if (state == opaque_number(SOME))
        puts("some");
    state = opaque_number(NONE);
#elif KIND == 7
    FIELDS g;
    memset(&g, (int)opaque_number(0), sizeof g);
#endif
    G.hits++;
    G.bytes += n;
    printf("hits %ld bytes %ld\n", G.hits, G.bytes);
}

void handle(const char *line) { count(argument(line)); }
