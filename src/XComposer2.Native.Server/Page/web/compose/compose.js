// The Compose tab: articles of the server, the form of a new one, and the article that is open.
import { byId, h, iconButton } from '../dom.js';
import { t } from '../language.js';
import { explain } from '../errors.js';
import { ask } from '../ask.js';
import { showSidebar } from '../sidebar.js';
import { download, fileName } from '../chat/export.js';
import { PictureError, dataUrl, readPicture } from '../pictures/picture-files.js';
import { render } from '../markdown.js';
import * as api from './article-api.js';
import { ArticleForm } from './article-form.js';
import { articleView } from './article-view.js';

export class Compose {
  /** @param host { limits(), facts() of composition, askKey() } */
  constructor(host) {
    this.host = host;
    this.articles = [];
    this.article = null;
    this.selected = null;
    this.openFigure = null;
    this.running = null;
    this.form = new ArticleForm({ limits: host.limits, facts: host.facts, write: body => this.write(body), fail: error => this.fail(error), announce: text => this.announce(text) });
    this.upload = h('input', { type: 'file', accept: 'image/*', hidden: true, tLabel: 'uploadPicture' });
    byId('article-place').append(this.upload);
    byId('new-article').addEventListener('click', () => { this.open(null); this.form.title.focus(); });
  }

  /** Called when the tab is shown. */
  async start() {
    this.draw();
    await this.refreshList();
  }

  async refreshList() {
    try {
      this.articles = await api.listArticles();
      this.drawList();
    } catch (failure) {
      this.fail(failure);
    }
  }

  async select(id) {
    try {
      this.open(await api.readArticle(id));
    } catch (failure) {
      this.fail(failure);
    }
  }

  open(article) {
    this.article = article;
    this.selected = this.openFigure = null;
    this.say(null);
    this.draw();
    byId('article-scroll').scrollTop = 0;
    showSidebar(false);
  }

  /** Writes a new article; @returns whether it exists now. */
  write(body) {
    this.article = null;
    return this.run(handlers => api.compose(body, handlers));
  }

  /** Changes the open article. @param selected the section that is selected afterwards */
  edit(body, selected = null) {
    this.selected = selected;
    if (!['choose-figure', 'find-figure', 'set-caption'].includes(body.op)) this.openFigure = null;
    return this.run(handlers => api.edit(this.article.id, body, handlers));
  }

  async run(action) {
    if (this.running) return false;
    const controller = new AbortController(), running = this.running = { controller, step: null, text: '' };
    this.say(null);
    this.draw();
    try {
      const { article, changes } = await action({
        signal: controller.signal,
        onStep: step => { running.step = step; running.text = ''; this.drawProgress(); this.announce(stepText(step)); },
        onText: text => { running.text += text; this.drawProgress(); },
        onArticle: article => { this.article = article; running.text = ''; this.draw(); },
      });
      this.article = article;
      this.announce(changes?.length ? changes.join('. ') : t('articleDone'));
    } catch (failure) {
      if (controller.signal.aborted) await this.reload();
      else this.fail(failure);
    } finally {
      this.running = null;
      this.draw();
      this.refreshList();
    }
    return this.article !== null;
  }

  // After a stop the server has what was complete.
  async reload() {
    if (!this.article) return;
    try {
      this.article = await api.readArticle(this.article.id);
    } catch {
      // The article as it was shown last stays.
    }
  }

  draw() {
    const { article, running } = this, isNew = !article && !running;
    byId('article-form').hidden = !isNew;
    byId('article-place').hidden = isNew;
    if (isNew) {
      byId('article-form').replaceChildren(this.form.element);
      this.form.draw();
    }
    this.drawList();
    byId('article-bar').replaceChildren(...this.bar());
    byId('article').replaceChildren(article ? articleView(article, { selected: this.selected, openFigure: this.openFigure, isBusy: Boolean(running) || article.status !== 'complete' }, {
      hasSource: Boolean(this.host.facts().source),
      select: number => { this.selected = number; this.openFigure = null; this.draw(); if (number) byId('article').querySelector('.section-panel button')?.focus(); },
      toggleFigure: number => { this.openFigure = this.openFigure === number ? null : number; this.selected = null; this.draw(); },
      edit: (body, selected) => this.edit(body, selected),
      upload: number => this.replaceFigure(number),
    }) : '');
    this.drawProgress();
  }

  bar() {
    const { article, running } = this;
    if (!article) return [];
    const isBusy = Boolean(running);
    return [
      h('button', { type: 'button', class: 'title', title: t('rename'), disabled: isBusy, on: { click: () => this.rename() } }, article.title || t('untitledArticle')),
      iconButton('undo', 'undo', () => this.edit({ op: 'undo' }), { disabled: isBusy || article.status !== 'complete' || article.current_change <= 0 }),
      iconButton('redo', 'redo', () => this.edit({ op: 'redo' }), { disabled: isBusy || article.status !== 'complete' || article.current_change >= article.changes.length - 1 }),
      h('button', { type: 'button', class: 'small', t: 'illustrate', disabled: isBusy || article.status !== 'complete' || !(this.host.facts().source || article.own_pictures.length), on: { click: () => this.edit({ op: 'illustrate' }) } }),
      article.status !== 'complete' && !running ? h('button', { type: 'button', class: 'small primary', t: 'resume', on: { click: () => this.run(handlers => api.resume(article.id, handlers)) } }) : '',
      iconButton('export', 'export', () => this.export(), { disabled: isBusy || article.sections.length === 0 }),
    ];
  }

  drawProgress() {
    const place = byId('article-progress'), { running } = this;
    place.hidden = !running;
    if (!running) return place.replaceChildren();
    const text = h('div', { class: 'text' });
    if (running.text) text.append(render(running.text));
    place.replaceChildren(
      h('p', { class: 'step' }, h('span', { class: 'waiting', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), h('span', {}, running.step ? stepText(running.step) : t('waiting')),
        h('button', { type: 'button', class: 'small', t: 'stop', on: { click: () => running.controller.abort() } })), text);
    text.scrollTop = text.scrollHeight;
  }

  drawList() {
    byId('article-list').replaceChildren(...this.articles.map(entry => {
      const isCurrent = entry.id === this.article?.id, title = entry.title || entry.instruction || t('untitledArticle');
      return h('li', { class: isCurrent ? 'current' : '' },
        h('button', { type: 'button', class: 'open', 'aria-current': isCurrent ? 'true' : null, title, disabled: Boolean(this.running), on: { click: () => this.select(entry.id) } }, title),
        h('span', { class: 'tools' }, iconButton('trash', 'delete', () => this.remove(entry), { disabled: Boolean(this.running) })));
    }));
  }

  async rename() {
    const answer = await ask({ title: 'rename', input: { label: 'title', value: this.article.title }, choices: [{ t: 'save', value: 'save', primary: true }] });
    if (answer) await this.edit({ op: 'set-title', title: answer.input.trim() });
  }

  async remove(entry) {
    if (!await ask({ title: 'deleteArticle', text: 'deleteArticleText', choices: [{ t: 'delete', value: 'delete', danger: true }] })) return;
    try {
      await api.deleteArticle(entry.id);
      if (this.article?.id === entry.id) this.open(null);
      await this.refreshList();
    } catch (failure) {
      this.fail(failure);
    }
  }

  replaceFigure(number) {
    this.upload.value = '';
    this.upload.onchange = async () => {
      try {
        const picture = await readPicture(this.upload.files[0], this.host.limits());
        await this.edit({ op: 'replace-figure', section: number, picture: { image: await dataUrl(picture), name: picture.name } });
      } catch (failure) {
        this.fail(failure instanceof PictureError ? t(`picture.${failure.code}`, failure.values) : failure);
      }
    };
    this.upload.click();
  }

  async export() {
    const files = { zip: 'article.zip', html: 'article.html', docx: 'article.docx' };
    const answer = await ask({ title: 'export', choices: [{ t: 'markdownZip', value: 'zip' }, { t: 'html', value: 'html' }, { t: 'docx', value: 'docx' }, { t: 'print', value: 'print' }] });
    if (!answer) return;
    if (answer.choice === 'print') {
      this.selected = this.openFigure = null;
      this.draw();
      requestAnimationFrame(() => window.print());
      return;
    }
    try {
      download(fileName(this.article.title, answer.choice), await api.exported(this.article.id, files[answer.choice]));
    } catch (failure) {
      this.fail(failure);
    }
  }

  /** Says what went wrong: a ServerError, or a text. */
  fail(error) {
    this.say(typeof error === 'string' ? error : explain(error));
    if (error.code === 'invalid_api_key') this.host.askKey();
  }

  say(message) {
    const banner = byId('article-banner');
    banner.hidden = !message;
    banner.replaceChildren(...message ? [h('span', {}, message), iconButton('close', 'close', () => this.say(null))] : []);
  }

  announce(text) {
    byId('article-announcer').textContent = text;
  }
}

const stepText = ({ step, number, total, subject }) => `${t(`step.${step}`)}${total > 1 ? ` ${number}/${total}` : ''}${subject ? `: ${subject}` : ''}`;
