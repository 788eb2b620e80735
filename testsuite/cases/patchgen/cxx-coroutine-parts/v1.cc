//#Compiler:dsu-c++
//#CompArgs:-std=c++20 -O2
//#NoOracle:a coroutine that is suspended goes on as it began
//#ExpectSaid:_Z5countl.resume
//#Send:old
//#Expect:10
//#Send:new
//#Expect:100
//#Update:v2
//#Send:old
//#Expect:11
//#Send:new
//#Expect:200
//#Revert
//#Send:new
//#Expect:100
//#Send:old
//#Expect:12
//#Config:body
//#Config:larger-frame
//#CompArgs:-std=c++20 -O2 -DFRAME
//#Config:unoptimised
//#CompArgs:-std=c++20 -O0
//#Config:other-end
//#CompArgs:-std=c++20 -O2 -DEND
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
    ~Guard() { opaque_number(id); }
};

__attribute__((noinline)) Numbers count(long from) {
    Guard guard{from};
    for (long i = from;; i++)
        co_yield i;
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
