#!/usr/bin/env bash
# Compiles xc2 ahead of time (NativeAOT) for 128-bit vectors and for a wider instruction set, and compares their speed with that of the just-in-time
# compiler at the width of the latter. Exit status 1 if the wider program is not at least 1.5 times as fast as the narrow one in prefill, or less than
# 0.8 times as fast as the just-in-time compiler.
#
#   bench/aot.sh [-n] [-i INSTRUCTIONS] [-r ROUNDS]     x86-64-v3 (the package's choice) or x86-64-v4; 3 rounds; -n: with the programs of the last run
#
# Needs the package ILCompiler and gcc or clang. Everything lies in artifacts/aot.
set -euo pipefail

instructions=x86-64-v3 rounds=3 publishes=true
while getopts ni:r: option; do
    case $option in
        n) publishes=false ;;
        i) instructions=$OPTARG ;;
        r) rounds=$OPTARG ;;
        *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
home=$root/artifacts/aot
project=$root/src/XComposer2.Native.Cli/XComposer2.Native.Cli.csproj
[[ $(uname -m) == x86_64 ]] || { echo "bench/aot.sh compares instruction sets of x86-64; this machine is $(uname -m)" >&2; exit 2; }

publish() { # NAME OPTIONS
    local out=$home/$1
    shift
    $publishes || return 0
    # The compiler ahead of time does not notice that the instruction set has changed.
    find "$home/obj" -type d -name native -prune -exec rm -rf {} + 2>/dev/null || true
    printf 'publishing %s ...\n' "${out##*/}"
    dotnet publish "$project" -c Release --use-current-runtime --artifacts-path "$home/obj" -o "$out" --nologo -v quiet -nodeReuse:false \
        -p:RunAnalyzers=false -p:GenerateDocumentationFile=false -p:DebugType=none "$@"
}

# tokens NAME PROGRAM...: medians of prefill and decode in tokens per second, of two layers of the 1.8B model.
tokens() {
    local json
    json=$("$@" bench decode --preset internlm-xcomposer2-vl-1_8b --layers 2 --tokens 128 --steps 16 --samples 3 --device cpu --json | tr -d ' \n')
    for series in prefill decode; do
        sed -n "s/.*\"name\":\"$series\"[^}]*\"tokens_per_second\":\([0-9.]*\).*/\1/p" <<<"$json"
    done
}

median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

publish jit --self-contained false
publish narrow -p:PublishAot=true -p:XComposer2InstructionSet=none -p:NoWarn=XC2001 -p:WarningsNotAsErrors=XC2001
publish wide -p:PublishAot=true "-p:XComposer2InstructionSet=$instructions"
# The just-in-time compiler at the width of the wide program.
[[ $instructions == x86-64-v4 ]] || export DOTNET_EnableAVX512=0
rm -f "$home"/*.times
for ((round = 1; round <= rounds; round++)); do
    for name in jit narrow wide; do
        program=("$home/$name/xc2")
        mapfile -t speeds < <(tokens "${program[@]}")
        printf '%s\n' "${speeds[0]}" >>"$home/$name.prefill.times"
        printf '%s\n' "${speeds[1]}" >>"$home/$name.decode.times"
    done
done

printf '\n%-36s %12s %12s\n' "tokens/s, median of $rounds rounds" prefill decode
declare -A speed
for name in jit narrow wide; do
    for series in prefill decode; do speed[$name.$series]=$(median <"$home/$name.$series.times"); done
    case $name in jit) label="just in time, same width" ;; narrow) label="ahead of time, 128-bit vectors" ;; *) label="ahead of time, $instructions" ;; esac
    printf '%-36s %12.1f %12.1f\n' "$label" "${speed[$name.prefill]}" "${speed[$name.decode]}"
done
awk -v wide="${speed[wide.prefill]}" -v narrow="${speed[narrow.prefill]}" -v jit="${speed[jit.prefill]}" -v wided="${speed[wide.decode]}" -v narrowd="${speed[narrow.decode]}" -v jitd="${speed[jit.decode]}" '
    BEGIN {
        printf "%-36s %12.2f %12.2f\n", "wide / narrow", wide / narrow, wided / narrowd
        printf "%-36s %12.2f %12.2f\n", "wide / just in time", wide / jit, wided / jitd
        exit !(wide / narrow >= 1.5 && wide / jit >= 0.8)
    }'
