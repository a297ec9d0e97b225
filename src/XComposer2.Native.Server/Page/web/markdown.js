// Markdown of an answer as elements. The model's text is not trusted: everything but plain formatting is removed, and nothing is loaded.
import { marked } from './vendor/marked.esm.js';
import DOMPurify from './vendor/purify.es.mjs';

const allowed = {
  ALLOWED_TAGS: ['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'strong', 'em', 'del', 's', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'sub', 'sup'],
  ALLOWED_ATTR: ['href', 'title', 'start', 'align'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/**
 * @param level of the highest heading, so that headings of the text continue those of the page
 * @returns a DocumentFragment
 */
export function render(markdown, level = 3) {
  const fragment = DOMPurify.sanitize(marked.parse(markdown, { async: false, gfm: true, breaks: true }), allowed);
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
  }
  moveHeadings(fragment, level);
  // Wide tables and code scroll by keyboard too.
  for (const wide of fragment.querySelectorAll('pre, table')) wide.tabIndex = 0;
  return fragment;
}

function moveHeadings(fragment, level) {
  const headings = [...fragment.querySelectorAll('h1, h2, h3, h4, h5, h6')];
  const highest = Math.min(...headings.map(heading => Number(heading.tagName[1])));
  for (const heading of headings) {
    const moved = document.createElement(`h${Math.min(6, Number(heading.tagName[1]) - highest + level)}`);
    moved.append(...heading.childNodes);
    heading.replaceWith(moved);
  }
}
