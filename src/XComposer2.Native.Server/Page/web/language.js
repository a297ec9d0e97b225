// The language of the page: English or Chinese.
import { english } from './texts/en.js';
import { chinese } from './texts/zh.js';

const languages = { en: english, zh: chinese };
let current = 'en';

/** The text of a key, with {name} replaced by values. */
export function t(key, values = {}) {
  const text = languages[current][key] ?? english[key];
  if (text === undefined) throw new Error(`there is no text '${key}'`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** "en" or "zh"; "auto" is the browser's. */
export function setLanguage(wanted) {
  current = wanted in languages ? wanted : (navigator.languages ?? [navigator.language]).some(name => name.startsWith('zh')) ? 'zh' : 'en';
  document.documentElement.lang = current === 'zh' ? 'zh-Hans' : 'en';
  translate(document);
}

/** Replaces the texts of all elements that have keys. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll('[data-t-placeholder]')) element.placeholder = t(element.dataset.tPlaceholder);
  for (const element of root.querySelectorAll('[data-t-label]')) {
    element.setAttribute('aria-label', t(element.dataset.tLabel));
    if (element.tagName === 'BUTTON') element.title = t(element.dataset.tLabel);
  }
}

/** Numbers and dates as the language writes them. */
export const locale = () => (current === 'zh' ? 'zh-CN' : 'en');
