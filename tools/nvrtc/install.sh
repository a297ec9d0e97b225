#!/usr/bin/env bash
# Downloads NVRTC 12.4 to artifacts/nvrtc/lib of this checkout, where the program and the tests search for it. Installs nothing on the machine:
# Debian's packages (libnvrtc12, libnvrtc-builtins12.4 of trixie's non-free component) come from the package source in the machine's apt
# configuration and are only unpacked. Does nothing if the files exist.
#   tools/nvrtc/install.sh                  NVRTC
#   tools/nvrtc/install.sh --driver         also the driver library, artifacts/nvrtc/driver/libcuda.so.1; without a GPU its cuInit returns 100
#   tools/nvrtc/install.sh --disassembler   also nvdisasm, artifacts/nvrtc/bin/nvdisasm: for predictions from compiled kernels
set -euo pipefail

readonly suite=trixie keyring=/usr/share/keyrings/debian-archive-keyring.gpg
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
target=$root/artifacts/nvrtc

fail() {
    printf 'tools/nvrtc/install.sh: %s\n' "$1" >&2
    exit 1
}

driver=false disassembler=false
for option in "$@"; do
    case $option in
        --driver) driver=true ;;
        --disassembler) disassembler=true ;;
        *) fail "unknown option '$option'; there are --driver and --disassembler" ;;
    esac
done

packages=()
[[ -e $target/lib/libnvrtc.so.12 ]] || packages+=(libnvrtc12 libnvrtc-builtins12.4)
if $driver && [[ ! -e $target/driver/libcuda.so.1 ]]; then packages+=(libcuda1); fi
if $disassembler && [[ ! -e $target/bin/nvdisasm ]]; then packages+=(nvidia-cuda-toolkit); fi
((${#packages[@]})) || exit 0

command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "apt was not found: install NVRTC 12 or 13 another way, or set XC2_NVRTC"
[[ -e $keyring ]] || fail "$keyring is missing, packages cannot be verified: install debian-archive-keyring, or set XC2_NVRTC to an existing NVRTC"
source=$(grep -rhoE '(https?|mirror\+file|file|copy):[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -E '/debian/?$' | sed -n 1p || true)
[[ $source ]] || fail "no Debian package source is configured on this machine: install NVRTC 12 or 13 another way, or set XC2_NVRTC"

mkdir -p "$target"
work=$(mktemp -d "$target/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,parts,archives/partial,tree}
cat >"$work/parts/nvrtc.sources" <<SOURCE
Types: deb
URIs: $source
Suites: $suite
Components: main non-free
Signed-By: $keyring
SOURCE
apt=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/parts" -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache::Archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${apt[@]}" -qq update || fail "cannot download the package lists of $suite"
(cd "$work" && apt-get "${apt[@]}" -qq download "${packages[@]}") || fail "cannot download ${packages[*]}"
for package in "$work"/*.deb; do dpkg -x "$package" "$work/tree"; done

# take PATTERN FOLDER LAST: moves matching files; LAST is moved at the end, because its presence means "complete".
take() {
    mkdir -p "$target/$2"
    local file
    while IFS= read -r file; do mv -f "$file" "$target/$2/"; done < <(find "$work/tree" -name "$1" ! -name "$3")
    while IFS= read -r file; do mv -f "$file" "$target/$2/"; done < <(find "$work/tree" -name "$3")
    [[ -e $target/$2/$3 ]] || fail "the packages do not contain $3"
}
if [[ " ${packages[*]} " == *' libnvrtc12 '* ]]; then take 'libnvrtc*.so.*' lib libnvrtc.so.12; fi
if [[ " ${packages[*]} " == *' libcuda1 '* ]]; then take 'libcuda.so.*' driver libcuda.so.1; fi
if [[ " ${packages[*]} " == *' nvidia-cuda-toolkit '* ]]; then take nvdisasm bin nvdisasm; fi
