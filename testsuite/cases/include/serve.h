/* The frame of a program under test: a worker thread reads lines from stdin, calls `handle` for each, and ends
 * every reply with a line that holds a single dot. The case defines `handle`, which prints the reply. */
#ifndef SERVE_H
#define SERVE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define SERVE_C extern "C"
#else
#define SERVE_C
#endif

/* noinline: it is called again and again, so that each call can meet a newer version of it. */
SERVE_C __attribute__((noinline)) void handle(const char *line);

/* The number after `word` in `line`; 0 when there is none. */
static inline long argument(const char *line) {
    const char *blank = strchr(line, ' ');
    return blank ? strtol(blank, NULL, 10) : 0;
}

/* Whether `line` is the command `word`, with or without an argument. */
static inline int is(const char *line, const char *word) {
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

/* The value, of which the optimiser knows nothing: a function that returns one changes without its callers. */
static inline const char *opaque(const char *text) {
    __asm__ volatile("" : "+r"(text));
    return text;
}

static inline long opaque_number(long number) {
    __asm__ volatile("" : "+r"(number));
    return number;
}

static inline void serve_ready(void) {
    puts(".");
    fflush(stdout);
}

static inline void *serve_lines(void *unused) {
    static char line[512];
    (void)unused;
    serve_ready();
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        handle(line);
        serve_ready();
    }
    return NULL;
}

/* Serves stdin to its end on a thread of its own. */
static inline int serve(void) {
    pthread_t worker;
    if (pthread_create(&worker, NULL, serve_lines, NULL) != 0 || pthread_join(worker, NULL) != 0)
        return 1;
    return 0;
}

#ifndef SERVE_OWN_MAIN
int main(void) { return serve(); }
#endif
#endif
