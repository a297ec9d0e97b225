#!/usr/bin/env bash
# Mutates files for every reader, and kills and races edits, for SECONDS:   tests/fuzz.sh [SECONDS [SEED]]
# 3600 seconds and a seed of the clock where nothing else is said. Prints a table; exit status 1 where a file crashed a reader, took too long or too much
# memory (the input is kept, and named). The figures of the last long run are in tests/FUZZING.md.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
seconds=${1:-3600} seed=${2:-$(($(date +%s) % 1000000))}
[[ $seconds =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || { echo 'usage: tests/fuzz.sh [SECONDS [SEED]]' >&2; exit 2; }
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
dotnet build tests/UnitTests -c Release -v quiet -nodeReuse:false --nologo || exit 1
echo "seed $seed, $seconds s, $(git rev-parse --short HEAD 2>/dev/null)"
# A kill round takes about two seconds.
XC2_FUZZ_SECONDS=$seconds XC2_FUZZ_SEED=$seed XC2_FUZZ_REPORT=$report XC2_FUZZ_ROUNDS=$((seconds / 20 + 4)) \
    artifacts/bin/UnitTests/release/UnitTests -noLogo -noColor -class '*.FuzzTests' -class '*.KilledEditTests'
status=$?
printf '| reader | inputs | accepted | worst time | worst allocation |\n|---|---|---|---|---|\n'
sort "$report"
exit $status
