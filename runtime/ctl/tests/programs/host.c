/* Loads base.c as a plugin and lets it run. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *sleeper(void *unused) {
    for (;;) pause();
    return unused;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    if (getenv("HOST_THREAD")) { /* Others may be at the environment while the plugin is loaded. */
        pthread_t thread;
        if (pthread_create(&thread, NULL, sleeper, NULL) || setenv("DSU_RUNTIME_DIR", "", 1)) return 3;
    }
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*run)(int, char **) = (int (*)(int, char **))dlsym(plugin, "base_main");
    int result = run(1, argv);
    return dlclose(plugin) || result;
}
