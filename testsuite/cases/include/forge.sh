# forge.sh PATCH OUT SECTION|file OFFSET BYTES: a copy of the patch with BYTES (printf escapes) at OFFSET of the section
# or file, and a checksum that fits again (SHA-256 of the file, with the 32 bytes at offset 24 of .dsu.patch zero).
patch=$1 out=$2 section=$3 offset=$4 bytes=$5
place() { readelf -SW "$patch" | sed 's/^ *\[ *[0-9]*\] *//' | awk -v s="$1" '$1 == s { print $4 }'; }
table=$((0x$(place .dsu.patch)))
base=0
[ "$section" = file ] || base=$((0x$(place "$section")))
cp "$patch" "$out"
put() { dd of="$out" bs=1 seek="$1" conv=notrunc status=none; }
printf "$bytes" | put $((base + offset))
head -c 32 /dev/zero | put $((table + 24))
sum=$(sha256sum "$out" | cut -c1-64)
perl -e 'print pack("H*", $ARGV[0])' "$sum" | put $((table + 24))
