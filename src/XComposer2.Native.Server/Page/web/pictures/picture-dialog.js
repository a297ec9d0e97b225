// A picture at full size: itself, what the model sees, and boxes of an answer.
import { byId, h, iconButton } from '../dom.js';
import { t } from '../language.js';
import { boxedPicture } from './box-drawing.js';
import { inPixels } from './boxes.js';
import { squareOf } from './square.js';

let imageSize = 490;

/** The side of the model's square in pixels. */
export function setImageSize(size) {
  imageSize = size;
}

/**
 * Shows a picture.
 * @param pictures all that can be leafed through
 * @param options.boxes boxes of the picture at `index`
 * @param options.view "picture", "model" or "boxes"
 */
export function openPicture(pictures, index, { boxes = [], view = boxes.length ? 'boxes' : 'picture' } = {}) {
  const dialog = byId('picture-dialog');
  const state = { index, view };
  dialog.onkeydown = event => {
    if (event.target.getAttribute('role') === 'radio') return;
    if (event.key === 'ArrowLeft') leaf(-1);
    if (event.key === 'ArrowRight') leaf(1);
  };
  dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
  draw();
  dialog.showModal();

  function leaf(step) {
    const next = state.index + step;
    if (next < 0 || next >= pictures.length) return;
    state.index = next;
    draw();
  }

  function draw() {
    const picture = pictures[state.index], shown = state.index === index ? boxes : [];
    const views = ['picture', 'model', ...(shown.length ? ['boxes'] : [])];
    if (!views.includes(state.view)) state.view = 'picture';
    const stage = h('div', { class: 'stage' });
    const note = h('p', { class: 'stage-note' });
    const choice = h('div', { class: 'choice', role: 'group', tLabel: 'whatToShow' }, ...views.map(view =>
      h('button', { type: 'button', t: `view.${view}`, 'aria-pressed': String(view === state.view), on: { click: () => { state.view = view; draw(); focusView(view); } } })));
    dialog.replaceChildren(
      h('header', {}, h('h2', { id: 'picture-title' }, picture.name), choice, iconButton('close', 'close', () => dialog.close())),
      stage,
      h('footer', {}, pictures.length > 1 && iconButton('left', 'previous', () => leaf(-1), { disabled: state.index === 0 }), note, pictures.length > 1 && iconButton('right', 'next', () => leaf(1), { disabled: state.index === pictures.length - 1 })));
    show(picture, shown, stage, note);
  }

  function focusView(view) {
    dialog.querySelector(`[data-t="view.${view}"]`)?.focus();
  }

  async function show(picture, shown, stage, note) {
    note.textContent = `${picture.width} × ${picture.height}`;
    if (state.view === 'model') {
      note.textContent = t('modelSees', { size: imageSize });
      const canvas = h('canvas', { width: imageSize, height: imageSize, role: 'img', 'aria-label': t('modelSees', { size: imageSize }) });
      stage.append(canvas);
      canvas.getContext('2d').putImageData(await squareOf(picture, imageSize), 0, 0);
      canvas.dataset.ready = 'true';
    } else {
      stage.append(boxedPicture(picture, state.view === 'boxes' ? shown.map(box => inPixels(box, picture)) : []));
    }
  }
}
