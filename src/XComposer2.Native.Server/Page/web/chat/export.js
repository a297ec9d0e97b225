// A conversation as a file.
import { t } from '../language.js';
import { dataUrl } from '../pictures/picture-files.js';

/** Markdown with the pictures embedded, named at the end so that the text stays readable. */
export async function toMarkdown(conversation, pictureOf) {
  const lines = [`# ${conversation.title || t('untitled')}`, ''], links = new Map();
  for (const message of conversation.messages) {
    lines.push(`**${t(message.role === 'user' ? 'you' : 'model')}**`, '');
    for (const id of message.pictures ?? []) {
      const picture = await pictureOf(id);
      if (!picture) continue;
      if (!links.has(id)) links.set(id, { name: `picture-${links.size + 1}`, url: await dataUrl(picture) });
      lines.push(`![${picture.name.replace(/[[\]\\]/g, ' ')}][${links.get(id).name}]`, '');
    }
    if (message.text) lines.push(message.text, '');
  }
  for (const { name, url } of links.values()) lines.push(`[${name}]: ${url}`);
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Everything that is kept of a conversation, pictures as data URLs. */
export async function toJson(conversation, pictureOf) {
  const pictures = {};
  for (const id of new Set(conversation.messages.flatMap(message => message.pictures ?? []))) {
    const picture = await pictureOf(id);
    if (picture) pictures[id] = { name: picture.name, width: picture.width, height: picture.height, url: await dataUrl(picture) };
  }
  return JSON.stringify({ format: 'xc2-conversation', version: 1, ...conversation, pictures }, null, 2);
}

/** Hands a file to the user. */
export function download(name, blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A file name from a title. */
export const fileName = (title, extension) => `${title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 60) || 'xcomposer2'}.${extension}`;
