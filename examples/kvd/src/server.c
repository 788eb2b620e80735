/* Sockets and threads: the first thread accepts, each worker serves its connections from one epoll set. */
#define _GNU_SOURCE
#include "kvd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, TICK_MS = 100 };

struct connection {
    int socket;
    uint32_t watched;
    size_t in_bytes, out_bytes, out_sent;
    char in[LINE_MAX_BYTES], out[LINE_MAX_BYTES * 2];
};

struct worker {
    pthread_t thread;
    int epoll;
};

static atomic_ulong connections, requests;
static volatile sig_atomic_t stopping;

static void close_connection(struct connection *connection)
{
    close(connection->socket); /* leaves the epoll set by itself */
    free(connection);
    atomic_fetch_sub(&connections, 1);
}

static bool replies_wait(const struct connection *connection)
{
    return connection->out_sent < connection->out_bytes;
}

/* Sends what is waiting, as much as the socket takes; false when the peer is gone. */
static bool flush_replies(struct connection *connection)
{
    while (replies_wait(connection)) {
        ssize_t sent = send(connection->socket, connection->out + connection->out_sent,
                            connection->out_bytes - connection->out_sent, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (sent <= 0)
            return false;
        connection->out_sent += (size_t)sent;
    }
    connection->out_bytes = connection->out_sent = 0;
    return true;
}

/* Answers every whole line that has arrived, while there is room for replies; false when the connection ends. */
static bool answer_lines(struct connection *connection)
{
    char *start = connection->in;
    char *end = NULL;

    while (sizeof connection->out - connection->out_bytes >= LINE_MAX_BYTES &&
           (end = memchr(start, '\n', (size_t)(connection->in + connection->in_bytes - start)))) {
        char *reply = connection->out + connection->out_bytes;

        *end = '\0';
        if (end > start && end[-1] == '\r')
            end[-1] = '\0';
        atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed);
        if (command_run(start, reply, LINE_MAX_BYTES - 1) == COMMAND_QUIT)
            return false;
        connection->out_bytes += strlen(reply);
        connection->out[connection->out_bytes++] = '\n';
        start = end + 1;
    }
    connection->in_bytes -= (size_t)(start - connection->in);
    memmove(connection->in, start, connection->in_bytes);
    return true;
}

static bool receive(struct connection *connection)
{
    ssize_t got = recv(connection->socket, connection->in + connection->in_bytes,
                       sizeof connection->in - connection->in_bytes, 0);

    if (got > 0)
        connection->in_bytes += (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* One turn; a peer that does not read its replies gets no further requests read. False ends the connection. */
static bool serve_connection(struct connection *connection)
{
    size_t before;

    if (replies_wait(connection)) {
        if (!flush_replies(connection))
            return false;
    } else if (!receive(connection)) {
        return false;
    }
    if (replies_wait(connection))
        return true;
    do {
        before = connection->in_bytes;
        if (!answer_lines(connection) || !flush_replies(connection))
            return false;
    } while (connection->in_bytes < before && !replies_wait(connection));
    return connection->in_bytes < sizeof connection->in || replies_wait(connection);
}

/* Waits for whichever the connection can go on with. */
static bool watch(struct worker *worker, struct connection *connection, int operation)
{
    struct epoll_event event = {.events = replies_wait(connection) ? EPOLLOUT : EPOLLIN, .data.ptr = connection};

    if (operation == EPOLL_CTL_MOD && event.events == connection->watched)
        return true;
    connection->watched = event.events;
    return epoll_ctl(worker->epoll, operation, connection->socket, &event) == 0;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct epoll_event events[EVENTS];

    while (!stopping) {
        int ready = epoll_wait(worker->epoll, events, EVENTS, TICK_MS);

        DSU_QUIESCENCE_POINT(); /* between requests nothing of an older version is in use here */
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;

            if (!serve_connection(connection) || !watch(worker, connection, EPOLL_CTL_MOD))
                close_connection(connection);
        }
    }
    return NULL;
}

static int listen_on(const char *address, int port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof where;
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        fprintf(stderr, "kvd: `%s` is not an IPv4 address\n", address);
        return -1;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listener < 0 || bind(listener, (struct sockaddr *)&where, sizeof where) || listen(listener, 128)) {
        fprintf(stderr, "kvd: cannot listen on %s:%d: %s\n", address, port, strerror(errno));
        return -1;
    }
    getsockname(listener, (struct sockaddr *)&where, &size);
    printf("kvd: listening on %s:%d\n", address, ntohs(where.sin_port));
    fflush(stdout);
    return listener;
}

static void hand_to(struct worker *worker, int socket)
{
    struct connection *connection = malloc(sizeof *connection);
    int yes = 1;

    if (!connection) {
        close(socket);
        return;
    }
    connection->socket = socket;
    connection->in_bytes = connection->out_bytes = connection->out_sent = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    atomic_fetch_add(&connections, 1);
    if (!watch(worker, connection, EPOLL_CTL_ADD))
        close_connection(connection);
}

static void accept_until_stopped(int listener, struct worker *workers, int threads)
{
    unsigned next = 0;

    while (!stopping) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        int socket;

        DSU_QUIESCENCE_POINT(); /* this thread, too, comes by every tick */
        if (poll(&ready, 1, TICK_MS) <= 0)
            continue;
        socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0)
            hand_to(&workers[next++ % (unsigned)threads], socket);
    }
}

void server_counts(struct server_counts *counts)
{
    counts->connections = atomic_load(&connections);
    counts->requests = atomic_load(&requests);
}

void server_stop(void)
{
    stopping = 1;
}

int server_run(const char *address, int port, int threads)
{
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    int listener = listen_on(address, port);

    if (!workers || listener < 0)
        return 1;
    for (int i = 0; i < threads; i++) {
        workers[i].epoll = epoll_create1(EPOLL_CLOEXEC);
        if (workers[i].epoll < 0 || pthread_create(&workers[i].thread, NULL, worker_main, &workers[i])) {
            fprintf(stderr, "kvd: cannot start worker %d: %s\n", i, strerror(errno));
            return 1;
        }
    }
    accept_until_stopped(listener, workers, threads);
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
    close(listener);
    return 0;
}
