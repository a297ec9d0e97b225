#!/bin/sh
# Builds the emulated device with g++ into OUT (artifacts/emulated-device of the checkout): libxc2_emulated.so, which is a CUDA driver and an NVRTC,
# and beside it the headers that its compiler puts before a kernel.   build.sh [OUT]
# Nothing is done where the library is newer than its sources.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../artifacts/emulated-device}
library=libxc2_emulated.so
[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || { echo "the emulated device needs Linux on x86-64" >&2; exit 3; }
command -v g++ > /dev/null || { echo "the emulated device needs g++" >&2; exit 3; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [ -e "$out/$library" ] && [ -z "$(find "$here" -newer "$out/$library" -type f -print -quit)" ]; then
    exit 0
fi
identity=$(find "$here" -type f | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c++20 -O2 -g1 -march=native -ffp-contract=off -fPIC -pthread -Wall -Wextra -Werror -I$here/src -I$here/include -DEMULATED_BUILD=${identity}ull"
cd "$here/src"
# One job a file, as many at a time as there are processors.
find . -name '*.cc' -o -name '*.S' | sed 's|^\./||' | xargs -P "$(nproc)" -I{} sh -c 'g++ '"$flags"' -c "$1" -o "$2/$(echo "$1" | tr / _).o"' sh {} "$work"
g++ -shared -pthread -Wl,-soname,$library -Wl,--version-script="$here/exports.map" -Wl,-z,defs "$work"/*.o -o "$work/$library" -ldl
rm -rf "$out/include"
cp -R "$here/include" "$out/include"
mv "$work/$library" "$out/$library"
