// What a coroutine does when it goes on is a function of its own; a suspended one keeps the version that made its frame.
#include "serve.h"

#include <coroutine>
#include <exception>

struct Numbers {
    struct promise_type {
        long value;
        Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(long v) {
            value = v;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
    long next() {
        handle.resume();
        return handle.promise().value;
    }
};
struct Guard {
    long id;
    #ifdef END
    ~Guard() { opaque_number(id * 7 + 1); }
#else
    ~Guard() { opaque_number(id); }
#endif
};

__attribute__((noinline)) Numbers count(long from) {
    Guard guard{from};
#ifdef FRAME
    long more[40] = {0};
    for (long i = from;; i++) {
        more[i % 40] += i;
        co_yield i + more[opaque_number(i) % 40];
    }
#else
    for (long i = from;; i++)
        co_yield i * 2;
#endif
}

void handle(const char *line) {
    static Numbers old = count(10);
    if (is(line, "old")) {
        printf("%ld\n", old.next());
        return;
    }
    Numbers numbers = count(100);
    printf("%ld\n", numbers.next());
    numbers.handle.destroy();
}
