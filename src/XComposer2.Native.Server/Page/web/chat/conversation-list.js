// The sidebar: conversations of this browser, with rename, export and delete.
import { byId, h, iconButton } from '../dom.js';
import { t } from '../language.js';
import { ask } from '../ask.js';

export class ConversationList {
  /** @param actions { select, rename, remove, exportAs } */
  constructor(actions) {
    this.actions = actions;
    this.list = byId('conversation-list');
  }

  draw(conversations, current) {
    this.list.replaceChildren(...conversations.map(conversation => this.item(conversation, conversation === current)));
  }

  item(conversation, isCurrent) {
    const title = conversation.title || t('untitled');
    return h('li', { class: isCurrent ? 'current' : '' },
      h('button', { type: 'button', class: 'open', 'aria-current': isCurrent ? 'true' : null, title, on: { click: () => this.actions.select(conversation) } }, title),
      h('span', { class: 'tools' },
        iconButton('edit', 'rename', () => this.rename(conversation)),
        iconButton('export', 'export', () => this.export(conversation)),
        iconButton('trash', 'delete', () => this.remove(conversation))));
  }

  async rename(conversation) {
    const answer = await ask({ title: 'rename', input: { label: 'title', value: conversation.title }, choices: [{ t: 'save', value: 'save', primary: true }] });
    if (answer?.choice === 'save' && answer.input.trim()) this.actions.rename(conversation, answer.input.trim());
  }

  async export(conversation) {
    const answer = await ask({ title: 'export', text: 'exportHow', choices: [{ t: 'markdown', value: 'md' }, { t: 'json', value: 'json' }, { t: 'print', value: 'print' }] });
    if (answer) this.actions.exportAs(conversation, answer.choice);
  }

  async remove(conversation) {
    const answer = await ask({ title: 'deleteTitle', text: 'deleteText', choices: [{ t: 'delete', value: 'delete', danger: true }] });
    if (answer) this.actions.remove(conversation);
  }
}
