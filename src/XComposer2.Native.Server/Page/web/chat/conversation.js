// A conversation as data, without elements: { id, title, created, changed, messages }.
// A message: { id, role: "user" or "assistant", text, pictures: [ids], end, error, stats }. `end` of an answer: null while it is written, then "stop", "length",
// "stopped" (by the user), "interrupted" (the connection) or "failed" (nothing came).
import { newId } from '../store.js';

const titleLength = 60;

export function newConversation() {
  const now = Date.now();
  return { id: newId(), title: '', created: now, changed: now, messages: [] };
}

export const question = (text, pictures) => ({ id: newId(), role: 'user', text, pictures });

export const emptyAnswer = () => ({ id: newId(), role: 'assistant', text: '', end: null, error: null, stats: null });

/** The title that a conversation has until it gets another one. */
export function titleOf(text) {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= titleLength ? line : `${line.slice(0, titleLength - 1).trimEnd()}…`;
}

/** The messages before this one. */
export function before(conversation, message) {
  return conversation.messages.slice(0, conversation.messages.indexOf(message));
}

/**
 * The body of a request for an answer.
 * @param messages up to the question; a last answer is continued
 * @param urlOf gives the data URL of a picture's id
 */
export async function requestBody(messages, settings, urlOf) {
  const turns = [];
  if (settings.system.trim()) turns.push({ role: 'system', content: settings.system.trim() });
  for (const { role, text, pictures = [] } of messages) {
    if (role === 'assistant') {
      // An answer that failed before its first word is not part of the conversation.
      if (text) turns.push({ role, content: text });
      continue;
    }
    const content = [];
    for (const id of pictures) content.push({ type: 'image_url', image_url: { url: await urlOf(id) } });
    content.push({ type: 'text', text });
    turns.push({ role, content });
  }
  const body = { model: 'default', messages: turns };
  if (messages.at(-1)?.role === 'assistant') body.continue_final_message = true;
  if (settings.temperature !== null) body.temperature = settings.temperature;
  if (settings.topP !== null) body.top_p = settings.topP;
  if (settings.maxTokens !== null) body.max_tokens = settings.maxTokens;
  return body;
}

/** Pictures that the boxes of an answer can lie on: those of the latest question before it that has some. */
export function shownBefore(conversation, answer) {
  return before(conversation, answer).findLast(message => message.pictures?.length)?.pictures ?? [];
}
