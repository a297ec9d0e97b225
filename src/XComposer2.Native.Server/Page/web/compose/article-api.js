// Composition over HTTP; COMPOSE-API.md of the server is the contract.
import { ServerError, request } from '../server.js';
import { readEvents } from '../event-stream.js';

const root = 'v1/xc2';

export const listArticles = async () => (await (await request(`${root}/articles`)).json()).data;
export const readArticle = async id => (await request(`${root}/articles/${id}`)).json();
export const deleteArticle = id => request(`${root}/articles/${id}`, { method: 'DELETE' });
export const suggestOutline = async (body, signal) => (await request(`${root}/outline`, { method: 'POST', body, signal })).json();

/** Writes a new article; `handlers` as in `follow`. */
export const compose = (body, handlers) => follow(`${root}/compose`, body, handlers);
export const resume = (id, handlers) => follow(`${root}/articles/${id}/resume`, {}, handlers);
export const edit = (id, body, handlers) => follow(`${root}/articles/${id}/edit`, body, handlers);

/** A file of the article: article.zip, article.html, article.docx or article.md. */
export const exported = async (id, file) => (await request(`${root}/articles/${id}/export/${file}`)).blob();

const blobs = new Map();

/** The address of a picture for <img>. It is fetched, since a key may be required. */
export function pictureAddress(url) {
  if (!blobs.has(url)) {
    const address = request(url.replace(/^\//, '')).then(response => response.blob()).then(blob => URL.createObjectURL(blob));
    address.catch(() => blobs.delete(url));
    blobs.set(url, address);
  }
  return blobs.get(url);
}

// Sends a request and tells its handlers what happens: onStep(step), onText(text), onArticle(article).
// Returns the data of the last event: { article, changes }.
async function follow(path, body, { signal, onStep, onText, onArticle }) {
  const response = await request(path, { method: 'POST', signal, body: { ...body, stream: true } });
  for await (const { event, data } of readEvents(response, signal)) {
    const value = JSON.parse(data);
    if (event === 'step') onStep(value);
    else if (event === 'text') onText(value.text);
    else if (event === 'article') onArticle(value);
    else if (event === 'done') return value;
    else if (value.error) throw new ServerError(value.error.code ?? 'server_error', value.error.message);
  }
  throw new ServerError('interrupted');
}
