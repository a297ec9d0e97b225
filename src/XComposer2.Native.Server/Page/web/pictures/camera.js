// Takes a picture with the camera.
import { byId, h } from '../dom.js';
import { t } from '../language.js';

/** Whether the browser lets this page use a camera: over https, and on this machine. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** Opens the camera; @returns a File, or null if none was taken. */
export async function takePicture() {
  const dialog = byId('camera-dialog');
  const video = h('video', { playsinline: true, muted: true, tLabel: 'camera' });
  const note = h('p', { class: 'note', role: 'status', t: 'cameraStarts' });
  const shoot = h('button', { type: 'button', class: 'primary', t: 'takePicture', disabled: true });
  const cancel = h('button', { type: 'button', t: 'cancel', on: { click: () => dialog.close() } });
  dialog.replaceChildren(h('h2', { id: 'camera-title', t: 'camera' }), video, note, h('div', { class: 'actions' }, cancel, shoot));
  dialog.showModal();
  let stream = null, isOpen = true;
  return new Promise(resolve => {
    let file = null;
    dialog.addEventListener('close', () => {
      isOpen = false;
      stream?.getTracks().forEach(track => track.stop());
      resolve(file);
    }, { once: true });
    shoot.addEventListener('click', async () => {
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      canvas.getContext('2d').drawImage(video, 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
      file = new File([blob], `camera-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.jpg`, { type: 'image/jpeg' });
      dialog.close();
    });
    begin().catch(() => { note.textContent = t('cameraRefused'); });
  });

  async function begin() {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1920 }, height: { ideal: 1440 } } });
    if (!isOpen) return stream.getTracks().forEach(track => track.stop());
    video.srcObject = stream;
    await video.play();
    note.hidden = true;
    shoot.disabled = false;
    shoot.focus();
  }
}
