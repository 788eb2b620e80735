/* Compresses and inflates recorded data in many ways: `work` prints sizes and checksums. */
#include "serve.h"

#include "zlib.h"

enum { SIZE = 60000 };
static unsigned char data[SIZE], packed[2 * SIZE], again[SIZE];

/* Text with repetitions and some noise, the same each time. */
static void fill(void) {
    unsigned state = 1;
    for (int at = 0; at < SIZE; at++) {
        state = state * 1103515245u + 12345u;
        data[at] = (state >> 16) % 7 ? (unsigned char)("the quick brown fox jumps "[at % 26]) : (unsigned char)(state >> 20);
    }
}

static uLong deflated(int level, int bits, int memory, int strategy, uInt chunk, const char *dictionary) {
    z_stream stream = {0};
    int result = deflateInit2(&stream, level, Z_DEFLATED, bits, memory, strategy);
    if (result != Z_OK)
        return 0;
    if (dictionary)
        deflateSetDictionary(&stream, (const Bytef *)dictionary, (uInt)strlen(dictionary));
    stream.next_in = data;
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    for (uInt done = 0; done < SIZE; done += chunk) {
        stream.avail_in = done + chunk < SIZE ? chunk : SIZE - done;
        result = deflate(&stream, done + chunk < SIZE ? (done % (3 * chunk) ? Z_NO_FLUSH : Z_SYNC_FLUSH) : Z_FINISH);
    }
    uLong size = stream.total_out;
    printf("level %d bits %d memory %d strategy %d: %d, %lu bytes, crc %lx\n", level, bits, memory, strategy, result, size,
           crc32(0, packed, (uInt)size));
    deflateEnd(&stream);
    return size;
}

static void inflated(int bits, uLong size, const char *dictionary) {
    z_stream stream = {0};
    stream.next_in = packed;
    stream.next_out = again;
    inflateInit2(&stream, bits);
    int result = Z_OK;
    for (uLong done = 0; done < size && result == Z_OK; done += 1000) {
        stream.avail_in = (uInt)(size - done < 1000 ? size - done : 1000);
        stream.avail_out = (uInt)(SIZE - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
        if (result == Z_NEED_DICT && dictionary) {
            inflateSetDictionary(&stream, (const Bytef *)dictionary, (uInt)strlen(dictionary));
            result = inflate(&stream, Z_NO_FLUSH);
        }
    }
    printf("  back: %d, %lu bytes, %s, %s\n", result, stream.total_out,
           memcmp(data, again, SIZE) == 0 ? "equal" : "different", stream.msg ? stream.msg : "no message");
    inflateEnd(&stream);
}

void handle(const char *line) {
    (void)line;
    fill();
    printf("%s %lx %lx %lu\n", zlibVersion(), crc32(0, data, SIZE), adler32(1, data, SIZE), compressBound(SIZE));
    for (int level = 0; level <= 9; level++)
        inflated(15, deflated(level, 15, 8, Z_DEFAULT_STRATEGY, 7001, NULL), NULL);
    for (int strategy = Z_FILTERED; strategy <= Z_FIXED; strategy++)
        inflated(-12, deflated(6, -12, 3, strategy, SIZE, NULL), NULL);
    inflated(15, deflated(9, 15, 9, Z_DEFAULT_STRATEGY, 500, "quick brown the fox"), "quick brown the fox");
    inflated(31, deflated(5, 31, 8, Z_DEFAULT_STRATEGY, 40000, NULL), NULL);
    uLong size = deflated(6, 15, 8, Z_DEFAULT_STRATEGY, SIZE, NULL);
    for (int at = 2; at < 200; at += 13) {
        packed[at] ^= 0x55;
        inflated(15, size, NULL);
    }
    printf("%lx %lx\n", crc32_combine(1, 2, 1000), adler32_combine(1, 2, 1000));
}
