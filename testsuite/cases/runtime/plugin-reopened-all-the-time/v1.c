//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -ldl
//#Module:plugin.so
//#NoOracle:what runs when is left to chance
//#ExpectClosure:answer
//#Send:begin
//#Expect:begun
//#RunTool:for i in $(seq 40); do for do in "apply $PID $PATCH" "revert $PID"; do code=0; dsuctl $do >/dev/null 2>&1 || code=$?; case $code in 0) echo done ;; 3|24) echo closed ;; *) echo "$do: $code" ;; esac; done; done | sort | uniq -c
//#ToolOut: done
//#ToolReject:: 
//#Send:end
//#Expect:all right
//#RunTool:sleep 2; dsuctl status $PID --json
//#ToolOut:"images": 0
// A plugin is opened, called and closed all the time, by a process that forks, while it is patched again and again.
#include "serve.h"
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t opener, forker;
static volatile int stop, wrong;

static int call_it(void) {
    void *plugin = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
    int (*ask)(void) = plugin ? (int (*)(void))dlsym(plugin, "ask") : NULL;
    int right = ask && ask() == 1 && ask() == 2;

    /* Long enough open for an update to meet it. */
    usleep(2000);
    right = right && ask() == 3;
    return plugin && dlclose(plugin) == 0 && right;
}

static void *open_and_close(void *unused) {
    while (!stop)
        wrong += !call_it();
    return unused;
}

static void *fork_and_wait(void *unused) {
    while (!stop) {
        int status = 1;
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        wrong += waitpid(child, &status, 0) != child || status != 0;
        usleep(500);
    }
    return unused;
}

void handle(const char *line) {
    if (is(line, "begin")) {
        pthread_create(&opener, NULL, open_and_close, NULL);
        pthread_create(&forker, NULL, fork_and_wait, NULL);
        puts("begun");
        return;
    }
    stop = 1;
    pthread_join(opener, NULL);
    pthread_join(forker, NULL);
    puts(wrong ? "something went wrong" : "all right");
}
