# Sourced by the examples. XC2 is the path of the program; the default is the repository's own.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
repository=$(cd "$here/../../../.." && pwd)
export XC2_MODEL=${XC2_MODEL:-$repository/tools/demo/checkpoint}

if (($# != 1)); then
    echo "usage: $0 DIR    the folder for the articles; created if missing" >&2
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)

# The gallery is copied, so that its index is not written to the repository.
gallery=$out/gallery
mkdir -p "$gallery"
cp "$here"/../gallery/*.png "$gallery"

xc2() { "${XC2:-$repository/xc2}" "$@"; }
