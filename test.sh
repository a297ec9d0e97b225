#!/usr/bin/env bash
# Builds everything in Release and runs every project in tests/. The last line is "N passed, N failed, N skipped";
# exit status 1 where a test failed, a project crashed, hung, ran no test, or the build failed.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit 1

readonly limit=30m
# Their tests run one at a time, and most of them on one thread: a process for each class, as many at once as there are processors.
# UnitTests has the machine for itself, because it tests time limits.
readonly by_class=(KernelCompileTests EmulatedDeviceTests GpuTests)
passed=0 failed=0 skipped=0
problems=() skips=() explicit=()

finish() {
    if ((${#skips[@]})); then printf '\nSkipped:\n'; printf '  %s\n' "${skips[@]}"; fi
    if ((${#explicit[@]})); then printf '\nNot run, because they run only when named:\n'; printf '  %s\n' "${explicit[@]}"; fi
    if ((${#problems[@]})); then printf '\nProblems:\n'; printf '  %s\n' "${problems[@]}"; fi
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0 && passed > 0))
    exit
}

# problem TEXT [COUNT]: what the summary names; COUNT of it are not counted as failed yet.
problem() {
    problems+=("$1")
    failed=$((failed + ${2:-1}))
}

# attribute NAME < line: the number that an XML attribute of the report's <assembly> holds.
attribute() { sed -n "s/.* $1=\"\([0-9]\{1,\}\)\".*/\1/p" <<<"$assembly"; }

# tests_with RESULT REPORT: "name: reason" of each test with this result.
tests_with() {
    tr '\n' ' ' <"$2" | sed 's/<test /\n<test /g' | grep "^<test [^>]* result=\"$1\"" \
        | sed -e 's/^<test [^>]* name="\([^"]*\)"[^>]*>\(.*\)$/\1: \2/' -e 's/]]>.*//' -e 's/<!\[CDATA\[//' -e 's/<[^>]*>//g' \
              -e 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&apos;/'"'"'/g; s/&amp;/\&/g'
}

# program_of PROJECT
program_of() { printf 'artifacts/bin/%s/release/%s' "$1" "$1"; }

# run PROGRAM REPORT [OPTION...]: one process, which writes its report; the exit status is that of the tests.
run() {
    local program=$1 report=$2
    shift 2
    timeout --kill-after=10s "$limit" "$program" -noLogo -noColor -noAutoReporters "$@" -result-xml "$report" </dev/null
}

# run_class PROGRAM CLASS: the same for one class, with what it prints and its exit status in files beside the report.
run_class() {
    local report=$reports/$2 start=$SECONDS status
    run "$1" "$report.xml" -class "$2" >"$report.log" 2>&1
    status=$?
    echo "$status" >"$report.status"
    printf '%5d s  %s%s\n' $((SECONDS - start)) "$2" "$( ((status == 0)) || echo ", exit status $status")"
    ((status == 0)) || cat "$report.log"
}

# account NAME STATUS REPORT: adds what a process did to the sums.
account() {
    local name=$1 status=$2 report=$3 assembly total
    assembly=$(grep -o '<assembly [^>]*>' "$report" 2>/dev/null | head -n 1)
    total=$(attribute total)
    if [[ -z $total ]]; then
        problem "$name: ended with exit status $status and no report ($( ((status == 124 || status == 137)) && echo "over $limit, or killed" || echo "it crashed"))"
        return
    fi
    passed=$((passed + $(attribute passed)))
    failed=$((failed + $(attribute failed)))
    skipped=$((skipped + $(attribute skipped)))
    while IFS= read -r line; do [[ $line ]] && skips+=("$line"); done < <(tests_with Skip "$report")
    while IFS= read -r line; do [[ $line ]] && explicit+=("${line%: *}"); done < <(tests_with NotRun "$report")
    while IFS= read -r line; do [[ $line ]] && problem "${line:0:300}" 0; done < <(tests_with Fail "$report")
    (($(attribute errors) == 0)) || problem "$name: $(attribute errors) errors outside of a test" "$(attribute errors)"
    ((total > 0)) || problem "$name: ran no test"
    ((status == 0 || $(attribute failed) + $(attribute errors) > 0)) || problem "$name: exit status $status though no test failed"
}

run_by_class() {
    local project program class names=() jobs=()
    for project in "${by_class[@]}"; do
        program=$(program_of "$project")
        # Sorted by the size of their sources: what takes longest should not begin last.
        mapfile -t names < <("$program" -noLogo -noColor -list classes </dev/null | tr -d '\r' | grep -E '^[A-Za-z_][A-Za-z0-9_.+]*$' \
            | while read -r class; do printf '%s %s\n' "$(cat "tests/$project"/*"${class##*.}.cs" "tests/$project"/*/"${class##*.}.cs" 2>/dev/null | wc -c)" "$class"; done | sort -rn | cut -d' ' -f2)
        ((${#names[@]})) || problem "$project: no program $program, or it lists no class; is the project in XComposer2.Native.sln?"
        for class in "${names[@]}"; do jobs+=("$program" "$class"); done
    done
    printf '\n== %s: %d classes, %d at a time\n' "${by_class[*]}" $((${#jobs[@]} / 2)) "$(nproc)"
    printf '%s\0' "${jobs[@]}" | xargs -0 -r -n 2 -P "$(nproc)" bash -c 'run_class "$1" "$2"' run_class
    for class in "${jobs[@]}"; do
        [[ $class == */* ]] || account "$class" "$(cat "$reports/$class.status" 2>/dev/null || echo 1)" "$reports/$class.xml"
    done
}

run_project() {
    local name=$1 program
    program=$(program_of "$name")
    printf '\n== %s\n' "$name"
    if [[ ! -x $program ]]; then
        problem "$name: no $program; is the project in XComposer2.Native.sln?"
        return
    fi
    run "$program" "$reports/$name.xml"
    account "$name" $? "$reports/$name.xml"
}

if ! command -v dotnet >/dev/null; then
    problem "dotnet was not found: install the .NET 10 SDK (package dotnet-sdk-10.0)"
    finish
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
printf 'Building XComposer2.Native.sln in Release ...\n'
if ! log=$(dotnet build XComposer2.Native.sln -c Release -v quiet -nodeReuse:false --nologo -p:RestoreRootConfigDirectory=/ 2>&1); then
    printf '%s\n' "$log"
    problem "the build failed"
    finish
fi
# The compiler of the GPU's kernels, its disassembler and the driver's library, for tests that need no GPU. Without them those tests are skipped, aloud.
printf 'Fetching NVRTC, nvdisasm and the CUDA driver library into artifacts/ ...\n'
tools/nvrtc/install.sh --driver --disassembler >artifacts/nvrtc.log 2>&1 || printf 'They could not be fetched: %s\n' "$(tail -n 1 artifacts/nvrtc.log)"
reports=artifacts/test-reports
rm -rf "$reports"
mkdir -p "$reports"
# Before the processes that would each begin to build it. Where it cannot be built, the tests say so.
sh tests/EmulatedDevice/build.sh 2>artifacts/emulated-device.log || true
export limit reports
export -f run run_class
run_by_class
for project in tests/*/*.csproj; do
    name=$(basename "$project" .csproj)
    [[ " ${by_class[*]} " == *" $name "* ]] || { grep -q '<OutputType>Exe' "$project" && run_project "$name"; }
done
finish
