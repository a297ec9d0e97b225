// The Chat tab: conversations, questions and answers.
import { byId, h } from '../dom.js';
import { t } from '../language.js';
import * as store from '../store.js';
import { dataUrl } from '../pictures/picture-files.js';
import { writeAnswer } from './answering.js';
import { ConversationList } from './conversation-list.js';
import { QuestionBox } from './question-box.js';
import { before, emptyAnswer, newConversation, question, shownBefore, titleOf } from './conversation.js';
import { drawText, messageItem } from './message-view.js';
import { download, fileName, toJson, toMarkdown } from './export.js';
import { Scroll } from './scroll.js';
import { showSidebar } from '../sidebar.js';

export class Chat {
  /** @param host { limits(), askKey(), reconnect() } */
  constructor(host) {
    this.host = host;
    this.all = [];
    this.current = newConversation();
    this.running = new Map();
    this.editing = null;
    this.pictures = new Map();
    this.messages = byId('messages');
    this.scroll = new Scroll(byId('scroll'), this.messages, byId('jump'));
    this.list = new ConversationList({
      select: conversation => this.select(conversation),
      rename: (conversation, title) => this.rename(conversation, title),
      remove: conversation => this.remove(conversation),
      exportAs: (conversation, format) => this.exportAs(conversation, format),
    });
    this.box = new QuestionBox({
      send: (text, pictures) => this.send(text, pictures),
      stop: () => this.running.get(this.current.id)?.abort(),
      limits: host.limits,
      announce: text => this.announce(text),
      editLast: () => { const last = this.current.messages.findLast(message => message.role === 'user'); if (last) this.edit(last); },
    });
    byId('new-chat').addEventListener('click', () => this.select(newConversation()));
    byId('starters').replaceChildren(...['starter1', 'starter2', 'starter3'].map(key =>
      h('button', { type: 'button', t: key, on: { click: () => this.box.set(t(key), this.box.tray.pictures) } })));
  }

  /** Reads what this browser keeps, and shows the conversation that the address names. */
  async start() {
    try {
      this.all = await store.conversations();
    } catch {
      this.box.say(t('notKept'));
    }
    // An answer that was being written when the page was closed.
    for (const message of this.all.flatMap(conversation => conversation.messages)) if (message.end === null) message.end = message.text ? 'interrupted' : 'failed';
    const named = this.all.find(conversation => conversation.id === location.hash.slice(1));
    await this.select(named ?? newConversation());
  }

  async select(conversation) {
    if (this.editing) this.endEditing();
    this.current = conversation;
    history.replaceState(null, '', conversation.messages.length ? `#${conversation.id}` : location.pathname + location.search);
    await this.loadPictures(conversation);
    if (this.current !== conversation) return;
    this.draw();
    this.scroll.toEnd();
    showSidebar(false);
    if (matchMedia('(pointer: fine)').matches) byId('question-text').focus();
  }

  /** Draws everything anew, after a change of language too. */
  draw() {
    const { current } = this;
    this.list.draw(this.all, current);
    byId('welcome').hidden = current.messages.length > 0;
    this.messages.replaceChildren(...(this.editing ? before(current, this.editing) : current.messages).map(message => this.item(message)));
    this.box.setRunning(this.running.has(current.id));
  }

  async send(text, pictures) {
    const conversation = this.current;
    if (this.editing) {
      conversation.messages = before(conversation, this.editing);
      this.editing = null;
    }
    for (const picture of pictures) {
      this.pictures.set(picture.id, picture);
      await this.keep(store.savePicture(picture));
    }
    if (!this.all.includes(conversation)) {
      conversation.title = titleOf(text);
      this.all.unshift(conversation);
    }
    conversation.messages.push(question(text, pictures.map(picture => picture.id)));
    await this.answer(conversation, emptyAnswer());
  }

  regenerate(message) {
    const conversation = this.current;
    conversation.messages.splice(conversation.messages.indexOf(message));
    return this.answer(conversation, emptyAnswer());
  }

  continue(message) {
    const conversation = this.current;
    conversation.messages.splice(conversation.messages.indexOf(message));
    return this.answer(conversation, message);
  }

  /** Takes a question back into the box, with its pictures. What follows it is hidden, and removed when the question is sent. */
  edit(message) {
    this.running.get(this.current.id)?.abort();
    this.editing = message;
    this.draw();
    this.box.set(message.text, this.picturesOf(message));
    this.box.say(t('editing'), { t: 'cancel', run: () => { this.endEditing(); this.draw(); this.scroll.toEnd(); } });
  }

  endEditing() {
    this.editing = null;
    this.box.set('', []);
    this.box.say(null);
  }

  async answer(conversation, message) {
    const previous = [...conversation.messages], controller = new AbortController();
    message.end = null;
    conversation.messages.push(message);
    this.running.set(conversation.id, controller);
    await this.touch(conversation);
    this.show(conversation);
    this.scroll.toEnd();
    this.announce(t('writing'));
    let isDue = false;
    const failure = await writeAnswer(message, previous, {
      urlOf: async id => dataUrl(await this.pictureOf(id)),
      signal: controller.signal,
      onText: () => {
        if (isDue) return;
        isDue = true;
        requestAnimationFrame(() => { isDue = false; if (message.end === null) this.drawStreaming(message); });
      },
    });
    if (this.running.get(conversation.id) === controller) this.running.delete(conversation.id);
    await this.touch(conversation);
    this.show(conversation);
    if (failure?.code === 'invalid_api_key') this.host.askKey();
    if (['unreachable', 'interrupted', 'not_ready'].includes(failure?.code)) this.host.reconnect();
    this.announce(message.error ?? t('answerIs', { text: message.text.slice(0, 2000) }));
  }

  drawStreaming(message) {
    const item = this.messages.querySelector(`[data-id="${message.id}"]`);
    if (!item) return;
    drawText(item, message);
    this.scroll.follow();
  }

  show(conversation) {
    if (conversation !== this.current) return;
    if (location.hash.slice(1) !== conversation.id) history.replaceState(null, '', `#${conversation.id}`);
    this.draw();
    this.scroll.follow();
  }

  item(message) {
    const { current } = this;
    return messageItem(message, {
      pictures: this.picturesOf(message),
      shown: message.role === 'assistant' ? shownBefore(current, message).map(id => this.pictures.get(id)).filter(Boolean) : [],
      isLast: message === current.messages.at(-1),
      actions: {
        copy: (copied, button) => this.copy(copied, button),
        edit: edited => this.edit(edited),
        regenerate: again => this.regenerate(again),
        continue: continued => this.continue(continued),
      },
    });
  }

  async copy(message, button) {
    await navigator.clipboard.writeText(message.text);
    button.classList.add('done');
    this.announce(t('copied'));
    setTimeout(() => button.classList.remove('done'), 1500);
  }

  async rename(conversation, title) {
    conversation.title = title;
    await this.keep(store.saveConversation(conversation));
    this.draw();
  }

  async remove(conversation) {
    this.running.get(conversation.id)?.abort();
    this.all = this.all.filter(other => other !== conversation);
    await this.keep(store.deleteConversation(conversation));
    if (conversation === this.current) await this.select(newConversation());
    else this.draw();
  }

  async exportAs(conversation, format) {
    await this.loadPictures(conversation);
    if (format === 'print') {
      await this.select(conversation);
      requestAnimationFrame(() => window.print());
      return;
    }
    const [text, type] = format === 'md'
      ? [await toMarkdown(conversation, id => this.pictureOf(id)), 'text/markdown']
      : [await toJson(conversation, id => this.pictureOf(id)), 'application/json'];
    download(fileName(conversation.title, format), new Blob([text], { type }));
  }

  picturesOf = message => (message.pictures ?? []).map(id => this.pictures.get(id)).filter(Boolean);

  async pictureOf(id) {
    if (!this.pictures.has(id)) this.pictures.set(id, await store.picture(id));
    return this.pictures.get(id);
  }

  async loadPictures(conversation) {
    for (const id of store.picturesOf(conversation)) await this.pictureOf(id).catch(() => {});
  }

  async touch(conversation) {
    if (!this.all.includes(conversation)) return;
    conversation.changed = Date.now();
    this.all = [conversation, ...this.all.filter(other => other !== conversation)];
    await this.keep(store.saveConversation(conversation));
  }

  // A full disk or a private window: the conversation goes on, and the page says that it is not kept.
  async keep(saved) {
    try {
      await saved;
    } catch {
      this.box.say(t('notKept'));
    }
  }

  announce(text) {
    byId('announcer').textContent = text;
  }
}
