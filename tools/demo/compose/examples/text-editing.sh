#!/usr/bin/env bash
# An article, all five edits of the original on its second section, and two undo steps.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

# edit ARTICLE MATERIAL OUTLINE
edit_all() {
    edit() { xc2 edit --article "$1" --section 2 --greedy "${@:2}"; }
    edit "$1" --op abbreviate
    edit "$1" --op expand --instruction "$2"
    edit "$1" --op insert-after --instruction "$3"
    edit "$1" --op insert-before --instruction "$3"
    edit "$1" --op rewrite --instruction "$3"
    xc2 edit --article "$1" --op undo
    xc2 edit --article "$1" --op undo
}

xc2 compose --greedy --instruction "Write a short article about the garden. Outline: a blue ring." --gallery "$gallery" --out "$out/editing-en" --force
edit_all "$out/editing-en" "a blue ring" "a yellow star"
xc2 compose --greedy --instruction "写一篇短文，介绍蓝色圆环。" --gallery "$gallery" --out "$out/editing-zh" --force
edit_all "$out/editing-zh" "蓝色圆环" "黄色星形"
