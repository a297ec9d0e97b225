// What a person chose, kept in this browser. Absent values are the server's defaults.
const place = 'xc2.settings';
const listeners = [];

export const settings = {
  language: 'auto', theme: 'auto', temperature: null, topP: null, maxTokens: null, system: '', key: '',
  ...read(),
};

export function change(changes) {
  Object.assign(settings, changes);
  try {
    localStorage.setItem(place, JSON.stringify(settings));
  } catch {
    // A private window may refuse; the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener(changes);
}

/** Calls the listener with each change. */
export function onChange(listener) {
  listeners.push(listener);
}

/** Whether the page is dark now. */
export const isDark = () => (settings.theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : settings.theme === 'dark');

/** Shows the chosen theme; the style sheet follows the system where none is chosen. */
export function applyTheme() {
  if (settings.theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = settings.theme;
}

function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(place) ?? '{}');
    return stored && typeof stored === 'object' && !Array.isArray(stored) ? stored : {};
  } catch {
    return {};
  }
}
