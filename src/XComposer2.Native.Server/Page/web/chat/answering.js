// Gets one answer from the server and writes it into its message. What came before a failure is kept.
import { chat } from '../server.js';
import { settings } from '../settings.js';
import { explain } from '../errors.js';
import { requestBody } from './conversation.js';

/**
 * @param message the answer; with a text already, the text is continued
 * @param previous the messages before it
 * @param options { urlOf, signal, onText }
 */
export async function writeAnswer(message, previous, { urlOf, signal, onText }) {
  const began = performance.now();
  let first = null;
  Object.assign(message, { end: null, error: null, stats: null });
  try {
    const body = await requestBody(message.text ? [...previous, message] : previous, settings, urlOf);
    const { finish, timings } = await chat(body, {
      signal,
      onText(text) {
        first ??= performance.now() - began;
        message.text += text;
        onText();
      },
    });
    message.end = finish ?? 'stop';
    message.stats = timings && { tokens: timings.predicted_n, perSecond: timings.predicted_per_second, firstMs: first };
  } catch (failure) {
    if (signal.aborted) {
      message.end = 'stopped';
      return null;
    }
    message.error = explain(failure);
    message.end = message.text ? 'interrupted' : 'failed';
    return failure;
  }
  return null;
}
