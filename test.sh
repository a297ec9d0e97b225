#!/usr/bin/env bash
# Builds everything in Release and runs every project in tests/. The last line is "N passed, N failed, N skipped";
# exit status 1 where a test failed, a project crashed, hung, ran no test, or the build failed.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit 1

readonly project_limit=30m
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

run_project() {
    local name=$1 report=$reports/$1.xml status assembly total
    local program=artifacts/bin/$name/release/$name
    printf '\n== %s\n' "$name"
    if [[ ! -x $program ]]; then
        problem "$name: no $program; is the project in XComposer2.Native.sln?"
        return
    fi
    timeout --kill-after=10s "$project_limit" "$program" -noLogo -noColor -noAutoReporters -result-xml "$report" </dev/null
    status=$?
    assembly=$(grep -o '<assembly [^>]*>' "$report" 2>/dev/null | head -n 1)
    total=$(attribute total)
    if [[ -z $total ]]; then
        problem "$name: ended with exit status $status and no report ($( ((status == 124 || status == 137)) && echo "over $project_limit, or killed" || echo "it crashed"))"
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
# The compiler of the GPU's kernels and the driver's library, for tests that need no GPU. Without them those tests are skipped, aloud.
printf 'Fetching NVRTC and the CUDA driver library into artifacts/ ...\n'
tools/nvrtc/install.sh --driver >artifacts/nvrtc.log 2>&1 || printf 'They could not be fetched: %s\n' "$(tail -n 1 artifacts/nvrtc.log)"
reports=artifacts/test-reports
rm -rf "$reports"
mkdir -p "$reports"
for project in tests/*/*.csproj; do
    grep -q '<OutputType>Exe' "$project" && run_project "$(basename "$project" .csproj)"
done
finish
