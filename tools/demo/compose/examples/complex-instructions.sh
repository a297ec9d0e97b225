#!/usr/bin/env bash
# An outline of three things and a number of figures: all three have to be written about, in order, each with its figure.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

xc2 compose --greedy --figures 3 --gallery "$gallery" --out "$out/complex-en" --force \
    --instruction "Write a short article about the museum. Outline: a purple ring; an orange cross; a black triangle."
xc2 compose --greedy --figures 3 --gallery "$gallery" --out "$out/complex-zh" --force \
    --instruction "写一篇短文，介绍紫色圆环、橙色十字、黑色三角形。"
# One figure by hand: another picture of the same candidates, then one that is searched for.
xc2 edit --article "$out/complex-en" --section 2 --op choose-figure --candidate 2
xc2 edit --article "$out/complex-en" --section 3 --op find-figure --caption "an orange cross" --gallery "$gallery" --greedy
