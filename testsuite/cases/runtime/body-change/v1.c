//#Config:o2
//#CompArgs:-O2
//#ExpectChanged:price(body)
//#ExpectClosure:price
//#Send:total 3
//#Expect:30
//#Update:v2
//#Send:total 3
//#Expect:33
//#Reject:30
//#Revert
//#Send:total 3
//#Expect:30
//#Reject:33
//#Config:o0:o2
//#CompArgs:-O0
//#Config:o1:o2
//#CompArgs:-O1 -g
//#Config:o3:o2
//#CompArgs:-O3
//#Config:os:o2
//#CompArgs:-Os
//#Config:lld:o2
//#Linker:lld
//#Config:gold:o2
//#Linker:gold
//#Config:no-pie:o2
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#Config:pic:o2
//#CompArgs:-O2 -fPIC
//#Config:cet:o2
//#CompArgs:-O2 -fcf-protection=full
//#Config:sections:o2
//#CompArgs:-O2 -ffunction-sections -fdata-sections
//#LinkArgs:-Wl,--gc-sections
//#Config:hidden:o2
//#CompArgs:-O2 -fvisibility=hidden -fno-plt
//#Config:no-frame-info:o2
//#CompArgs:-O2 -fno-asynchronous-unwind-tables -fomit-frame-pointer
//#Config:relro:o2
//#LinkArgs:-Wl,-z,relro,-z,now
//#Config:protector:o2
//#CompArgs:-O2 -fstack-protector-all -D_FORTIFY_SOURCE=2
#include "serve.h"

__attribute__((noinline)) long price(long items) { return items * 10; } //#v2: __attribute__((noinline)) long price(long items) { return items * 11; }

void handle(const char *line) {
    if (is(line, "total"))
        printf("%ld\n", price(argument(line)));
}
