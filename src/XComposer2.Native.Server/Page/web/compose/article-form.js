// The form of a new article: title, material, pictures, and an outline to confirm before anything is written.
import { h, icon, iconButton } from '../dom.js';
import { t } from '../language.js';
import { PictureError, dataUrl, filesOf, readPicture } from '../pictures/picture-files.js';
import { Tray } from '../pictures/tray.js';
import { suggestOutline } from './article-api.js';

export class ArticleForm {
  /** @param host { limits(), facts() of composition, write(body), fail(error), announce(text) } */
  constructor(host) {
    this.host = host;
    this.title = h('input', { type: 'text', id: 'article-title', autocomplete: 'off', tPlaceholder: 'titleHint' });
    this.material = h('textarea', { id: 'article-material', rows: 4, tPlaceholder: 'materialHint' });
    this.figures = h('select', { id: 'article-figures' });
    this.outline = h('ol', { class: 'outline' });
    this.outlineField = h('div', { class: 'field', hidden: true });
    this.trayList = h('ul', { class: 'tray', tLabel: 'pictures', hidden: true });
    this.tray = new Tray(this.trayList, { announce: host.announce });
    this.files = h('input', { type: 'file', accept: 'image/*', multiple: true, hidden: true, tLabel: 'addPictures', on: { change: event => this.add([...event.target.files]) } });
    this.suggest = h('button', { type: 'button', t: 'suggestOutline', on: { click: () => this.askOutline() } });
    this.write = h('button', { type: 'submit', class: 'primary', t: 'writeArticle' });
    this.element = this.build();
  }

  build() {
    this.outlineField.append(
      h('div', { class: 'line' }, h('h3', { t: 'outline' }), h('button', { type: 'button', class: 'small', t: 'otherOutline', on: { click: () => this.askOutline() } })),
      h('p', { class: 'note', t: 'outlineNote' }), this.outline,
      h('button', { type: 'button', class: 'small add-point', on: { click: () => this.addPoint('', true) } }, icon('plus'), h('span', { t: 'addPoint' })));
    const drop = h('div', { class: 'field pictures-field' },
      h('h3', { t: 'yourPictures' }), h('p', { class: 'note', id: 'pictures-note' }), this.trayList,
      h('button', { type: 'button', class: 'small', on: { click: () => this.files.click() } }, icon('picture'), h('span', { t: 'addPictures' })), this.files);
    const form = h('form', { class: 'article-form' },
      h('h2', { t: 'newArticleTitle' }), h('p', { class: 'note lead-note', t: 'newArticleNote' }),
      h('div', { class: 'field' }, h('label', { for: 'article-title', t: 'title' }), this.title),
      h('div', { class: 'field' }, h('label', { for: 'article-material', t: 'material' }), this.material),
      drop,
      h('div', { class: 'field short' }, h('label', { for: 'article-figures', t: 'figures' }), this.figures),
      this.outlineField,
      h('div', { class: 'actions' }, this.suggest, this.write));
    form.addEventListener('submit', event => { event.preventDefault(); this.submit(); });
    form.addEventListener('dragover', event => { if (event.dataTransfer.types.includes('Files')) event.preventDefault(); });
    form.addEventListener('drop', event => { const files = filesOf(event.dataTransfer); if (files.length) { event.preventDefault(); this.add(files); } });
    document.addEventListener('paste', event => {
      const files = filesOf(event.clipboardData);
      if (files.length === 0 || !form.checkVisibility()) return;
      event.preventDefault();
      this.add(files);
    });
    return form;
  }

  /** Shows what the server can do; called whenever the form is shown. */
  draw() {
    const { max_figures: most, source } = this.host.facts();
    const chosen = this.figures.value || 'default';
    const options = [['default', t('figuresDefault')], ['auto', t('figuresAuto')], ...[0, 1, 2, 3, 4, 6, 8, 10].filter(count => count <= most).map(count => [String(count), count === 0 ? t('figuresNone') : String(count)])];
    this.figures.replaceChildren(...options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
    this.element.querySelector('#pictures-note').textContent = source ? t('picturesOrSource', { source }) : t('picturesOnly');
  }

  async add(files) {
    this.files.value = '';
    const most = this.host.facts().max_pictures;
    for (const file of files) {
      try {
        if (this.tray.pictures.length >= most) throw new PictureError('tooMany', file.name, { limit: most });
        this.tray.add([await readPicture(file, this.host.limits())]);
      } catch (failure) {
        if (!(failure instanceof PictureError)) throw failure;
        this.host.fail(t(`picture.${failure.code}`, failure.values));
      }
    }
  }

  async askOutline() {
    if (!this.requireTitle()) return;
    this.setBusy(true);
    this.host.announce(t('outlineComes'));
    try {
      const { points } = await suggestOutline({ title: this.title.value.trim(), material: this.texts() });
      this.outline.replaceChildren();
      points.forEach(point => this.addPoint(point, false));
      this.outlineField.hidden = false;
      this.outline.querySelector('input')?.focus();
    } catch (failure) {
      this.host.fail(failure);
    } finally {
      this.setBusy(false);
    }
  }

  addPoint(text, hasFocus) {
    const line = h('input', { type: 'text', value: text, tLabel: 'point' });
    const item = h('li', {}, line, iconButton('close', 'remove', () => { (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('input').focus(); item.remove(); }));
    line.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.addPoint('', true);
    });
    this.outline.append(item);
    if (hasFocus) line.focus();
  }

  async submit() {
    if (!this.requireTitle()) return;
    const body = { title: this.title.value.trim() };
    const points = [...this.outline.querySelectorAll('input')].map(line => line.value.trim()).filter(Boolean);
    if (points.length) body.outline = points;
    if (this.texts().length) body.material = this.texts();
    if (this.tray.pictures.length) body.pictures = await Promise.all(this.tray.pictures.map(async picture => ({ image: await dataUrl(picture), name: picture.name })));
    if (this.figures.value !== 'default') body.figures = this.figures.value === 'auto' ? 'auto' : Number(this.figures.value);
    if (await this.host.write(body)) this.clear();
  }

  clear() {
    this.title.value = this.material.value = '';
    this.outline.replaceChildren();
    this.outlineField.hidden = true;
    this.tray.set([]);
  }

  setBusy(isBusy) {
    this.suggest.disabled = this.write.disabled = isBusy;
    this.element.classList.toggle('busy', isBusy);
  }

  texts = () => [this.material.value.trim()].filter(Boolean);

  requireTitle() {
    if (this.title.value.trim()) return true;
    this.host.fail(t('titleRequired'));
    this.title.focus();
    return false;
  }
}
