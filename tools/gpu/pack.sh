#!/usr/bin/env bash
# Makes one archive that proves and measures the kernels on a Linux machine with an NVIDIA driver and NVRTC but no .NET:
#   tools/gpu/pack.sh [--peer DIR] [--arch sm_90a[,...]] [ARCHIVE]
# In it: xc2 and GpuTests, published with their runtime into one folder; kernels; the demo; the golden checkpoints of ../shared; their kernels compiled
# here for --arch (sm_90a), by the NVRTC that tools/nvrtc/install.sh fetches; and with --peer the Python scripts of a peer (peer.py) that is to be
# measured in the same run. run.sh inside it runs all of it.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
peer='' arch=sm_90a archive=$root/artifacts/gpu-pack.tar.xz
while [ $# -gt 0 ]; do
    case $1 in
        --peer) [ $# -gt 1 ] || { echo '--peer: the folder with peer.py is missing' >&2; exit 2; }; peer=$2; shift ;;
        --arch) [ $# -gt 1 ] || { echo '--arch: the generations are missing' >&2; exit 2; }; arch=$2; shift ;;
        -*) echo "no option '$1'; usage: pack.sh [--peer DIR] [--arch ARCH[,ARCH]] [ARCHIVE]" >&2; exit 2 ;;
        *) archive=$(readlink -f "$1") ;;
    esac
    shift
done
[ -z "$peer" ] || [ -f "$peer/peer.py" ] || { echo "--peer: there is no $peer/peer.py" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack=$work/xc2-gpu-pack
mkdir -p "$pack/shared/golden" "$pack/tools" "$pack/tests/golden"

# One folder for both: the runtime, which is most of it, is there once.
for project in src/XComposer2.Native.Cli tests/GpuTests; do
    printf 'publishing %s ...\n' "$project"
    dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained true -o "$pack/app" --artifacts-path "$work/artifacts" \
        -p:DebugType=none -p:GenerateDocumentationFile=false -nodeReuse:false --nologo >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; exit 1; }
done

cp -R "$root/tools/demo" "$pack/tools/demo"
cp -R "$root/kernels" "$pack/kernels"
cp -R "$root/tests/golden/sampling" "$pack/tests/golden/"
cp "$root/tools/gpu/run.sh" "$root/tools/gpu/README.md" "$pack/"
# What the tests know the root of a checkout by.
cp "$root/XComposer2.Native.sln" "$pack/"
for folder in gqa-head64-fp32 mqa-head128-bf16 fp16-torch-bin gptq-4bit-128g; do
    if [ -d "$root/../shared/golden/$folder" ]; then
        cp -RL "$root/../shared/golden/$folder" "$pack/shared/golden/"
    else
        printf 'LEFT OUT: ../shared/golden/%s is not here, so nothing is verified with it\n' "$folder" >&2
    fi
done
nvrtc=$root/artifacts/nvrtc/lib/libnvrtc.so.12
if [ -e "$nvrtc" ]; then
    printf 'compiling kernels for %s ...\n' "$arch"
    for model in "$pack"/shared/golden/*/ "$pack/tools/demo/checkpoint"; do
        [ ! -e "$model/config.json" ] || XC2_NVRTC=$nvrtc "$pack/app/xc2" kernels compile --model "$model" --arch "$arch" --out "$pack" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    done
else
    printf 'LEFT OUT: %s is not here (tools/nvrtc/install.sh), so no kernels are compiled ahead of time\n' "$nvrtc" >&2
fi
if [ -n "$peer" ]; then
    mkdir "$pack/peer"
    cp "$peer"/*.py "$root/bench/peers/pytorch/ratios.py" "$pack/peer/"
else
    echo 'LEFT OUT: no peer; --peer DIR names the folder with peer.py' >&2
fi
git -C "$root" rev-parse HEAD >"$pack/COMMIT" 2>/dev/null || echo unknown >"$pack/COMMIT"

mkdir -p "$(dirname "$archive")"
# One thread: several would compress blocks apart, and the archive would be larger.
XZ_OPT='-9e -T1' tar -C "$work" -cJf "$archive" xc2-gpu-pack
size=$(stat -c %s "$archive")
printf '%s: %d MB\n' "$archive" $((size / 1000000))
[ "$size" -lt 50000000 ] || { echo 'the archive is over 50 MB' >&2; exit 1; }
