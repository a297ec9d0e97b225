#!/usr/bin/env bash
# Own outline, own pictures and own material.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# picture "red circle": path of the picture with this object.
picture() { echo "$gallery/$(sed -n "s/.*\"file\": \"\([^\"]*\)\", \"en\": \"$1\".*/\1/p" "$here/../cases.json")"; }

# From a title and an outline file.
printf 'a red square\na pink star\n' >"$out/outline.txt"
xc2 compose --greedy --title "the park" --outline "$out/outline.txt" --gallery "$gallery" --out "$out/custom-outline-en" --force
# From own pictures: they are the subject and the illustrations of the article.
xc2 compose --greedy --instruction "Write a short article about the city based on the images." --out "$out/custom-pictures-en" --force \
    --image "$(picture "red square")" --image "$(picture "pink star")"
# From material: abbreviate a section (the demo rewrites single sentences only) and rewrite it with material, in English and Chinese.
xc2 edit --article "$out/custom-outline-en" --section 2 --op abbreviate --greedy
xc2 edit --article "$out/custom-outline-en" --section 2 --op rewrite --instruction "a green ring" --greedy
xc2 compose --greedy --instruction "写一篇短文，介绍红色方形、粉色星形。" --gallery "$gallery" --out "$out/custom-zh" --force
xc2 edit --article "$out/custom-zh" --section 2 --op abbreviate --greedy
xc2 edit --article "$out/custom-zh" --section 2 --op rewrite --instruction "绿色圆环" --greedy
xc2 edit --article "$out/custom-zh" --section 2 --op replace-figure --image "$(picture "green ring")" --caption "绿色圆环"
