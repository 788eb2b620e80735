/* Sockets and threads: all workers wait on one epoll set, in which a connection that is being served stays silent. */
#define _GNU_SOURCE
#include "sqld.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 100 };

struct connection {
    int socket;
    size_t bytes;
    char line[LINE_BYTES];
};

struct worker {
    pthread_t thread;
    int epoll, listener;
    struct sqlite3 *engine;
};

static volatile sig_atomic_t stopping;

/* The socket blocks while it is written to; false when the peer is gone. */
static bool send_all(int socket, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(socket, text, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer(struct worker *worker, struct connection *connection, const char *line)
{
    struct reply reply = {0};
    bool sent;

    engine_run(worker->engine, line, &reply);
    sent = !reply.failed && send_all(connection->socket, reply.text, reply.length);
    free(reply.text);
    return sent;
}

/* Takes what has arrived and answers each whole line; false when the connection ends. */
static bool serve(struct worker *worker, struct connection *connection)
{
    char *start = connection->line, *end;
    ssize_t got = recv(connection->socket, start + connection->bytes, LINE_BYTES - connection->bytes, MSG_DONTWAIT);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    connection->bytes += (size_t)got;
    while ((end = memchr(start, '\n', (size_t)(connection->line + connection->bytes - start)))) {
        *end = '\0';
        if (!answer(worker, connection, start))
            return false;
        start = end + 1;
    }
    connection->bytes -= (size_t)(start - connection->line);
    memmove(connection->line, start, connection->bytes);
    return connection->bytes < LINE_BYTES; /* a line that does not fit ends it */
}

static bool watch(struct worker *worker, struct connection *connection, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};

    return epoll_ctl(worker->epoll, operation, connection->socket, &event) == 0;
}

static void close_connection(struct connection *connection)
{
    close(connection->socket); /* leaves the epoll set by itself */
    free(connection);
}

static void welcome(struct worker *worker)
{
    int yes = 1, socket = accept4(worker->listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *connection = socket < 0 ? NULL : malloc(sizeof *connection);

    if (!connection) {
        if (socket >= 0)
            close(socket);
        return;
    }
    connection->socket = socket;
    connection->bytes = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!watch(worker, connection, EPOLL_CTL_ADD))
        close_connection(connection);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;

    while (!stopping) {
        struct epoll_event event;
        int ready = epoll_wait(worker->epoll, &event, 1, TICK_MS);

        DSU_QUIESCENCE_POINT(); /* between two events: no statement of this thread is under way */
        if (ready <= 0)
            continue;
        if (!event.data.ptr)
            welcome(worker);
        else if (!serve(worker, event.data.ptr) || !watch(worker, event.data.ptr, EPOLL_CTL_MOD))
            close_connection(event.data.ptr);
    }
    return NULL;
}

static int listen_on(const char *address, int port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof where;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        fprintf(stderr, "sqld: `%s` is not an IPv4 address\n", address);
        return -1;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listener < 0 || bind(listener, (struct sockaddr *)&where, sizeof where) || listen(listener, 128)) {
        fprintf(stderr, "sqld: cannot listen on %s:%d: %s\n", address, port, strerror(errno));
        return -1;
    }
    getsockname(listener, (struct sockaddr *)&where, &size);
    printf("sqld: listening on %s:%d\n", address, ntohs(where.sin_port));
    fflush(stdout);
    return listener;
}

void server_stop(void)
{
    stopping = 1;
}

int server_run(const char *database, const char *address, int port, int threads)
{
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    struct epoll_event accepting = {.events = EPOLLIN, .data.ptr = NULL};
    int listener, epoll = epoll_create1(EPOLL_CLOEXEC);

    /* The first connection sets the database up; the others find it so. */
    for (int i = 0; workers && i < threads; i++)
        if (!(workers[i].engine = engine_open(database)))
            return 1;
    listener = listen_on(address, port);
    if (!workers || epoll < 0 || listener < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting))
        return 1;
    for (int i = 0; i < threads; i++) {
        workers[i].epoll = epoll;
        workers[i].listener = listener;
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i])) {
            fprintf(stderr, "sqld: cannot start worker %d: %s\n", i, strerror(errno));
            return 1;
        }
    }
    for (int i = 0; i < threads; i++) {
        DSU_IDLE_BEGIN(); /* the first thread does nothing else from here on */
        pthread_join(workers[i].thread, NULL);
        DSU_IDLE_END();
        engine_close(workers[i].engine);
    }
    free(workers);
    close(listener);
    close(epoll);
    return 0;
}
