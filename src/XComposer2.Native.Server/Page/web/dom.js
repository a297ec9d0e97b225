// Builds elements. Texts are keys of texts/*.js, so that a change of language finds them again (language.js).
import { t } from './language.js';

/** The element with this id; it is an error if there is none. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no element '${id}'`);
  return found;
}

/**
 * Creates an element.
 * `t`, `tLabel` and `tPlaceholder` are keys of texts; `on` holds event handlers; `class` and all others are attributes, of which false and null are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 't') setText(made, value);
    else if (name === 'tLabel') setLabel(made, value);
    else if (name === 'tPlaceholder') { made.dataset.tPlaceholder = value; made.placeholder = t(value); }
    else if (name === 'on') for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    else if (name === 'value') made.value = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return made;
}

export function setText(element, key) {
  element.dataset.t = key;
  element.textContent = t(key);
}

/** The accessible name, which is the tooltip of buttons too. */
export function setLabel(element, key) {
  element.dataset.tLabel = key;
  element.setAttribute('aria-label', t(key));
  if (element.tagName === 'BUTTON') element.title = t(key);
}

const svgSpace = 'http://www.w3.org/2000/svg';

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** One of the icons that index.html defines. */
export function icon(name) {
  return svg('svg', { 'aria-hidden': 'true' }, svg('use', { href: `#i-${name}` }));
}

/** A button with an icon and no text. */
export function iconButton(name, tLabel, click, attributes = {}) {
  return h('button', { type: 'button', class: 'icon', tLabel, on: { click }, ...attributes }, icon(name));
}
