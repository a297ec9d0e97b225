// The page of xc2 serve. Begin here: this file connects the parts; each of them says in its first line what it does.
import { byId, setLabel } from './dom.js';
import { setLanguage, t } from './language.js';
import { applyTheme, change, isDark, onChange, settings } from './settings.js';
import { openSettings } from './settings-dialog.js';
import { ServerError, health, properties } from './server.js';
import { setImageSize } from './pictures/picture-dialog.js';
import { Chat } from './chat/chat.js';
import { Compose } from './compose/compose.js';
import { Tabs } from './tabs.js';
import { connectSidebar } from './sidebar.js';

const limits = { bytes: 32 << 20, pixels: 64 << 20, pictures: 16 };
let composition = { available: false, source: null, max_figures: 60, max_pictures: 10, default_figures: 6 };
let retry = 0;
let shown = ['loading', null];
let defaults = { temperature: 1, top_p: 0.8, max_tokens: 1024 };

applyTheme();
setLanguage(settings.language);
const host = { limits: () => limits, facts: () => composition, askKey: () => openSettings(defaults, 'key'), reconnect: () => connect() };
const chat = new Chat(host), compose = new Compose(host);
const tabs = new Tabs([{ name: 'chat', skip: 'question-text', shown: () => {} }, { name: 'compose', skip: 'article-scroll', shown: () => compose.start() }]);

byId('open-settings').addEventListener('click', () => openSettings(defaults));
byId('theme').addEventListener('click', () => change({ theme: isDark() ? 'light' : 'dark' }));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showThemeIcon);
connectSidebar();
onChange(changes => {
  if ('theme' in changes) {
    applyTheme();
    showThemeIcon();
  }
  if ('language' in changes) {
    setLanguage(settings.language);
    chat.draw();
    compose.draw();
    showModel();
  }
  if ('key' in changes) connect();
});
showThemeIcon();
await chat.start();
await connect();
document.documentElement.dataset.ready = 'true';

function showThemeIcon() {
  byId('theme').querySelector('use').setAttribute('href', isDark() ? '#i-sun' : '#i-moon');
  setLabel(byId('theme'), isDark() ? 'switchToLight' : 'switchToDark');
}

/** Learns what the server is; while it loads or is gone, asks again. */
async function connect() {
  clearTimeout(retry);
  try {
    const found = await properties();
    defaults = found.default_generation_settings;
    limits.bytes = found.max_body_bytes ? Math.floor(found.max_body_bytes * 0.7) : limits.bytes;
    limits.pixels = found.max_image_pixels ?? limits.pixels;
    limits.pictures = found.max_images ?? limits.pictures;
    setImageSize(found.image_size);
    // Without a folder for articles there is nothing to compose with.
    composition = found.compose ?? composition;
    tabs.enable(composition.available);
    if (shown[0] === 'locked') chat.box.say(null);
    showModel('ready', found);
  } catch (failure) {
    if (!(failure instanceof ServerError)) throw failure;
    if (failure.code === 'invalid_api_key') {
      showModel('locked');
      chat.box.say(t('error.invalid_api_key'), { t: 'enterKey', run: () => openSettings(defaults, 'key') });
      return;
    }
    showModel(await health() === 'gone' ? 'gone' : 'loading');
    retry = setTimeout(connect, 2000);
  }
}

function showModel(state = shown[0], found = shown[1]) {
  shown = [state, found];
  const place = byId('model');
  place.dataset.state = state;
  place.textContent = state === 'ready' ? found.model.split(',')[0] : t(`server.${state}`);
  place.title = state === 'ready' ? `${found.model}\n${found.device}` : '';
}
