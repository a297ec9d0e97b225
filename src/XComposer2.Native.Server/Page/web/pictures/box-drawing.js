// Draws boxes over a picture, in the picture's own pixels.
import { h, svg } from '../dom.js';
import { t } from '../language.js';
import { addressOf } from './picture-files.js';
import { inPixels } from './boxes.js';

const colours = 6;

/** A figure: the picture with numbered boxes, and a list of them in pixels. */
export function boxFigure(picture, boxes, open) {
  const pixels = boxes.map(box => ({ ...inPixels(box, picture), label: box.label }));
  const list = h('ol', { class: 'boxes' }, ...pixels.map((box, index) => h('li', { class: `box-${index % colours}` },
    h('span', { class: 'box-label' }, box.label || `${index + 1}`), h('span', { class: 'box-place' }, `${box.left}, ${box.top} – ${box.right}, ${box.bottom} px`))));
  return h('figure', { class: 'boxed' },
    h('button', { type: 'button', class: 'boxed-picture', title: t('openPicture'), on: { click: open } }, boxedPicture(picture, pixels)), h('figcaption', {}, list));
}

/** The picture below a drawing of the boxes. */
export function boxedPicture(picture, pixels) {
  // A stroke of the same width on the screen for pictures of any size.
  const unit = Math.max(picture.width, picture.height) / 100;
  const drawing = svg('svg', { viewBox: `0 0 ${picture.width} ${picture.height}`, class: 'box-drawing', 'aria-hidden': 'true' });
  pixels.forEach((box, index) => {
    const size = 4.4 * unit, inside = box.top < size;
    drawing.append(svg('g', { class: `box-${index % colours}` },
      svg('rect', { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top, rx: unit * 0.6, class: 'box-edge' }),
      svg('rect', { x: box.left, y: inside ? box.top : box.top - size, width: size, height: size, rx: unit * 0.6, class: 'box-tag' }),
      svg('text', { x: box.left + size / 2, y: (inside ? box.top : box.top - size) + size * 0.72, 'font-size': size * 0.66, 'text-anchor': 'middle' }, `${index + 1}`)));
  });
  const stage = h('span', { class: 'box-stage' }, h('img', { src: addressOf(picture), alt: picture.name, width: picture.width, height: picture.height }), drawing);
  stage.style.setProperty('--ratio', picture.width / picture.height);
  stage.style.setProperty('--wide', `${picture.width}px`);
  return stage;
}
