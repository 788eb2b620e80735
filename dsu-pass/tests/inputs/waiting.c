/* A server: what it does for a request is as the plain compiler makes it; only where it waits there is more. */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct node { struct node *next; unsigned key, value; };
static struct node *table[64];

unsigned hash(const char *text, unsigned length) {
    unsigned h = 5381;
    for (unsigned i = 0; i < length; i++)
        h = h * 33 ^ (unsigned char)text[i];
    return h;
}

struct node *find(unsigned key) {
    for (struct node *node = table[key % 64]; node; node = node->next)
        if (node->key == key)
            return node;
    return 0;
}

int write_all(int fd, const char *data, long size) {
    while (size > 0) {
        long done = write(fd, data, size);
        if (done < 0)
            return -1;
        data += done, size -= done;
    }
    return 0;
}

__attribute__((noinline)) static int answer(int fd) {
    char request[128];
    long size = read(fd, request, sizeof request);
    if (size <= 0)
        return -1;
    struct node *node = find(hash(request, size));
    return write_all(fd, node ? "yes\n" : "no\n", node ? 4 : 3);
}

static void *connection(void *fd) {
    while (answer((int)(long)fd) == 0)
        ;
    return 0;
}

void serve(int socket) {
    for (;;) {
        pthread_t thread;
        long fd = accept(socket, 0, 0);
        if (fd >= 0)
            pthread_create(&thread, 0, connection, (void *)fd);
    }
}
