// How one message looks. The list redraws a message when it changes; while an answer is written only its text is drawn anew.
import { h, iconButton } from '../dom.js';
import { t, locale } from '../language.js';
import { render } from '../markdown.js';
import { addressOf } from '../pictures/picture-files.js';
import { findBoxes } from '../pictures/boxes.js';
import { boxFigure } from '../pictures/box-drawing.js';
import { openPicture } from '../pictures/picture-dialog.js';

/**
 * @param message of conversation.js
 * @param context { pictures: those of the question; shown: those that boxes lie on; isLast, actions }
 * @returns an <li>
 */
export function messageItem(message, context) {
  const isQuestion = message.role === 'user';
  return h('li', { class: `message ${isQuestion ? 'asked' : 'answered'}`, 'data-id': message.id },
    h('h2', { class: 'sr', t: isQuestion ? 'you' : 'model' }),
    ...(isQuestion ? questionParts(message, context) : answerParts(message, context)));
}

/** Draws the text of an answer that is being written. */
export function drawText(item, message) {
  item.querySelector('.text').replaceChildren(message.text ? render(message.text) : waiting());
}

function questionParts(message, { pictures, actions }) {
  return [
    pictures.length > 0 && h('div', { class: 'shown' }, ...pictures.map((picture, index) => h('button', {
      type: 'button', 'aria-label': t('pictureOf', { place: index + 1, count: pictures.length, name: picture.name }), title: picture.name,
      on: { click: () => openPicture(pictures, index) },
    }, h('img', { src: addressOf(picture), alt: '', width: picture.width, height: picture.height })))),
    message.text && h('div', { class: 'bubble' }, message.text),
    h('div', { class: 'tools' }, iconButton('copy', 'copy', event => actions.copy(message, event.currentTarget)), iconButton('edit', 'editQuestion', () => actions.edit(message))),
  ];
}

function answerParts(message, { shown, isLast, actions }) {
  const isRunning = message.end === null;
  const text = h('div', { class: 'text', 'aria-busy': String(isRunning) });
  text.append(message.text ? render(message.text) : isRunning ? waiting() : '');
  const boxes = isRunning || shown.length === 0 ? [] : findBoxes(message.text);
  return [
    text,
    boxes.length > 0 && boxesOf(boxes, shown),
    message.error && h('p', { class: 'problem' }, message.error),
    !message.error && ['length', 'stopped', 'interrupted'].includes(message.end) && h('p', { class: 'remark', t: `end.${message.end}` }),
    !isRunning && h('div', { class: 'tools' },
      message.text && iconButton('copy', 'copy', event => actions.copy(message, event.currentTarget)),
      isLast && iconButton('again', 'regenerate', () => actions.regenerate(message)),
      isLast && message.text && message.end !== 'stop' && h('button', { type: 'button', class: 'small', t: 'continue', on: { click: () => actions.continue(message) } }),
      message.stats && h('span', { class: 'stats' }, statistics(message.stats))),
  ];
}

// Of several pictures the last one is meant most often; the others are one click away.
function boxesOf(boxes, shown) {
  const place = h('div', { class: 'boxed-place' });
  let index = shown.length - 1;
  draw();
  return place;

  function draw() {
    place.replaceChildren(
      shown.length > 1 && h('div', { class: 'choice', role: 'group', tLabel: 'boxesOn' }, ...shown.map((picture, other) =>
        h('button', { type: 'button', 'aria-pressed': String(other === index), on: { click: () => { index = other; draw(); } } }, t('pictureNumber', { place: other + 1 })))) || '',
      boxFigure(shown[index], boxes, () => openPicture(shown, index, { boxes })));
  }
}

function waiting() {
  return h('span', { class: 'waiting' }, h('span', { class: 'sr', t: 'writing' }), h('i'), h('i'), h('i'));
}

function statistics({ tokens, perSecond, firstMs }) {
  const number = (value, digits = 0) => value.toLocaleString(locale(), { maximumFractionDigits: digits });
  const parts = [t('stats.tokens', { count: number(tokens) })];
  if (perSecond) parts.push(t('stats.speed', { speed: number(perSecond, perSecond < 10 ? 1 : 0) }));
  if (firstMs) parts.push(t('stats.first', { seconds: number(firstMs / 1000, 2) }));
  return parts.join(' · ');
}
