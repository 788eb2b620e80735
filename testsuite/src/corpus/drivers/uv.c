/* Timers, a work queue, a loopback connection and files on a loop of its own: `work` prints what happened. */
#include "serve.h"

#include "uv.h"

static uv_loop_t loop;
static uv_tcp_t server, client, peer;
static uv_timer_t timer;
static int ticks, works;

static void on_tick(uv_timer_t *handle) {
    if (++ticks == 3)
        uv_close((uv_handle_t *)handle, NULL);
}

static void work(uv_work_t *request) { *(int *)request->data *= 2; }
static void after_work(uv_work_t *request, int status) { works += status == 0 ? *(int *)request->data : 1000; }

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
    static char space[256];
    (void)handle, (void)size;
    *buffer = uv_buf_init(space, sizeof space);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    if (count > 0)
        printf("read %.*s\n", (int)count, buffer->base);
    else if (count < 0)
        printf("end: %s\n", uv_err_name((int)count));
    uv_close((uv_handle_t *)stream, NULL);
    uv_close((uv_handle_t *)&server, NULL);
}

static void on_connection(uv_stream_t *listener, int status) {
    uv_tcp_init(&loop, &peer);
    printf("accept %d %d\n", status, uv_accept(listener, (uv_stream_t *)&peer));
    uv_read_start((uv_stream_t *)&peer, allocate, on_read);
}

static void on_write(uv_write_t *request, int status) {
    printf("written %d\n", status);
    uv_close((uv_handle_t *)request->handle, NULL);
}

static void on_connect(uv_connect_t *request, int status) {
    static uv_write_t write;
    uv_buf_t buffer = uv_buf_init("hello", 5);
    printf("connected %d %d\n", status, uv_write(&write, request->handle, &buffer, 1, on_write));
}

static void network(void) {
    static uv_connect_t connect;
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int length = sizeof bound;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&loop, &server);
    uv_tcp_init(&loop, &client);
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    printf("listen %d\n", uv_listen((uv_stream_t *)&server, 8, on_connection));
    uv_tcp_getsockname(&server, (struct sockaddr *)&bound, &length);
    uv_tcp_connect(&connect, &client, (const struct sockaddr *)&bound, on_connect);
}

static void files(void) {
    uv_fs_t request;
    printf("stat %s\n", uv_err_name(uv_fs_stat(&loop, &request, "/nowhere", NULL)));
    uv_fs_req_cleanup(&request);
    printf("scan %d\n", uv_fs_scandir(&loop, &request, "/proc/self/task/nowhere", 0, NULL) < 0);
    uv_fs_req_cleanup(&request);
    int file = uv_fs_open(&loop, &request, "/dev/zero", 0, 0, NULL);
    uv_fs_req_cleanup(&request);
    char zeros[16] = "x";
    uv_buf_t buffer = uv_buf_init(zeros, sizeof zeros);
    printf("read %d %d\n", uv_fs_read(&loop, &request, file, &buffer, 1, -1, NULL), zeros[0]);
    uv_fs_req_cleanup(&request);
    uv_fs_close(&loop, &request, file, NULL);
    uv_fs_req_cleanup(&request);
}

void handle(const char *line) {
    static uv_work_t requests[4];
    static int numbers[4];
    (void)line;
    ticks = works = 0;
    printf("%s init %d\n", uv_version_string(), uv_loop_init(&loop));
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_tick, 1, 1);
    for (int at = 0; at < 4; at++) {
        numbers[at] = at + 1;
        requests[at].data = &numbers[at];
        uv_queue_work(&loop, &requests[at], work, after_work);
    }
    network();
    files();
    printf("run %d\n", uv_run(&loop, UV_RUN_DEFAULT));
    printf("ticks %d works %d close %d\n", ticks, works, uv_loop_close(&loop));
    char text[64];
    struct sockaddr_in6 six;
    printf("%d %d %s\n", uv_ip6_addr("fe80::1", 80, &six), uv_ip6_name(&six, text, sizeof text), text);
    printf("%s %s %s\n", uv_strerror(UV_EOF), uv_err_name(-2), uv_handle_type_name(UV_TCP));
}
