// The settings: language, theme, sampling, system prompt, key.
import { byId, h, iconButton } from './dom.js';
import { locale } from './language.js';
import { change, settings } from './settings.js';

/**
 * Opens the settings.
 * @param defaults of the server, where nothing is chosen
 * @param focus "key" to begin with the key
 */
export function openSettings(defaults, focus) {
  const dialog = byId('settings-dialog');
  dialog.replaceChildren(
    h('header', {}, h('h2', { id: 'settings-title', t: 'settings' }), iconButton('close', 'close', () => dialog.close())),
    h('div', { class: 'fields' },
      choice('language', 'language', [['auto', 'asBrowser'], ['en', 'english'], ['zh', 'chinese']]),
      choice('theme', 'theme', [['auto', 'asSystem'], ['light', 'light'], ['dark', 'dark']]),
      area(),
      slider('temperature', 'temperature', { max: 2, step: 0.05, standard: defaults.temperature, note: 'temperatureNote' }),
      slider('topP', 'topP', { min: 0.05, max: 1, step: 0.05, standard: defaults.top_p, note: 'topPNote' }),
      count(defaults.max_tokens),
      key()),
    h('div', { class: 'actions' },
      h('button', { type: 'button', t: 'reset', on: { click: () => { change({ temperature: null, topP: null, maxTokens: null, system: '' }); openSettings(defaults); } } }),
      h('button', { type: 'button', class: 'primary', t: 'done', on: { click: () => dialog.close() } })));
  dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
  if (!dialog.open) dialog.showModal();
  if (focus === 'key') byId('setting-key').focus();
}

function choice(name, label, options) {
  return h('fieldset', { class: 'field' }, h('legend', { t: label }), h('div', { class: 'segments' }, ...options.map(([value, text]) => h('label', {},
    h('input', { type: 'radio', name: `setting-${name}`, value, checked: settings[name] === value, on: { change: () => change({ [name]: value }) } }), h('span', { t: text })))));
}

function area() {
  return h('div', { class: 'field' },
    h('label', { for: 'setting-system', t: 'system' }),
    h('textarea', { id: 'setting-system', rows: 3, tPlaceholder: 'systemHint', value: settings.system, on: { change: event => change({ system: event.target.value }) } }));
}

function slider(name, label, { min = 0, max, step, standard, note }) {
  const shown = h('output', { for: `setting-${name}` });
  const show = value => { shown.textContent = Number(value).toLocaleString(locale(), { maximumFractionDigits: 2 }); };
  const line = h('input', { type: 'range', id: `setting-${name}`, min, max, step, value: settings[name] ?? standard, 'aria-describedby': `note-${name}` });
  line.addEventListener('input', () => { show(line.value); change({ [name]: Number(line.value) }); });
  show(settings[name] ?? standard);
  return h('div', { class: 'field' }, h('div', { class: 'line' }, h('label', { for: `setting-${name}`, t: label }), shown), line, h('p', { class: 'note', id: `note-${name}`, t: note }));
}

function count(standard) {
  const line = h('input', { type: 'number', id: 'setting-tokens', min: 1, max: 1_000_000, step: 1, value: settings.maxTokens ?? '', placeholder: String(standard) });
  line.addEventListener('change', () => change({ maxTokens: line.value && line.checkValidity() ? Number(line.value) : null }));
  return h('div', { class: 'field' }, h('label', { for: 'setting-tokens', t: 'maxTokens' }), line);
}

function key() {
  return h('div', { class: 'field' },
    h('label', { for: 'setting-key', t: 'key' }),
    h('input', { type: 'password', id: 'setting-key', autocomplete: 'off', spellcheck: 'false', value: settings.key, 'aria-describedby': 'note-key', on: { change: event => change({ key: event.target.value.trim() }) } }),
    h('p', { class: 'note', id: 'note-key', t: 'keyNote' }));
}
