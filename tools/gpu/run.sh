#!/usr/bin/env bash
# Tests and measures the kernels on this machine's GPU:   ./run.sh [-o FOLDER] [-t SECONDS] [-q] [STEP ...]
#   -o FOLDER   folder for logs and JSON (results)
#   -t SECONDS  time limit for all steps together; later steps are cut short or not begun, which is reported (no limit)
#   -q          small sizes, few tests: checks that the pack runs, also on the emulated device; its figures are meaningless
# Steps: facts tests verify demo cubins bench model peer sanitize; by default all but peer and sanitize. sanitize means sanitize-memcheck, sanitize-racecheck
# and sanitize-synccheck. Each part has its own log and time limit, and a failed part does not stop the others. Needs a driver and
# NVRTC 12 or 13, no .NET. Exit status: 0; 1 if a step failed or was not begun; 2 for wrong usage.
set -uo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
known='facts tests verify demo cubins bench model peer sanitize sanitize-memcheck sanitize-racecheck sanitize-synccheck'
folder=$here/results total=1000000 quick=''
usage() { echo "$1; usage: run.sh [-o FOLDER] [-t SECONDS] [-q] [STEP ...]; steps: $known" >&2; exit 2; }
while getopts ':o:t:q' option; do
    case $option in
        o) folder=$OPTARG ;;
        t) total=$OPTARG; [[ $total =~ ^[1-9][0-9]*$ ]] || usage "-t: expected seconds, found '$total'" ;;
        q) quick=yes ;;
        *) usage "unknown option or missing value: -$OPTARG" ;;
    esac
done
shift $((OPTIND - 1))
for wanted in "$@"; do
    [[ " $known " == *" $wanted "* ]] || usage "unknown step '$wanted'"
done
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(facts tests verify demo cubins bench model)
out=$(mkdir -p "$folder" && cd "$folder" && pwd) || exit 1
app=$here/app preset=internlm-xcomposer2-vl-7b
export XC2_SHARED=$here/shared XC2_CACHE=${XC2_CACHE:-$out/cache} DOTNET_gcServer=0
rows=() failed=0 json_rows=''

# row NAME OUTCOME SECONDS: adds a line to the summary.
row() {
    rows+=("$(printf '%-44s %-12s %5d s' "$1" "$2" "$3")")
    json_rows+="${json_rows:+, }{\"step\": \"$1\", \"outcome\": \"$2\", \"seconds\": $3}"
}

skip() { row "$1" "SKIPPED" 0; printf '%s: SKIPPED, %s\n' "$1" "$2" | tee "$out/$1.log"; }

# step NAME LIMIT COMMAND ...: runs a command and records its outcome. Its output goes to NAME.log, and to NAME.json if it is only JSON.
step() {
    local name=$1 limit=$2 start=$SECONDS status left=$((total - SECONDS)) outcome
    shift 2
    if [ $left -lt 5 ]; then failed=1; row "$name" 'NOT BEGUN' 0; return 1; fi
    [ "$limit" -le $left ] || limit=$left
    printf '== %s\n' "$name"
    timeout --kill-after=10s "$limit" "$@" >"$out/$name.log" 2>"$out/$name.err" </dev/null
    status=$?
    [ "$(head -c 1 "$out/$name.log")" != '{' ] || cp "$out/$name.log" "$out/$name.json"
    cat "$out/$name.err" >>"$out/$name.log"
    rm -f "$out/$name.err"
    case $status in 0) outcome=ok ;; 124 | 137) outcome="over $limit s" ;; *) outcome="exit $status" ;; esac
    row "$name" "$outcome" $((SECONDS - start))
    [ $status -eq 0 ] || { failed=1; tail -n 5 "$out/$name.log"; }
    return $status
}

# figure NAME FILE: the first number or string with this key in a JSON file.
figure() { grep -o "\"$1\": *\"\\?[^,\"}]*" "$2" 2>/dev/null | head -n 1 | sed 's/^[^:]*: *"\{0,1\}//'; }

# median SERIES FILE: median of a series of xc2 bench in milliseconds.
median() { grep -o "\"name\":\"$1\",\"tokens\":[0-9]*,\"median_ms\":[0-9.eE+-]*" "$2" 2>/dev/null | sed 's/.*://'; }

# Writes the peak device memory use in MiB to OUTPUT until the file STOP exists.
watch_memory() { # OUTPUT STOP
    local most=0 now
    while [ ! -e "$2" ]; do
        now=$(nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | head -n 1)
        [ "${now:-0}" -le "$most" ] || { most=$now; echo "$most" >"$1"; }
        sleep 0.2
    done
}

# Finds the NVRTC of a Python environment, which the loader does not search.
find_nvrtc() {
    local found
    [ -z "${XC2_NVRTC:-}" ] || return
    ! { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q 'libnvrtc\.so\.1[23]' || return
    found=$(python3 -c 'import nvidia, os; print("\n".join(nvidia.__path__))' 2>/dev/null)
    found=$(ls "${found:-/nonexistent}"/cuda_nvrtc/lib/libnvrtc.so.1[23] "${found:-/nonexistent}"/cu1[23]/lib/libnvrtc.so.1[23] \
        /usr/local/cuda*/lib64/libnvrtc.so.1[23] 2>/dev/null | head -n 1)
    [ -z "$found" ] || export XC2_NVRTC=$found
}

find_sanitizer() {
    command -v compute-sanitizer && return
    ls /usr/local/cuda*/bin/compute-sanitizer /usr/local/cuda*/compute-sanitizer/compute-sanitizer /opt/cuda*/bin/compute-sanitizer 2>/dev/null | head -n 1
}

facts() {
    echo "commit $(cat "$here/COMMIT")"
    date -u +%Y-%m-%dT%H:%MZ
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv || echo 'nvidia-smi was not found'
    echo "NVRTC: ${XC2_NVRTC:-default search}; driver: ${XC2_CUDA_DRIVER:-default search}"
    echo "compute-sanitizer: $(find_sanitizer | grep . || echo 'not found')"
    lscpu | grep -E 'Model name|^CPU\(s\)'
}

# Mutations of the kernels may stay unnoticed on hardware, where a missing barrier can pass by luck. They are for the emulated device.
run_tests() {
    local chosen=(-class- '*MutationTests')
    [ -z "$quick" ] || chosen=(-class '*DeviceTests' -class '*RowTests' -class '*ReadStreamTests' -class '*KernelBenchTests')
    step tests 420 "$app/GpuTests" -noLogo -noColor "${chosen[@]}" -result-xml "$out/tests.xml" -result-ctrf "$out/tests.json"
}

run_verify() {
    local golden storage
    for golden in "$here"/shared/golden/*/; do
        for storage in bf16 f16 f32; do
            # The rounding of F32 weights to BF16 exceeds the tolerance (src/decisions/0080).
            [ "$(basename "$golden")/$storage" != gqa-head64-fp32/bf16 ] || continue
            [ -z "$quick" ] || [ "$(basename "$golden")/$storage" = mqa-head128-bf16/bf16 ] || continue
            step "verify-$(basename "$golden")-$storage" 60 "$app/xc2" verify --model "$golden" --device cuda --storage $storage --json
        done
    done
}

run_demo() {
    local device
    for device in cpu cuda; do
        step "demo-$device" 60 "$app/xc2" chat --model "$here/tools/demo/checkpoint" --device $device --greedy --image "$here/tools/demo/pictures/shapes-3.png" "Describe this image."
    done
    if [ "$(head -n 1 "$out/demo-cpu.log")" = "$(head -n 1 "$out/demo-cuda.log")" ]; then row demo-answers same 0; else failed=1; row demo-answers DIFFER 0; fi
}

# With the kernels of the pack. Missing ones (tiles of other GPUs) are compiled here and counted.
run_cubins() {
    if [ ! -d "$here/cubins" ]; then skip cubins 'the pack was made without compiled kernels'; return; fi
    local golden cache=$out/cubins-cache missing
    rm -rf "$cache"
    ln -sfn ../cubins "$app/cubins"
    for golden in "$here"/shared/golden/*/; do
        [ -z "$quick" ] || [ "$(basename "$golden")" = mqa-head128-bf16 ] || continue
        XC2_CACHE=$cache step "cubins-$(basename "$golden")" 60 "$app/xc2" verify --model "$golden" --device cuda --json
    done
    XC2_CACHE=$cache step cubins-demo 60 "$app/xc2" chat --model "$here/tools/demo/checkpoint" --device cuda --greedy --image "$here/tools/demo/pictures/shapes-3.png" "Describe this image."
    rm -f "$app/cubins"
    missing=$(find "$cache" -name '*.cubin' 2>/dev/null | wc -l)
    row cubins-compiled-here "$missing" 0
}

run_bench() {
    local sizes=(--preset "$preset")
    [ -z "$quick" ] || sizes=(--model "$here/tools/demo/checkpoint" --quick)
    step bench-kernels 240 "$app/xc2" bench kernels "${sizes[@]}" --json "$out/bench-kernels.json" --csv "$out/bench-kernels.csv" \
        --svg "$out/bench-kernels.svg"
    # With the L2 state of the peer's measurement: full of dirty lines.
    step bench-kernels-written 120 "$app/xc2" bench kernels "${sizes[@]}" --l2 written --filter linear --filter lora_down --filter attention \
        --filter rms_norm --json "$out/bench-kernels-written.json"
}

# One picture and 75 tokens, then 256 generated tokens, with random weights.
run_model() {
    local name=model-7b options=(--preset "$preset" --images 1 --tokens 75 --steps 256 --samples 5) stop
    [ -z "$quick" ] || { name=model-demo; options=(--model "$here/tools/demo/checkpoint" --images 1 --tokens 20 --steps 4 --samples 1); }
    step $name-plan 30 "$app/xc2" plan "${options[@]:0:2}" --context 2048 --json
    stop=$(mktemp -d)/stop
    watch_memory "$out/$name-memory-mib" "$stop" &
    step $name 240 "$app/xc2" bench decode "${options[@]}" --device cuda --json
    touch "$stop"
    wait $!
    rm -rf "${stop%/*}"
    # The time to the first token, decoding of the picture included; then integers, which the host quantises.
    options=(--preset "$preset" --samples 5)
    [ -z "$quick" ] || options=(--model "$here/tools/demo/checkpoint" --samples 1)
    step $name-ttft 120 "$app/xc2" bench ttft "${options[@]}" --device cuda --json
    step $name-int8 120 "$app/xc2" bench decode "${options[@]}" --images 1 --tokens 75 --steps 64 --weights int8 --head int8 --device cuda --json
    step $name-int4 120 "$app/xc2" bench decode "${options[@]}" --images 1 --tokens 75 --steps 64 --weights int4 --device cuda --json
    step load 60 "$app/xc2" bench load --model "$here/tools/demo/checkpoint" --device cuda --json
    [ -n "$quick" ] || step model-1_8b 120 "$app/xc2" bench decode --preset internlm-xcomposer2-vl-1_8b --images 1 --tokens 75 --steps 256 --samples 5 --device cuda --json
}

run_peer() {
    if [ ! -f "$here/peer/peer.py" ]; then skip peer 'the pack was made without --peer'; return; fi
    if ! python3 -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1; then skip peer 'python3 has no PyTorch with GPU support'; return; fi
    local sizes=(--decode 256)
    [ -z "$quick" ] || sizes=(--preset tiny --decode 4)
    step peer-kernels 120 python3 "$here/peer/peer.py" kernels "${sizes[@]}" --json "$out/peer-kernels.json"
    step peer-model 300 python3 "$here/peer/peer.py" model "${sizes[@]}" --mode eager,graph,compile --json "$out/peer-model.json"
    [ -n "$quick" ] || step peer-ratios 20 python3 "$here/peer/ratios.py" "$out"
}

# sanitize TOOL: in groups, so that a timeout affects only one of them. Child processes of the tests (xc2) are checked too.
run_sanitizer() {
    local tool=$1 sanitizer group class classes options
    sanitizer=$(find_sanitizer)
    if [ -z "$sanitizer" ]; then skip "sanitize-$tool" 'compute-sanitizer was not found (it is part of the CUDA toolkit)'; return; fi
    for group in linears attention rows engine; do
        case $group in
            linears) classes=('*LinearDecodeTests' '*LinearPrefillTests' '*LinearRopeTests' '*LoraDownTests') ;;
            attention) classes=('*VisionAttentionTests' '*PrefillAttentionTests' '*DecodeAttentionTests') ;;
            rows) classes=('*NormTests' '*RowTests' '*PatchEmbeddingTests' '*SampleTokenTests' '*ReadStreamTests' '*MmaRateTests') ;;
            *) classes=('*DemoTests') ;;
        esac
        options=()
        for class in "${classes[@]}"; do options+=(-class "$class"); done
        step "sanitize-$tool-$group" 130 "$sanitizer" --tool "$tool" --error-exitcode 9 "$app/GpuTests" -noLogo -noColor "${options[@]}"
    done
}

# token_figures NAME READ: what xc2 bench decode measured, and decode against the read bandwidth in GB/s.
token_figures() {
    local json=$out/$1.json
    [ -f "$json" ] || return 0
    awk -v model="$1" -v vision="$(median vision "$json")" -v prefill="$(median prefill "$json")" -v decode="$(median decode "$json")" -v read="${2:-0}" \
        -v bytes="$(figure decode_weight_bytes "$json")" -v tokens="$(grep -o '"name":"decode","tokens":[0-9]*' "$json" | sed 's/.*://')" 'BEGIN {
        printf "%s: picture %.1f ms, prefill %.1f ms, first token after %.1f ms", model, vision, prefill, vision + prefill
        if (tokens > 0 && decode > 0) {
            rate = bytes * tokens / decode / 1e6
            printf "; a generated token %.3f ms: %.0f GB/s of weights", decode / tokens, rate
            if (read > 0) printf ", %.2f of the read bandwidth", rate / read
        }
        print ""
    }'
}

# Prints the figures of the JSON files.
figures() {
    local name=model-7b read
    [ -z "$quick" ] || name=model-demo
    [ ! -f "$out/tests.xml" ] || grep -o '<assembly [^>]*' "$out/tests.xml" | sed 's/.* total="\([0-9]*\)".*/tests: \1 in all/'
    read=$(figure read_gb_per_s "$out/bench-kernels.json")
    [ -z "$read" ] || echo "limits: $read GB/s read, $(figure mma_tflop_per_s "$out/bench-kernels.json") TFLOP/s by mma.sync, on $(figure device "$out/bench-kernels.json")"
    [ ! -f "$out/bench-kernels.log" ] || sed -n '/^farthest from the limit/,$p' "$out/bench-kernels.log"
    [ -f "$out/$name.json" ] || return
    token_figures "$name" "$read"
    token_figures "$name-int8" "$read"
    token_figures "$name-int4" "$read"
    [ ! -f "$out/$name-ttft.json" ] || echo "$name-ttft: first token after $(median 'first token' "$out/$name-ttft.json") ms, decoding of the picture included"
    [ ! -f "$out/load.json" ] || echo "load: the demo's checkpoint is ready after $(median load "$out/load.json") ms"
    if [ -s "$out/$name-memory-mib" ]; then
        echo "$name: at most $(cat "$out/$name-memory-mib") MiB in use on the device; xc2 plan: $(($(figure total_bytes "$out/$name-plan.json") >> 20)) MiB"
    fi
}

find_nvrtc
for wanted in "${steps[@]}"; do
    case $wanted in
        facts) facts 2>&1 | tee "$out/facts.log" ;;
        sanitize) for tool in memcheck racecheck synccheck; do run_sanitizer $tool; done ;;
        sanitize-*) run_sanitizer "${wanted#sanitize-}" ;;
        *) "run_$wanted" ;;
    esac
done

{
    printf '%s\n' "${rows[@]}"
    figures
    [ -z "$quick" ] || echo 'QUICK: these figures are meaningless'
} | tee "$out/summary.txt"
printf '{"commit": "%s", "quick": %s, "failed": %s, "steps": [%s]}\n' "$(cat "$here/COMMIT")" "$([ -n "$quick" ] && echo true || echo false)" \
    "$([ $failed -eq 0 ] && echo false || echo true)" "$json_rows" >"$out/summary.json"
exit $failed
