// The sidebar on a phone: it slides over the view, and goes when something was chosen. On a desk it is always there.
import { byId } from './dom.js';

export function showSidebar(isOpen) {
  document.body.classList.toggle('sidebar-open', isOpen);
  byId('menu').setAttribute('aria-expanded', String(isOpen));
  byId('veil').hidden = !isOpen;
}

export function connectSidebar() {
  byId('menu').addEventListener('click', () => showSidebar(!document.body.classList.contains('sidebar-open')));
  byId('veil').addEventListener('click', () => showSidebar(false));
  document.addEventListener('keydown', event => { if (event.key === 'Escape') showSidebar(false); });
}
