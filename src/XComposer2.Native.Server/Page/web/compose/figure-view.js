// A figure of an article: the picture, and on request its candidates beside each other with their scores.
import { h, icon } from '../dom.js';
import { t, locale } from '../language.js';
import { pictureAddress } from './article-api.js';

/**
 * @param section with a figure
 * @param context { isOpen, isBusy, hasSource, toggle(), edit(body), upload() }
 */
export function figureView(section, context) {
  const { figure } = section, chosen = figure.candidates.find(candidate => candidate.number === figure.chosen);
  return h('figure', { class: context.isOpen ? 'open' : '' },
    h('div', { class: 'picture-place' },
      chosen ? picture(chosen, figure.alternative_text || figure.caption || chosen.name) : h('p', { class: 'missing', t: 'noPictureYet' }),
      h('button', { type: 'button', class: 'small change', 'aria-expanded': String(context.isOpen), disabled: context.isBusy, on: { click: context.toggle } }, icon('picture'), h('span', { t: 'changeFigure' }))),
    figure.caption && h('figcaption', {}, figure.caption),
    context.isOpen && panel(section, context));
}

function panel(section, { edit, upload, hasSource }) {
  const { figure, number } = section;
  const caption = h('input', { type: 'text', id: `caption-${number}`, value: figure.caption });
  const alternative = h('input', { type: 'text', id: `alternative-${number}`, value: figure.alternative_text });
  return h('div', { class: 'panel' },
    figure.candidates.length > 0 && h('div', { class: 'candidates', role: 'group', tLabel: 'candidates' }, ...figure.candidates.map(candidate => candidateView(candidate, figure, number, edit))),
    h('div', { class: 'actions' },
      figure.candidates.length > 1 && h('button', { type: 'button', class: 'small', t: 'chooseAgain', on: { click: () => edit({ op: 'choose-figure', section: number }) } }),
      h('button', { type: 'button', class: 'small', t: 'uploadPicture', on: { click: upload } }),
      h('button', { type: 'button', class: 'small danger', t: 'removeFigure', on: { click: () => edit({ op: 'remove-figure', section: number }) } })),
    h('div', { class: 'field' }, h('label', { for: caption.id, t: 'caption' }), caption),
    h('div', { class: 'field' }, h('label', { for: alternative.id, t: 'alternative' }), alternative),
    h('div', { class: 'actions' },
      hasSource && h('button', { type: 'button', class: 'small', t: 'searchByCaption', on: { click: () => edit({ op: 'find-figure', section: number, caption: caption.value }) } }),
      h('button', { type: 'button', class: 'small', t: 'describePicture', on: { click: () => edit({ op: 'set-caption', section: number }) } }),
      h('button', { type: 'button', class: 'small primary', t: 'saveCaption', on: { click: () => edit({ op: 'set-caption', section: number, caption: caption.value, alternative_text: alternative.value }) } })));
}

// The score is the model's probability of choosing this picture; the rank is the place that the search gave it.
function candidateView(candidate, figure, section, edit) {
  const isChosen = candidate.number === figure.chosen, share = candidate.probability;
  const percent = share === null || share === undefined ? null : share.toLocaleString(locale(), { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 });
  const facts = [percent && t('probability', { percent }), candidate.rank && t('rank', { rank: candidate.rank })].filter(Boolean);
  const bar = percent && h('meter', { min: 0, max: 1, value: share, 'aria-hidden': 'true' });
  return h('button', { type: 'button', class: 'candidate', 'aria-pressed': String(isChosen), on: { click: () => { if (!isChosen) edit({ op: 'choose-figure', section, candidate: candidate.number }); } } },
    picture(candidate, ''), isChosen && h('span', { class: 'tick' }, icon('check')),
    h('span', { class: 'name' }, candidate.caption || candidate.name), bar, h('span', { class: 'facts' }, facts.join(' · ')));
}

// The text beside a candidate says what it is: its picture has no alternative text then.
function picture(candidate, alternative) {
  const image = h('img', { alt: alternative });
  pictureAddress(candidate.url).then(address => { image.src = address; }, () => { image.alt = t('pictureMissing'); });
  return image;
}
