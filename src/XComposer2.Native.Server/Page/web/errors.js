// Failures in plain words.
import { t } from './language.js';

const known = new Set(['unreachable', 'interrupted', 'invalid_api_key', 'not_ready', 'request_too_large', 'image_too_large', 'too_many_images', 'invalid_image', 'context_length_exceeded', 'timeout',
  'article_not_found', 'article_busy', 'article_incomplete', 'compose_unavailable']);

export function explain(error) {
  if (error.code === 'busy') return error.retryAfter ? t('error.busySeconds', { seconds: error.retryAfter }) : t('error.busy');
  if (known.has(error.code)) return t(`error.${error.code}`);
  return t('error.other', { message: error.message || error.name });
}
