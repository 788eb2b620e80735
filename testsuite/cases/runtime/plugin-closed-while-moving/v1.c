//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -ldl
//#Module:plugin.so
//#Consistency:thread
//#NoOracle:a library that is loaded again is that of the base
//#ExpectClosure:answer
//#Send:load
//#Expect:loaded
//#Send:spin
//#Expect:spins
//#RunTool:dsuctl apply $PID $PATCH --consistency thread --no-wait
//#RunTool:dsuctl status $PID --threads
//#ToolOut:no quiescence point reached
//#Send:close
//#Expect:unloaded
//#Send:load
//#Expect:loaded
//#Send:ask
//#Expect:old 1
//#RunTool:dsuctl status $PID --json
//#ToolOut:"images": 0
//#Send:rest
//#Expect:rested
//#RunTool:sleep 1; dsuctl status $PID --json
//#ToolReject:"turned_back"
//#Update:v2
//#Send:ask
//#Expect:new 2
//#Send:fork
//#Expect:new 3
//#Expect:child ended with 0
// A plugin is closed while threads move to its patch: the update goes on without it, and the next one finds all in order.
#include "serve.h"
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

static void *plugin;
static void (*ask)(void);
static pthread_t spinner;
static volatile int stop;

static void *spin(void *unused) {
    while (!stop)
        ;
    return unused;
}

/* In a child the patch is in effect, too. */
static void in_child(void) {
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        ask();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("child ended with %d\n", status);
}

void handle(const char *line) {
    if (is(line, "load")) {
        plugin = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
        ask = plugin ? (void (*)(void))dlsym(plugin, "ask") : NULL;
        puts(ask ? "loaded" : dlerror());
    } else if (is(line, "close")) {
        puts(dlclose(plugin) ? dlerror() : "closed");
    } else if (is(line, "spin")) {
        pthread_create(&spinner, NULL, spin, NULL);
        puts("spins");
    } else if (is(line, "rest")) {
        stop = 1;
        pthread_join(spinner, NULL);
        puts("rested");
    } else if (is(line, "fork")) {
        in_child();
    } else {
        ask();
    }
}
