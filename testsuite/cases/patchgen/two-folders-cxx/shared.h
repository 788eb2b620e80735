#pragma once
__attribute__((noinline)) inline long shared(long number) { return number; }
