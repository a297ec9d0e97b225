// Conversations and their pictures in this browser (IndexedDB).
const opened = open();

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('xc2', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('conversations', { keyPath: 'id' });
      request.result.createObjectStore('pictures', { keyPath: 'id' });
      request.result.createObjectStore('drafts', { keyPath: 'id' });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(store, mode, action) {
  const database = await opened;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = action(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** All conversations, the one changed last first. */
export async function conversations() {
  const all = await run('conversations', 'readonly', store => store.getAll());
  return all.sort((left, right) => right.changed - left.changed);
}

export const saveConversation = conversation => run('conversations', 'readwrite', store => store.put(conversation));

/** Deletes a conversation, and the pictures that no other one shows. */
export async function deleteConversation(conversation) {
  await run('conversations', 'readwrite', store => store.delete(conversation.id));
  const kept = new Set((await conversations()).flatMap(picturesOf));
  for (const id of picturesOf(conversation)) if (!kept.has(id)) await run('pictures', 'readwrite', store => store.delete(id));
}

export const picturesOf = conversation => conversation.messages.flatMap(message => message.pictures ?? []);

/** A picture: { id, name, type, width, height, blob }. */
export const savePicture = picture => run('pictures', 'readwrite', store => store.put(picture));
export const picture = id => run('pictures', 'readonly', store => store.get(id));

/** Something unfinished of a view, by its name. */
export const saveDraft = draft => run('drafts', 'readwrite', store => store.put(draft));
export const draft = id => run('drafts', 'readonly', store => store.get(id));
