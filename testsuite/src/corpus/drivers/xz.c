/* Packs and unpacks recorded data with liblzma, in threads too, and as the program `xz` in a child. */
#include "serve.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lzma.h"

int xz_main(int argc, char **argv);

enum { SIZE = 400000 };
static uint8_t data[SIZE], packed[2 * SIZE], again[SIZE];

/* Text with repetitions and some noise, the same each time. */
static void fill(void) {
    unsigned state = 1;
    for (int at = 0; at < SIZE; at++) {
        state = state * 1103515245u + 12345u;
        data[at] = (state >> 16) % 7 ? (uint8_t) "the quick brown fox jumps "[at % 26] : (uint8_t)(state >> 20);
    }
}

/* Feeds the coder piece by piece; what it made, and its last word. */
static size_t coded(lzma_stream *stream, const uint8_t *in, size_t size, uint8_t *out, size_t room, lzma_ret *last) {
    size_t piece = 30011, done = 0;
    stream->next_out = out;
    stream->avail_out = room;
    do {
        size_t now = size - done < piece ? size - done : piece;
        stream->next_in = in + done;
        stream->avail_in = now;
        done += now;
        do
            *last = lzma_code(stream, done < size ? LZMA_RUN : LZMA_FINISH);
        while (*last == LZMA_OK && (stream->avail_in || done == size) && stream->avail_out);
    } while (*last == LZMA_OK && done < size);
    size_t made = stream->total_out;
    lzma_end(stream);
    return made;
}

static size_t pack(const char *name, lzma_stream *stream, lzma_ret started) {
    lzma_ret last = started;
    size_t size = started == LZMA_OK ? coded(stream, data, SIZE, packed, sizeof packed, &last) : 0;
    printf("%s: %d, %zu bytes, crc %x\n", name, (int)last, size, lzma_crc32(packed, size, 0));
    return size;
}

static void unpack(const char *name, lzma_stream *stream, lzma_ret started, size_t size) {
    lzma_ret last = started;
    memset(again, 0, sizeof again);
    size_t made = started == LZMA_OK ? coded(stream, packed, size, again, sizeof again, &last) : 0;
    printf("  %s: %d, %zu bytes, %s\n", name, (int)last, made, memcmp(data, again, SIZE) ? "different" : "equal");
}

static void unpack_each_way(size_t size) {
    lzma_stream stream = LZMA_STREAM_INIT;
    unpack("stream", &stream, lzma_stream_decoder(&stream, UINT64_MAX, LZMA_CONCATENATED), size);
#if LZMA_VERSION >= 50040000
    lzma_mt options = {.threads = 3, .memlimit_threading = UINT64_MAX, .memlimit_stop = UINT64_MAX};
    stream = (lzma_stream)LZMA_STREAM_INIT;
    unpack("threads", &stream, lzma_stream_decoder_mt(&stream, &options), size);
#endif
    stream = (lzma_stream)LZMA_STREAM_INIT;
    unpack("auto", &stream, lzma_auto_decoder(&stream, UINT64_MAX, LZMA_TELL_ANY_CHECK), size);
    stream = (lzma_stream)LZMA_STREAM_INIT;
    unpack("little memory", &stream, lzma_stream_decoder(&stream, 10000, 0), size);
}

static void library(void) {
    for (uint32_t preset = 0; preset <= 4; preset += 2) {
        lzma_stream stream = LZMA_STREAM_INIT;
        unpack_each_way(pack("easy", &stream, lzma_easy_encoder(&stream, preset, LZMA_CHECK_CRC64)));
    }
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_mt options = {.threads = 3, .block_size = 90000, .preset = 1, .check = LZMA_CHECK_SHA256};
    size_t size = pack("threads", &stream, lzma_stream_encoder_mt(&stream, &options));
    unpack_each_way(size);
    for (int at = 20; at < 2000; at += 397) {
        packed[at] ^= 0x55;
        unpack_each_way(size);
    }
    unpack_each_way(size / 2);
    lzma_options_lzma lzma;
    lzma_lzma_preset(&lzma, 3);
    stream = (lzma_stream)LZMA_STREAM_INIT;
    size = pack("alone", &stream, lzma_alone_encoder(&stream, &lzma));
    stream = (lzma_stream)LZMA_STREAM_INIT;
    unpack("alone", &stream, lzma_alone_decoder(&stream, UINT64_MAX), size);
    lzma.dict_size = 1;
    stream = (lzma_stream)LZMA_STREAM_INIT;
    pack("wrong options", &stream, lzma_alone_encoder(&stream, &lzma));
    lzma_index *index = lzma_index_init(NULL), *other = lzma_index_init(NULL);
    for (int at = 1; at < 300; at++)
        lzma_index_append(at % 3 ? index : other, NULL, 8 + at, at * 100);
    printf("index: %d, %d, %llu bytes of %llu\n", (int)lzma_index_cat(index, other, NULL), (int)lzma_index_block_count(index),
           (unsigned long long)lzma_index_total_size(index), (unsigned long long)lzma_index_uncompressed_size(index));
    lzma_index_end(index, NULL);
}

/* Runs `xz` with these arguments in a child; prints the first of what it says. */
static void program(const char *first, const char *second, const char *third) {
    char *arguments[] = {"xz", (char *)first, (char *)second, (char *)third, NULL};
    int pipes[2];
    if (pipe(pipes))
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        close(pipes[0]);
        exit(xz_main(third ? 4 : second ? 3 : 2, arguments));
    }
    close(pipes[1]);
    static char said[2 * SIZE];
    size_t got = 0;
    for (ssize_t now; got < sizeof said && (now = read(pipes[0], said + got, sizeof said - got)) > 0; got += (size_t)now) {
    }
    close(pipes[0]);
    int status;
    waitpid(child, &status, 0);
    printf("xz %s %s %s: %d, %zu bytes, crc %x\n", first, second ? second : "", third ? third : "", status, got,
           lzma_crc32((uint8_t *)said, got, 0));
}

void handle(const char *line) {
    (void)line;
    fill();
    library();
    FILE *file = fopen("data", "w");
    fwrite(data, 1, SIZE, file);
    fclose(file);
    file = fopen("list", "w");
    fputs("data\nno such file\n", file);
    fclose(file);
    program("-kf0", "data", NULL);
    program("-l", "data.xz", NULL);
    program("-t", "data.xz", NULL);
    program("-dc", "-T3", "data.xz");
    program("-kc", "--files=list", NULL);
    program("-kf", "--format=lzma", "data");
    program("-h", NULL, NULL);
    program("--lzma2=preset=1,dict=1", "-k", "data");
}
