#!/usr/bin/env bash
# The same subject twice: the demo's only style parameter is the seed.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

english="Write a short article about the harbor. Outline: a red circle; a green star."
chinese="写一篇短文，介绍红色圆形、绿色星形。"
for seed in 1 2; do
    xc2 compose --instruction "$english" --gallery "$gallery" --seed "$seed" --out "$out/styles-en-$seed" --force
    xc2 compose --instruction "$chinese" --gallery "$gallery" --seed "$seed" --out "$out/styles-zh-$seed" --force
done
