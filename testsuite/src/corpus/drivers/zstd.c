/* Compresses and decompresses recorded data in many ways: `work` prints sizes and checksums. */
#include "serve.h"

#include "zstd.h"

enum { SIZE = 60000 };
static unsigned char data[SIZE], packed[2 * SIZE], again[SIZE];

static unsigned long sum(const unsigned char *bytes, size_t size) {
    unsigned long sum = 5381;
    for (size_t at = 0; at < size; at++)
        sum = sum * 33 ^ bytes[at];
    return sum;
}

static void fill(void) {
    unsigned state = 1;
    for (int at = 0; at < SIZE; at++) {
        state = state * 1103515245u + 12345u;
        data[at] = (state >> 16) % 7 ? (unsigned char)("the quick brown fox jumps "[at % 26]) : (unsigned char)(state >> 20);
    }
}

static void told(const char *what, int number, size_t size) {
    if (ZSTD_isError(size)) {
        printf("%s %d: %s\n", what, number, ZSTD_getErrorName(size));
        return;
    }
    size_t back = ZSTD_decompress(again, SIZE, packed, size);
    printf("%s %d: %zu bytes, sum %lx; back %s\n", what, number, size, sum(packed, size),
           ZSTD_isError(back) ? ZSTD_getErrorName(back) : memcmp(data, again, SIZE) ? "different" : "equal");
}

static void streamed(int level, size_t chunk) {
    ZSTD_CStream *stream = ZSTD_createCStream();
    ZSTD_initCStream(stream, level);
    ZSTD_outBuffer out = {packed, sizeof packed, 0};
    for (size_t done = 0; done < SIZE; done += chunk) {
        ZSTD_inBuffer in = {data + done, done + chunk < SIZE ? chunk : SIZE - done, 0};
        while (in.pos < in.size)
            if (ZSTD_isError(ZSTD_compressStream(stream, &out, &in)))
                break;
    }
    ZSTD_endStream(stream, &out);
    ZSTD_freeCStream(stream);
    told("stream", level, out.pos);
}

void handle(const char *line) {
    (void)line;
    fill();
    printf("%u %d\n", ZSTD_versionNumber(), ZSTD_maxCLevel());
    for (int level = -3; level <= 19; level++)
        told("level", level, ZSTD_compress(packed, sizeof packed, data, SIZE, level));
    for (int level = 1; level < 20; level += 6)
        streamed(level, 7001);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    told("dictionary", 3, ZSTD_compress_usingDict(context, packed, sizeof packed, data, SIZE, data, 2000, 3));
    ZSTD_freeCCtx(context);
    size_t size = ZSTD_compress(packed, sizeof packed, data, SIZE, 6);
    for (size_t at = 0; at < 300; at += 17) {
        packed[at] ^= 0x55;
        told("damaged", (int)at, size);
    }
}
