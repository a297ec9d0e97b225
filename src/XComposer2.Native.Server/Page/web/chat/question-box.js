// The box that a question is written in: text, pictures by drop, paste, camera and files, send and stop.
import { byId, h, iconButton } from '../dom.js';
import { t } from '../language.js';
import { PictureError, filesOf, readPicture } from '../pictures/picture-files.js';
import { Tray } from '../pictures/tray.js';
import { hasCamera, takePicture } from '../pictures/camera.js';

export class QuestionBox {
  /** @param actions { send(text, pictures), stop(), limits(), announce(text), editLast() } */
  constructor(actions) {
    this.actions = actions;
    this.text = byId('question-text');
    this.tray = new Tray(byId('tray'), { changed: () => this.refresh(), announce: actions.announce });
    this.isRunning = false;
    this.connect();
    this.refresh();
  }

  /** Fills the box. */
  set(text, pictures) {
    this.text.value = text;
    this.tray.set(pictures);
    this.grow();
    this.text.focus();
  }

  setRunning(isRunning) {
    const hadFocus = [byId('send'), byId('stop')].includes(document.activeElement);
    this.isRunning = isRunning;
    this.refresh();
    if (hadFocus) this.text.focus();
  }

  /** Says what went wrong, until the next attempt; null says nothing. */
  say(message, action) {
    const banner = byId('banner');
    banner.hidden = !message;
    banner.replaceChildren(...message ? [h('span', {}, message), action && h('button', { type: 'button', class: 'small', t: action.t, on: { click: action.run } }), iconButton('close', 'close', () => this.say(null))].filter(Boolean) : []);
  }

  /** Adds files that are pictures, and says which are not. */
  async addFiles(files) {
    this.say(null);
    const limits = this.actions.limits(), added = [];
    for (const file of files) {
      try {
        if (this.tray.pictures.length + added.length >= limits.pictures) throw new PictureError('tooMany', file.name, { limit: limits.pictures });
        added.push(await readPicture(file, limits));
      } catch (failure) {
        if (!(failure instanceof PictureError)) throw failure;
        this.say(t(`picture.${failure.code}`, failure.values));
      }
    }
    if (added.length === 0) return;
    this.tray.add(added);
    this.actions.announce(t('added', { count: added.length }));
    this.text.focus();
  }

  connect() {
    byId('question').addEventListener('submit', event => {
      event.preventDefault();
      this.submit();
    });
    byId('stop').addEventListener('click', () => this.actions.stop());
    this.text.addEventListener('input', () => { this.grow(); this.refresh(); });
    this.text.addEventListener('keydown', event => {
      // While an input method composes, Enter chooses a word.
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      } else if (event.key === 'ArrowUp' && this.text.value === '' && this.tray.pictures.length === 0) {
        this.actions.editLast();
      }
    });
    document.addEventListener('keydown', event => { if (event.key === 'Escape' && this.isRunning && !byId('view-chat').hidden && !document.querySelector('dialog[open]')) this.actions.stop(); });
    byId('add-pictures').addEventListener('click', () => byId('files').click());
    byId('files').addEventListener('change', async event => {
      const files = [...event.target.files];
      event.target.value = '';
      await this.addFiles(files);
    });
    byId('open-camera').hidden = !hasCamera();
    byId('open-camera').addEventListener('click', async () => {
      const file = await takePicture();
      if (file) await this.addFiles([file]);
    });
    document.addEventListener('paste', event => {
      const files = filesOf(event.clipboardData);
      if (files.length === 0 || byId('view-chat').hidden || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      this.addFiles(files);
    });
    this.connectDrop(byId('view-chat'), byId('drop'));
  }

  connectDrop(area, veil) {
    let depth = 0;
    const isFiles = event => event.dataTransfer.types.includes('Files');
    area.addEventListener('dragenter', event => { if (isFiles(event)) { depth++; veil.hidden = false; } });
    area.addEventListener('dragleave', event => { if (isFiles(event) && --depth <= 0) { depth = 0; veil.hidden = true; } });
    area.addEventListener('dragover', event => { if (isFiles(event)) event.preventDefault(); });
    area.addEventListener('drop', event => {
      depth = 0;
      veil.hidden = true;
      if (!isFiles(event)) return;
      event.preventDefault();
      this.addFiles(filesOf(event.dataTransfer));
    });
  }

  submit() {
    const text = this.text.value.trim();
    if (this.isRunning || (text === '' && this.tray.pictures.length === 0)) return;
    this.say(null);
    // A picture alone is a question, too.
    this.actions.send(text || t('describe'), this.tray.pictures);
    this.text.value = '';
    this.tray.set([]);
    this.grow();
  }

  grow() {
    this.text.style.height = 'auto';
    this.text.style.height = `${Math.min(this.text.scrollHeight, 220)}px`;
  }

  refresh() {
    byId('send').hidden = this.isRunning;
    byId('stop').hidden = !this.isRunning;
    byId('send').disabled = this.text.value.trim() === '' && this.tray.pictures.length === 0;
  }
}
