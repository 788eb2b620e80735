// Files that share an inline function, in two folders: an unchanged static function keeps its address.
#include "serve.h"
#include "shared.h"

void keep(long (*event)(long));
bool is_kept(long (*event)(long));

static long on_event(long number) { return shared(number); }

__attribute__((noinline)) void step() {
    printf("v2 %ld %s\n", on_event(7), is_kept(on_event) ? "same" : "another");
}

__attribute__((constructor)) static void start() { keep(on_event); }

void handle(const char *line) {
    (void)line;
    step();
}
