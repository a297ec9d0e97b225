#!/usr/bin/env bash
# Proves the kernels on this machine's GPU and measures them:   ./run.sh [OUTPUT FOLDER] [STEP ...]
# Steps: facts tests verify demo bench sanitize; all but sanitize without a name. Each has a log of its own and a time limit; one that fails does not
# keep the others from running. Needs a driver and NVRTC 12 or 13, no .NET. Exit status 1 where a step failed.
set -uo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
out=$(mkdir -p "${1:-$here/results}" && cd "${1:-$here/results}" && pwd)
shift
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(facts tests verify demo bench)
app=$here/app
export XC2_SHARED=$here/shared XC2_CACHE=${XC2_CACHE:-$out/cache} DOTNET_gcServer=0
rows=()

# NVRTC of a Python environment, where the loader would not look.
if [ -z "${XC2_NVRTC:-}" ] && ! ldconfig -p 2>/dev/null | grep -q 'libnvrtc\.so\.1[23]'; then
    found=$(python3 -c 'import os, nvidia.cuda_nvrtc as n; print(os.path.join(list(n.__path__)[0], "lib"))' 2>/dev/null)
    library=$(ls "${found:-/nonexistent}"/libnvrtc.so.1[23] /usr/local/cuda*/lib64/libnvrtc.so.1[23] 2>/dev/null | head -n 1)
    [ -z "$library" ] || export XC2_NVRTC=$library
fi

# step NAME LIMIT COMMAND ...: runs it, notes how it ended.
step() {
    local name=$1 limit=$2 start=$SECONDS status
    shift 2
    printf '== %s\n' "$name"
    timeout --kill-after=10s "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null
    status=$?
    rows+=("$(printf '%-40s %-8s %4d s' "$name" "$([ $status -eq 0 ] && echo ok || echo "exit $status")" $((SECONDS - start)))")
    [ $status -eq 0 ] || { failed=1; tail -n 5 "$out/$name.log"; }
}

facts() {
    cat "$here/COMMIT"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv || echo 'nvidia-smi is not here'
    echo "NVRTC: ${XC2_NVRTC:-as the loader finds it}; driver: ${XC2_CUDA_DRIVER:-as the loader finds it}"
    lscpu | grep -E 'Model name|^CPU\(s\)'
}

failed=0
for wanted in "${steps[@]}"; do
    case $wanted in
        facts) facts 2>&1 | tee "$out/facts.log" ;;
        tests) step tests 300s "$app/GpuTests" -noLogo -noColor -result-xml "$out/tests.xml" ;;
        verify)
            for golden in "$here"/shared/golden/*/; do
                for storage in bf16 f16 f32; do
                    # What F32 weights lose in BF16 is more than the tolerance (src/decisions/0080).
                    [ "$(basename "$golden")/$storage" != gqa-head64-fp32/bf16 ] || continue
                    step "verify-$(basename "$golden")-$storage" 60s "$app/xc2" verify --model "$golden" --device cuda --storage $storage --json
                done
            done ;;
        demo)
            for device in cpu cuda; do
                step "demo-$device" 60s "$app/xc2" chat --device $device --greedy --image "$here/tools/demo/pictures/shapes-3.png" "Describe this image."
            done
            [ "$(head -n 1 "$out/demo-cpu.log")" = "$(head -n 1 "$out/demo-cuda.log")" ] || { failed=1; rows+=('demo: the two answers differ'); } ;;
        bench)
            for preset in internlm-xcomposer2-vl-1_8b internlm-xcomposer2-vl-7b; do
                step "bench-$preset-picture" 150s "$app/xc2" bench decode --preset $preset --device cuda --images 1 --tokens 75 --steps 128 --samples 5 --json
                step "bench-$preset-text" 100s "$app/xc2" bench prefill --preset $preset --device cuda --tokens 512 --samples 5 --json
            done ;;
        sanitize)
            if command -v compute-sanitizer >/dev/null; then
                step sanitize-memcheck 600s compute-sanitizer --tool memcheck --error-exitcode 9 "$app/GpuTests" -noLogo -class '*LinearDecodeTests' -class '*RowTests'
                step sanitize-racecheck 600s compute-sanitizer --tool racecheck --error-exitcode 9 "$app/GpuTests" -noLogo -class '*LinearDecodeTests' -class '*VisionAttentionTests'
            else
                rows+=('sanitize: SKIPPED, compute-sanitizer is not here')
            fi ;;
        *) echo "no step '$wanted'" >&2; exit 2 ;;
    esac
done

printf '\n'
printf '%s\n' "${rows[@]}" | tee "$out/summary.txt"
exit $failed
