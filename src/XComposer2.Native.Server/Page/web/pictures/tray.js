// The pictures of a question that is being written: add, remove, reorder by dragging or with the arrow keys.
import { h, iconButton, icon } from '../dom.js';
import { t } from '../language.js';
import { addressOf } from './picture-files.js';
import { openPicture } from './picture-dialog.js';

export class Tray {
  /**
   * @param list the <ul>
   * @param changed called when pictures were added, removed or moved
   * @param announce says something to screen readers
   */
  constructor(list, { changed = () => {}, announce = () => {} } = {}) {
    this.list = list;
    this.changed = changed;
    this.announce = announce;
    this.pictures = [];
  }

  set(pictures) {
    this.pictures = [...pictures];
    this.draw();
    this.changed();
  }

  add(pictures) {
    this.set([...this.pictures, ...pictures]);
  }

  move(from, to) {
    if (to < 0 || to >= this.pictures.length || from === to) return;
    const moved = [...this.pictures];
    moved.splice(to, 0, ...moved.splice(from, 1));
    this.set(moved);
    this.announce(t('movedTo', { place: to + 1, count: moved.length }));
  }

  moveAndFocus(index, step) {
    this.move(index, index + step);
    this.list.querySelectorAll('.thumb')[Math.max(0, Math.min(index + step, this.pictures.length - 1))].focus();
  }

  remove(index) {
    this.set(this.pictures.filter((_, place) => place !== index));
    (this.list.querySelectorAll('.thumb')[Math.min(index, this.pictures.length - 1)] ?? document.getElementById('question-text'))?.focus();
    this.announce(t('removed'));
  }

  draw() {
    this.list.hidden = this.pictures.length === 0;
    this.list.replaceChildren(...this.pictures.map((picture, index) => this.item(picture, index)));
  }

  item(picture, index) {
    const open = h('button', { type: 'button', class: 'thumb', 'aria-label': t('pictureOf', { place: index + 1, count: this.pictures.length, name: picture.name }), title: picture.name },
      h('img', { src: addressOf(picture), alt: '', draggable: 'false' }));
    open.addEventListener('click', () => openPicture(this.pictures, index));
    open.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && (event.altKey || event.ctrlKey || event.shiftKey)) {
        event.preventDefault();
        this.moveAndFocus(index, step);
      } else if (event.key === 'Delete' || event.key === 'Backspace') {
        event.preventDefault();
        this.remove(index);
      }
    });
    const see = h('button', { type: 'button', class: 'icon see', tLabel: 'seeAsModel', on: { click: () => openPicture(this.pictures, index, { view: 'model' }) } }, icon('eye'));
    const move = (name, label, step) => iconButton(name, label, () => this.moveAndFocus(index, step), { class: `icon ${name}`, disabled: index + step < 0 || index + step >= this.pictures.length });
    const item = h('li', { draggable: 'true' }, open, see, iconButton('close', 'remove', () => this.remove(index), { class: 'icon gone' }),
      ...this.pictures.length > 1 ? [move('left', 'moveLeft', -1), move('right', 'moveRight', 1)] : []);
    item.addEventListener('dragstart', event => { event.dataTransfer.setData('application/x-xc2-place', String(index)); event.dataTransfer.effectAllowed = 'move'; });
    item.addEventListener('dragover', event => { if (event.dataTransfer.types.includes('application/x-xc2-place')) event.preventDefault(); });
    item.addEventListener('drop', event => {
      const from = event.dataTransfer.getData('application/x-xc2-place');
      if (from === '') return;
      event.preventDefault();
      event.stopPropagation();
      this.move(Number(from), index);
    });
    return item;
  }
}
