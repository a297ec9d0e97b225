#!/usr/bin/env bash
# Makes an archive to test and measure the kernels on a Linux machine with an NVIDIA driver and NVRTC but no .NET:
#   tools/gpu/pack.sh [--peer DIR] [--arch sm_90a[,...]] [ARCHIVE]
# Contents: xc2 and GpuTests, published with their runtime into one folder; kernels; the demo; the golden checkpoints of ../shared; kernels compiled
# for --arch (sm_90a) with the NVRTC of tools/nvrtc/install.sh; and with --peer the Python scripts of a peer (peer.py) to measure in the same run.
# Its run.sh runs all tests and measurements.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
peer='' arch=sm_90a archive=$root/artifacts/gpu-pack.tar.xz
while [ $# -gt 0 ]; do
    case $1 in
        --peer) [ $# -gt 1 ] || { echo '--peer: expected the folder of peer.py' >&2; exit 2; }; peer=$2; shift ;;
        --arch) [ $# -gt 1 ] || { echo '--arch: expected architectures' >&2; exit 2; }; arch=$2; shift ;;
        -*) echo "unknown option '$1'; usage: pack.sh [--peer DIR] [--arch ARCH[,ARCH]] [ARCHIVE]" >&2; exit 2 ;;
        *) archive=$(readlink -f "$1") ;;
    esac
    shift
done
[ -z "$peer" ] || [ -f "$peer/peer.py" ] || { echo "--peer: $peer/peer.py: no such file" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack=$work/xc2-gpu-pack
mkdir -p "$pack/shared/golden" "$pack/tools" "$pack/tests/golden"

# One folder for both, because they share the runtime, the largest part.
for project in src/XComposer2.Native.Cli tests/GpuTests; do
    printf 'publishing %s ...\n' "$project"
    dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained true -o "$pack/app" --artifacts-path "$work/artifacts" \
        -p:DebugType=none -p:GenerateDocumentationFile=false -nodeReuse:false --nologo >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; exit 1; }
done

cp -R "$root/tools/demo" "$pack/tools/demo"
cp -R "$root/kernels" "$pack/kernels"
cp -R "$root/tests/golden/sampling" "$pack/tests/golden/"
cp "$root/tools/gpu/run.sh" "$root/tools/gpu/README.md" "$pack/"
# Marks the root of the checkout for the tests.
cp "$root/XComposer2.Native.sln" "$pack/"
for folder in gqa-head64-fp32 mqa-head128-bf16 fp16-torch-bin gptq-4bit-128g; do
    if [ -d "$root/../shared/golden/$folder" ]; then
        cp -RL "$root/../shared/golden/$folder" "$pack/shared/golden/"
    else
        printf 'LEFT OUT: ../shared/golden/%s is missing, no verification with it\n' "$folder" >&2
    fi
done
nvrtc=$root/artifacts/nvrtc/lib/libnvrtc.so.12
if [ -e "$nvrtc" ]; then
    printf 'compiling kernels for %s ...\n' "$arch"
    for model in "$pack"/shared/golden/*/ "$pack/tools/demo/checkpoint"; do
        [ ! -e "$model/config.json" ] || XC2_NVRTC=$nvrtc "$pack/app/xc2" kernels compile --model "$model" --arch "$arch" --out "$pack" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    done
else
    printf 'LEFT OUT: %s is missing (tools/nvrtc/install.sh), no kernels are compiled ahead of time\n' "$nvrtc" >&2
fi
if [ -n "$peer" ]; then
    mkdir "$pack/peer"
    cp "$peer"/*.py "$root/bench/peers/pytorch/ratios.py" "$pack/peer/"
else
    echo 'LEFT OUT: no peer; --peer DIR is the folder of peer.py' >&2
fi
git -C "$root" rev-parse HEAD >"$pack/COMMIT" 2>/dev/null || echo unknown >"$pack/COMMIT"

mkdir -p "$(dirname "$archive")"
# One thread: several compress blocks separately, which makes the archive larger.
XZ_OPT='-9e -T1' tar -C "$work" -cJf "$archive" xc2-gpu-pack
size=$(stat -c %s "$archive")
printf '%s: %d MB\n' "$archive" $((size / 1000000))
[ "$size" -lt 50000000 ] || { echo 'the archive exceeds 50 MB' >&2; exit 1; }
