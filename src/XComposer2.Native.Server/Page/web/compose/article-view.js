// An article: sections that can be selected, and figures.
import { h, icon } from '../dom.js';
import { render } from '../markdown.js';
import { figureView } from './figure-view.js';
import { sectionEditor } from './section-editor.js';

/**
 * @param article as the server sends it
 * @param state { selected, openFigure: numbers of sections or null; isBusy; written: text that is being written, after which section }
 * @param actions { select(number), toggleFigure(number), edit(body, select), upload(number), hasSource }
 * @returns an <article>
 */
export function articleView(article, state, actions) {
  const made = h('article', { class: 'article', lang: languageOf(article.sections.map(section => section.text).join('')) });
  if (article.title && !isHeading(article.sections[0]?.text, article.title)) made.append(h('h2', { class: 'article-title' }, article.title));
  for (const section of article.sections) made.append(sectionView(article, section, state, actions));
  if (article.notes.length > 0) made.append(h('ul', { class: 'notes', tLabel: 'notes' }, ...article.notes.map(note => h('li', {}, note.text))));
  return made;
}

function sectionView(article, section, state, actions) {
  const { number } = section, isSelected = state.selected === number && !state.isBusy;
  const text = h('div', { class: 'section-text' }, render(section.text, 1 + Math.max(1, section.text.match(/^#+(?= )/)?.[0].length ?? 1)));
  return h('section', { class: `section${isSelected ? ' selected' : ''}`, 'data-section': String(number), on: { click: event => choose(event, number, state, actions) } },
    text,
    !state.isBusy && h('button', { type: 'button', class: 'icon select', tLabel: 'editSection', 'aria-expanded': String(isSelected), on: { click: event => { event.stopPropagation(); actions.select(isSelected ? null : number); } } }, icon('edit')),
    section.figure && figureView(section, {
      isOpen: state.openFigure === number && !state.isBusy, isBusy: state.isBusy, hasSource: actions.hasSource,
      toggle: () => actions.toggleFigure(number), edit: body => actions.edit(body), upload: () => actions.upload(number),
    }),
    isSelected && sectionEditor(section, { count: article.sections.length, hasSource: actions.hasSource, edit: actions.edit, upload: () => actions.upload(number), close: () => actions.select(null) }));
}

// A click on the text selects; one on a control, a link or selected words does what it always does.
function choose(event, number, state, actions) {
  if (state.isBusy || event.target.closest('button, a, input, textarea, figure, .panel') || String(getSelection())) return;
  actions.select(state.selected === number ? null : number);
}

const isHeading = (text, title) => Boolean(text) && /^#+ /.test(text) && text.replace(/^#+ /, '').trim() === title.trim();

const languageOf = text => ((text.match(/[\u4e00-\u9fff]/g) ?? []).length * 4 > text.length ? 'zh-Hans' : 'en');
