// What can be done with the selected section of an article.
import { h, iconButton } from '../dom.js';

const withInstruction = { rewrite: 'rewriteHint', expand: 'expandHint', 'insert-before': 'insertHint', 'insert-after': 'insertHint' };

/**
 * @param section the selected one
 * @param context { count, hasSource, edit(body), upload(), close() }
 */
export function sectionEditor(section, { count, hasSource, edit, upload, close }) {
  const { number } = section;
  const place = h('div', { class: 'fill' });
  const button = (t, click, kind = '') => h('button', { type: 'button', class: `small ${kind}`, t, on: { click } });
  const ask = op => fill(op, withInstruction[op], 'textarea', '', value => ({ op, section: number, ...value.trim() && { instruction: value.trim() } }), op.startsWith('insert'));
  const panel = h('div', { class: 'panel section-panel', role: 'group', tLabel: 'editSection' },
    h('div', { class: 'actions' },
      button('op.rewrite', () => ask('rewrite')), button('op.expand', () => ask('expand')), button('op.abbreviate', () => edit({ op: 'abbreviate', section: number })),
      button('op.insert-before', () => ask('insert-before')), button('op.insert-after', () => ask('insert-after')),
      button('op.set-text', () => fill('set-text', 'textHint', 'textarea', section.text, value => ({ op: 'set-text', section: number, instruction: value }), true))),
    h('div', { class: 'actions' },
      !section.figure && hasSource && button('op.find-figure', () => fill('find-figure', 'captionHint', 'input', '', value => ({ op: 'find-figure', section: number, ...value.trim() && { caption: value.trim() } }))),
      !section.figure && button('uploadPicture', upload),
      button('op.up', () => edit({ op: 'move-section', section: number, to: number - 1 }, number - 1)), button('op.down', () => edit({ op: 'move-section', section: number, to: number + 1 }, number + 1)),
      button('op.remove-section', () => edit({ op: 'remove-section', section: number }), 'danger'), iconButton('close', 'close', close)),
    place);
  panel.querySelector('[data-t="op.up"]').disabled = number === 1;
  panel.querySelector('[data-t="op.down"]').disabled = number === count;
  return panel;

  // A field for what the change needs, and a button that makes it.
  function fill(op, hint, kind, value, bodyOf, isRequired = false) {
    const id = `fill-${number}`;
    const line = kind === 'textarea' ? h('textarea', { id, rows: 3, tPlaceholder: hint, value }) : h('input', { type: 'text', id, tPlaceholder: hint, value });
    const go = button(`op.${op}`, () => { if (line.value.trim() || !isRequired) edit(bodyOf(line.value)); }, 'primary');
    line.addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || kind === 'input') && !event.isComposing) { event.preventDefault(); go.click(); } });
    place.replaceChildren(h('label', { for: id, class: 'sr', t: hint }), line, h('div', { class: 'actions' }, go));
    line.focus();
  }
}
