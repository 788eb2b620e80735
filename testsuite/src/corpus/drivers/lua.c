/* Runs a recorded script in a state of its own: `work` prints what it prints. */
#include "serve.h"

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const char script[] =
    "local t = {}\n"
    "for i = 1, 200 do t[i] = (i * 7919) % 1009 end\n"
    "table.sort(t, function(a, b) return a > b end)\n"
    "print(t[1], t[100], t[200], #t, table.concat(t, ',', 1, 10))\n"
    "print(table.unpack({1, 2, nil, 4}, 1, 4))\n"
    "print(string.format('%5.2f|%x|%q|%10s|%-5d|%g', 3.14159, 255, 'a\\nb', 'hi', 42, 1e100))\n"
    "print(('x'):rep(10, '-'), ('hello world'):gsub('o', '0'), ('key = value'):match('(%w+)%s*=%s*(%w+)'))\n"
    "for w, n in ('a1b22c333'):gmatch('(%a)(%d+)') do io.write(w, n, ';') end print()\n"
    "print(pcall(error, {1}), select('#', pcall(error)), pcall(function() local x = nil; return x.y end))\n"
    "print(10 // 3, -10 // 3, 10 % -3, 7 / 2, 2 ^ 10, 1 << 62, 5 & 3, 5 | 3, 5 ~ 3, ~0, 1e308 * 10, -(0/0) ~= 0)\n"
    "print(math.tointeger(3.0), math.type(1), math.type(1.5), math.maxinteger + 1 == math.mininteger, math.ult(1, -1))\n"
    "local mt = {__index = function(_, k) return k .. '!' end, __add = function(a, b) return 'sum' end,\n"
    "  __close = function() print('closed') end, __call = function(_, a) return a end, __len = function() return 9 end}\n"
    "local o = setmetatable({}, mt)\n"
    "print(o.name, o + 1, o(5), #o)\n"
    "do local c <close> = o end\n"
    "local co = coroutine.wrap(function(...) local s = 0; for _, v in ipairs({...}) do s = s + coroutine.yield(v) end return s end)\n"
    "print(co(1, 2, 3), co(10), co(20), co(30))\n"
    "print(load('return 1 + ')); print(load('x = = 1')); print(load('goto nowhere'))\n"
    "print(#string.pack('<i4z', 7, 'abc'), string.unpack('<i4z', string.pack('<i4z', 7, 'abc')))\n"
    "print(utf8.char(228, 8364, 0x10FFFF), utf8.len('\\u{e4}x'), utf8.codepoint('\\u{20ac}', 1))\n"
    "print(tostring(nil), tostring(1.0), tostring(-0.0), tonumber('0x1p4'), tonumber('z', 36), tonumber('1e'))\n"
    "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
    "print(fib(18))\n"
    "for i = 1, 300 do local g = {}; for j = 1, 20 do g[j] = {j} end end\n"
    "collectgarbage(); collectgarbage('generational'); for i = 1, 300 do local g = {i, {}} end collectgarbage('incremental')\n"
    "for i = 3, 1, -1 do io.write(i, ' ') end for i = 1.0, 2.0, 0.5 do io.write(i, ' ') end print()\n"
    "print(pcall(string.rep, 'x', -1), pcall(string.rep), pcall(setmetatable, 1, {}))\n"
    "print(string.format('%-10q', 1) == nil)\n";

void handle(const char *line) {
    (void)line;
    lua_State *state = luaL_newstate();
    luaL_openlibs(state);
    if (luaL_dostring(state, script) != LUA_OK)
        printf("error: %s\n", lua_tostring(state, -1));
    lua_close(state);
}
