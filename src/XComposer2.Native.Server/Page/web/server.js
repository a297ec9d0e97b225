// All requests to the server. Each failure is a ServerError, whose `code` errors.js puts into words.
import { settings } from './settings.js';
import { readEvents } from './event-stream.js';

export class ServerError extends Error {
  /** @param code the server's, or one of: unreachable, interrupted, invalid_api_key, busy, not_ready */
  constructor(code, message = '', details = {}) {
    super(message);
    this.code = code;
    this.status = details.status ?? 0;
    this.retryAfter = details.retryAfter ?? null;
  }
}

/** Sends a request with the key; relative to the page, so that a proxy may serve it below a path. */
export async function request(path, { method = 'GET', body, signal } = {}) {
  const headers = {};
  if (settings.key) headers.Authorization = `Bearer ${settings.key}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new ServerError('unreachable', failure.message);
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

/** What the server is: model, device, limits, defaults. */
export const properties = async () => (await request('props')).json();

/** "ready", "loading", or "gone". */
export async function health() {
  try {
    const response = await fetch('health', { cache: 'no-store' });
    return response.ok ? 'ready' : 'loading';
  } catch {
    return 'gone';
  }
}

/**
 * Streams an answer.
 * @param body of /v1/chat/completions, without "stream"
 * @param onText called with each piece of text
 * @returns { finish, usage, timings }
 */
export async function chat(body, { signal, onText }) {
  const response = await request('v1/chat/completions', { method: 'POST', signal, body: { ...body, stream: true, stream_options: { include_usage: true } } });
  const end = { finish: null, usage: null, timings: null };
  for await (const { data } of readEvents(response, signal)) {
    if (data === '[DONE]') return end;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ServerError(chunk.error.code ?? 'server_error', chunk.error.message);
    const choice = chunk.choices[0];
    if (choice?.delta?.content) onText(choice.delta.content);
    if (choice?.finish_reason) end.finish = choice.finish_reason;
    if (chunk.timings) end.timings = chunk.timings;
    if (chunk.usage) end.usage = chunk.usage;
  }
  throw new ServerError('interrupted');
}

async function errorOf(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // A proxy in between may answer with a page.
  }
  const own = { 401: 'invalid_api_key', 413: 'request_too_large', 429: 'busy', 503: 'not_ready', 504: 'timeout' }[response.status];
  const seconds = Number(response.headers.get('Retry-After'));
  return new ServerError(own ?? error.code ?? 'refused', error.message ?? response.statusText, { status: response.status, retryAfter: seconds > 0 ? seconds : null });
}
