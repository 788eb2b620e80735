# flip.sh PATCH PID CODE: a copy of the patch with one bit flipped, at 24 places, must be refused with CODE each time.
patch=$1 pid=$2 code=$3
size=$(stat -c %s "$patch")
i=0
while [ $i -lt 24 ]; do
    at=$((size * i / 24 + i % 7))
    byte=$(od -An -tu1 -j $at -N1 "$patch" | tr -d ' ')
    cp "$patch" flipped.dsu
    printf "\\$(printf %03o $((byte ^ (1 << (i % 8)))))" | dd of=flipped.dsu bs=1 seek=$at conv=notrunc status=none
    got=0
    dsuctl apply "$pid" flipped.dsu >flipped.out 2>&1 || got=$?
    # A flip in the ELF header's or the table's own fields may be noticed before the checksum is.
    if [ $got -eq 0 ] || [ $got -gt 127 ] || { [ $i -gt 3 ] && [ $got -ne "$code" ]; }; then
        echo "bit $((i % 8)) of byte $at flipped: exit code $got: $(cat flipped.out)"
        exit 1
    fi
    i=$((i + 1))
done
