// A type without a name is judged as one that has a name: data of the old layout is there.
#include "serve.h"

#define FIELDS struct { long last, hits, bytes; }

#if KIND == 1
static FIELDS g;
#define G g
#elif KIND == 8
static struct { long hits, bytes; } g;
#define G g
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
static enum { NONE, OTHER, SOME } state;
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
    printf("v2 hits %ld bytes %ld\n", G.hits, G.bytes);
}

void handle(const char *line) { count(argument(line)); }
