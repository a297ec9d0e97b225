// The tabs of the header: arrow keys move between them, as screen readers expect.
import { byId, setText } from './dom.js';
import { showSidebar } from './sidebar.js';

export class Tabs {
  /** @param views array of { name, skip: what a keyboard goes to first, shown() }, the first of which is shown at the beginning */
  constructor(views) {
    this.views = views;
    for (const [index, view] of views.entries()) {
      const tab = byId(`tab-${view.name}`);
      tab.addEventListener('click', () => this.show(view));
      tab.addEventListener('keydown', event => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const other = step && views[(index + step + views.length) % views.length];
        if (!other) return;
        this.show(other);
        byId(`tab-${other.name}`).focus();
      });
    }
  }

  /** Shows the tabs, or the first view alone. */
  enable(hasAll) {
    byId('tabs').hidden = !hasAll;
    if (!hasAll) this.show(this.views[0]);
  }

  show(view) {
    for (const other of this.views) {
      const isShown = other === view, tab = byId(`tab-${other.name}`);
      byId(`view-${other.name}`).hidden = !isShown;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
    }
    byId('skip').href = `#${view.skip}`;
    setText(byId('skip'), `skip.${view.name}`);
    showSidebar(false);
    view.shown();
  }
}
