#!/usr/bin/env bash
# Brings a bare Debian 12 to where this project builds, tests and fetches the real programs it is tried on.
# Does nothing where everything is there; needs root (or sudo) otherwise. Rust itself is not installed here.
set -euo pipefail

toolchain=(clang-19 llvm-19-dev lld-19 libclang-rt-19-dev libpolly-19-dev libzstd-dev zlib1g-dev pkg-config)
# To fetch and build memcached, redis and their kind from Debian's source.
programs=(dpkg-dev autoconf automake libtool make libevent-dev libssl-dev libpcre2-dev)
# To drive and measure them; the build systems whose configure checks must behave as with clang.
tests=(git binutils binutils-gold cmake meson ninja-build ccache gdb strace valgrind libmemcached-tools redis-tools perl
    csmith libcsmith-dev)

missing=()
for package in "${toolchain[@]}" "${programs[@]}" "${tests[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done

root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

sources=/etc/apt/sources.list.d/dsu-src.sources
if [[ ! -e $sources && -e /etc/apt/sources.list.d/debian.sources ]]; then
    # The same archives the machine already uses, for source packages.
    sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources | root tee "$sources" >/dev/null
    root apt-get update -q
elif ((${#missing[@]})); then
    root apt-get update -q
fi
if ((${#missing[@]})); then
    echo "installing: ${missing[*]}"
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
