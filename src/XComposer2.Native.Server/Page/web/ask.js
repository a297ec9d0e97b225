// A small dialog: a question, perhaps a line to fill in, and buttons.
import { byId, h } from './dom.js';

/**
 * @param title, text keys of texts; text may be absent
 * @param choices array of { t, value, primary, danger }
 * @param input { label, value, type } or absent
 * @returns { choice, input }, or null if the dialog was closed
 */
export function ask({ title, text, choices, input }) {
  const dialog = byId('ask-dialog');
  const line = input && h('input', { type: input.type ?? 'text', id: 'ask-line', value: input.value ?? '', autocomplete: 'off' });
  let result = null;
  const form = h('form', { method: 'dialog' },
    h('h2', { id: 'ask-title', t: title }),
    text && h('p', { t: text }),
    input && h('label', { for: 'ask-line', t: input.label }), line ?? null,
    h('div', { class: 'actions' },
      h('button', { type: 'button', t: 'cancel', on: { click: () => dialog.close() } }),
      ...choices.map(choice => h('button', { type: choice.primary ? 'submit' : 'button', class: choice.primary ? 'primary' : choice.danger ? 'danger' : '', t: choice.t, on: { click: event => finish(event, choice.value) } }))));
  dialog.replaceChildren(form);
  dialog.showModal();
  line?.select();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(result), { once: true }));

  function finish(event, choice) {
    event.preventDefault();
    result = { choice, input: line?.value ?? '' };
    dialog.close();
  }
}
