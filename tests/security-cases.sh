#!/usr/bin/env bash
# Runs the known cases of hostile and careless input against this checkout:   tests/security-cases.sh [CASE ...]
# The inputs are made by ../shared/security (python3); without it there is nothing to run, and the exit status is 77.
# XC2 names another launcher. Each case prints "pass", "FAIL" or "skip" and why. Exit status 1 where one failed.
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd) || exit 1
cases=$root/../shared/security
[ -e "$cases/make.py" ] || { echo "no $cases: nothing to run" >&2; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export XC2_REPO=$root
xc2=${XC2:-$root/xc2} wanted=("$@") failed=0 out= status=0 seconds=0
cd "$work" || exit 1
"$xc2" --version >/dev/null || exit 1

# run LIMIT COMMAND ...: sets out (both streams), status, seconds.
run() {
    local limit=$1 start=$EPOCHREALTIME
    shift
    out=$(timeout -k 5 "$limit" "$@" 2>&1 </dev/null)
    status=$?
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}
# Peak memory in KB of the command that follows; its output goes to the file "log".
memory() { python3 -c 'import resource, subprocess, sys
s = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=open("log", "w"), stderr=subprocess.STDOUT)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, s.returncode)' "$@"; }
make() { python3 "$cases/make.py" "$work" "$@" >/dev/null; }
judge() { # NAME CONDITION-STATUS DETAIL
    if [ "$2" -eq 0 ]; then printf 'pass %-20s %s\n' "$1" "$3"; else failed=1; printf 'FAIL %-20s %s\n' "$1" "$3"; fi
}
skip() { printf 'skip %-20s %s\n' "$1" "$2"; }
is() { [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }
first() { head -n 1 <<<"$out" | cut -c 1-150; }

if is edit-race; then
    make article-race
    run 300 python3 "$cases/race_edit.py" 10 "$work"
    grep -q '^bad 0 of 10' <<<"$out"; judge edit-race $? "$(tail -n 1 <<<"$out")"
fi
if is parent-nvrtc; then
    if command -v gcc >/dev/null; then
        mkdir -p parent/artifacts/nvrtc/lib parent/sub
        printf '#include <stdio.h>\n__attribute__((constructor)) static void run(void) { FILE* f = fopen("%s/mark", "w"); if (f) fclose(f); }\n' "$work" >evil.c
        gcc -shared -fPIC -o parent/artifacts/nvrtc/lib/libnvrtc.so.12 evil.c
        cp -r "$(readlink -f "$root/artifacts/xc2/current")" parent/sub/app
        run 60 dotnet parent/sub/app/xc2.dll kernels compile --arch sm_80 --kernel rms_norm --out k --preset internlm-xcomposer2-vl-1_8b
        [ ! -e mark ]; judge parent-nvrtc $? "$(first)"
    else
        skip parent-nvrtc 'no gcc'
    fi
fi
if is parent-msbuild; then
    mkdir -p above
    printf '<Project><Target Name="E" BeforeTargets="Restore;Build;CoreCompile"><Exec Command="id>%s/built"/></Target></Project>' "$work" >above/Directory.Build.targets
    printf -- '-p:Evil=1\n-nonsense\n' >above/Directory.Build.rsp
    git clone -q "$root" above/c && run 580 above/c/xc2 --version
    [ ! -e built ] && [ "$status" -eq 0 ]; judge parent-msbuild $? "exit $status, $seconds s"
fi
if is article-dup; then
    make article-dup
    read -r peak status < <(memory "$xc2" edit --article article-dup)
    [ "$status" -eq 0 ] && [ "$peak" -lt 200000 ]; judge article-dup $? "$peak KB"
fi
if is tokenizer-trie; then
    make trie
    read -r peak status < <(memory timeout 100 "$xc2" inspect trie)
    [ "$status" -le 1 ] && [ "$peak" -lt 2000000 ]; judge tokenizer-trie $? "$peak KB, exit $status"
fi
if is jpeg-scans; then
    make bomb.jpg
    run 60 "$xc2" chat --greedy --max-tokens 1 --image bomb.jpg hi
    below "$seconds" 5; judge jpeg-scans $? "$seconds s: $(first)"
fi
if is http-timeout; then
    # The source has no command of its own: its test decodes four such pictures from a service on loopback.
    tests=$root/artifacts/bin/UnitTests/release/UnitTests
    (cd "$root" && dotnet build tests/UnitTests -c Release -v quiet -nodeReuse:false --nologo) >log 2>&1 || { cat log >&2; exit 1; }
    run 300 "$tests" -noLogo -noColor -method '*.HttpImageSourceTests.Decoding_stops_at_the_timeout_of_the_search' -method '*.HttpImageSourceTests.Trickling_services_end_at_the_timeout'
    [ "$status" -eq 0 ] && grep -q 'Total: 2, ' <<<"$out"; judge http-timeout $? "$(tail -n 1 <<<"$out")"
fi
if is pickle-hash; then
    make pickle pickle-small
    run 20 "$xc2" inspect pickle
    below "$seconds" 2; judge pickle-hash $? "$seconds s: $(first)"
fi
if is same-pid; then
    make article-tmp
    bad=0
    for i in 1 2 3 4 5; do
        unshare --pid --fork --mount-proc dotnet "$root/artifacts/xc2/current/xc2.dll" edit --article article-tmp --section 1 --op set-text --instruction "x$i" >log 2>&1 || bad=$((bad + 1))
    done
    [ $bad -eq 0 ] && [ -z "$(find article-tmp -name '*.tmp')" ]; judge same-pid $? "$bad of 5 failed: $(head -c 120 log)"
fi
if is two-composes; then
    mkdir two && for i in 1 2; do
        (cd two && "$xc2" compose --device cpu --instruction 'Write a short article about the garden. Outline: a blue ring; a red circle.' --seed $i >"../two.$i" 2>&1) &
    done
    wait
    [ -e two/article/article.json ] && [ -e two/article-2/article.json ]; judge two-composes $? "$(ls two | tr '\n' ' ')"
fi
if is out-unwritable; then
    run 60 "$xc2" compose --device cpu --greedy --instruction 'Write about a blue ring.' --out /proc/x
    one=$status text=$(first)
    run 60 "$xc2" compose --device cpu --greedy --instruction 'Write about a blue ring.' --out "$(printf 'n%.0s' {1..300})"
    [ $one -eq 1 ] && [ "$status" -eq 1 ] && [ "$(wc -l <<<"$out")" -eq 1 ] && [[ $text == 'xc2: /proc/x: '* ]]; judge out-unwritable $? "$text"
fi
if is rope-memory; then
    make rope
    read -r peak status < <(memory timeout 100 "$xc2" chat --device cpu --greedy --max-tokens 2 --model rope hi)
    [ "$peak" -lt 1500000 ]; judge rope-memory $? "$peak KB, exit $status"
fi
if is kernels-not-kept; then
    run 100 "$xc2" kernels compile --arch sm_80 --kernel rms_norm --out /dev/null --model "$root/tools/demo/checkpoint"
    [ "$status" -eq 1 ]; judge kernels-not-kept $? "exit $status: $(first)"
fi
if is bench-oom; then
    run 100 "$xc2" bench decode --preset internlm-xcomposer2-vl-7b --weights f32 --samples 1 --steps 1 --tokens 1
    [ "$status" -eq 1 ] && grep -q 'this machine has' <<<"$out"; judge bench-oom $? "$(first)"
fi
if is escape-banner; then
    name=$'m\e]0;PWNED\a'
    cp -r "$root/tools/demo/checkpoint" "$name"
    out=$(python3 - "$xc2" "$name" <<'PY'
import os, pty, sys, time, select
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], [sys.argv[1], 'chat', '--model', sys.argv[2]])
data, end = b'', time.time() + 15
while time.time() < end and b'> ' not in data:
    if select.select([fd], [], [], .2)[0]:
        try: data += os.read(fd, 65536)
        except OSError: break
os.kill(pid, 9)
print('BAD' if b'\x1b]0;PWNED' in data else 'clean', len(data))
PY
)
    [[ $out == clean* ]]; judge escape-banner $? "$out"
fi
if is escape-verbose; then
    make gptq-name
    run 60 "$xc2" inspect --verbose gptq-name
    ! grep -q $'\e' <<<"$out"; judge escape-verbose $? "$(first)"
fi
if is sizes-not-supported; then
    make oddheads patch2048
    bad=0
    for model in oddheads patch2048; do
        run 60 "$xc2" inspect $model; grep -q 'Not usable' <<<"$out" || bad=1
        run 60 "$xc2" chat --device cpu --model $model --image "$root/tools/demo/pictures/shapes-1.png" hi; [ "$status" -eq 1 ] && ! grep -q unexpected <<<"$out" || bad=1
    done
    judge sizes-not-supported $bad "$(first)"
fi
if is empty-names; then
    bad=0
    run 20 "$xc2" compose --instruction x --out ''; [ "$status" -eq 2 ] || bad=1
    run 20 "$xc2" edit --article ''; [ "$status" -eq 2 ] || bad=1
    run 20 "$xc2" bench decode --preset internlm-xcomposer2-vl-1_8b --tokens 2147483647; [ "$status" -eq 2 ] || bad=1
    judge empty-names $bad "$(first)"
fi
if is compose-fifo; then
    mkfifo pipe
    run 10 "$xc2" compose --instruction x --image pipe --out o1; one=$status
    run 60 "$xc2" compose --instruction x --image /dev/zero --out o2
    [ $one -ne 124 ] && [ $one -ne 137 ] && [ "$status" -eq 1 ]; judge compose-fifo $? "pipe: exit $one; /dev/zero: exit $status"
fi
if is sigterm-open; then
    make trie
    "$xc2" inspect trie >log 2>&1 &
    # The weights are mapped, and the tokenizer, which takes longer, is yet to be read: the signal always comes while the checkpoint opens.
    until grep -q "$work/trie/model" "/proc/$!/maps" 2>/dev/null; do kill -0 $! 2>/dev/null || break; sleep 0.01; done
    start=$EPOCHREALTIME; kill $! 2>/dev/null; wait $!; status=$?
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    [ "$status" -eq 143 ] && [ ! -s log ] && below "$seconds" 5; judge sigterm-open $? "exit $status after $seconds s"
fi
if is left-over; then
    run 580 python3 "$cases/kill_edit.py" "$work"
    grep -q '^still left 0' <<<"$out" && grep -q '^killed.* bad 0 ' <<<"$out" && grep -q '^compose killed.* bad 0 ' <<<"$out"; judge left-over $? "$(grep -E '^(killed|still|compose)' <<<"$out" | tr '\n' ';' | cut -c 1-200)"
fi
if is inject; then
    make article-inject
    run 60 "$xc2" edit --article article-inject --section 12 --op set-text --instruction x
    [ "$status" -eq 0 ] && ! grep -q '<script' article-inject/article.html; judge inject $? "exit $status"
fi
exit $failed
