#!/usr/bin/env bash
# An outline of three objects and a number of figures: the article must cover all three in order, each with its figure.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

xc2 compose --greedy --figures 3 --gallery "$gallery" --out "$out/complex-en" --force \
    --instruction "Write a short article about the museum. Outline: a purple ring; an orange cross; a black triangle."
xc2 compose --greedy --figures 3 --gallery "$gallery" --out "$out/complex-zh" --force \
    --instruction "写一篇短文，介绍紫色圆环、橙色十字、黑色三角形。"
# Figures chosen by the user: another candidate for one, a new search for the other.
xc2 edit --article "$out/complex-en" --section 2 --op choose-figure --candidate 2
xc2 edit --article "$out/complex-en" --section 3 --op find-figure --caption "an orange cross" --gallery "$gallery" --greedy
