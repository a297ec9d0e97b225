// Reads server-sent events of a response: yields { event, data }. Comments, which keep the connection alive, are skipped.
import { ServerError } from './server.js';

export async function* readEvents(response, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += value;
      const blocks = pending.split('\n\n');
      pending = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event.data) yield event;
      }
    }
  } catch (failure) {
    if (signal?.aborted || failure instanceof ServerError || failure instanceof SyntaxError) throw failure;
    throw new ServerError('interrupted', failure.message);
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  const event = { event: 'message', data: '' };
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) event.event = line.slice(6).trim();
    else if (line.startsWith('data:')) event.data += (event.data && '\n') + line.slice(line[5] === ' ' ? 6 : 5);
  }
  return event;
}
