#!/usr/bin/env bash
# Makes one archive that proves the kernels on a Linux machine with an NVIDIA driver and NVRTC but no .NET:   tools/gpu/pack.sh [ARCHIVE]
# xc2 and GpuTests, published with their runtime into one folder; the demo; the golden checkpoints of ../shared. run.sh inside it runs all of it.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
archive=$(readlink -f "${1:-$root/artifacts/gpu-pack.tar.xz}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack=$work/xc2-gpu-pack
mkdir -p "$pack/shared/golden" "$pack/tools"

# One folder for both: the runtime, which is most of it, is there once.
for project in src/XComposer2.Native.Cli tests/GpuTests; do
    printf 'publishing %s ...\n' "$project"
    dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained true -o "$pack/app" --artifacts-path "$work/artifacts" \
        -p:DebugType=none -p:GenerateDocumentationFile=false -nodeReuse:false --nologo >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; exit 1; }
done

cp -R "$root/tools/demo" "$pack/tools/demo"
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
git -C "$root" rev-parse HEAD >"$pack/COMMIT" 2>/dev/null || echo unknown >"$pack/COMMIT"

mkdir -p "$(dirname "$archive")"
XZ_OPT=-T0 tar -C "$work" -cJf "$archive" xc2-gpu-pack
size=$(stat -c %s "$archive")
printf '%s: %d MB\n' "$archive" $((size / 1000000))
[ "$size" -lt 50000000 ] || { echo 'the archive is over 50 MB' >&2; exit 1; }
