// The buffered ranges of a <video>, and holding its last picture.

/**
 * Returns whether the video has buffered `ahead` seconds from `time` on, or everything to its end.
 *
 * @param {HTMLVideoElement} video
 * @param {number} time seconds
 * @param {number} [ahead] seconds
 */
export function isBuffered(video, time, ahead = 0) {
  const end = Math.min(time + ahead, (video.duration || Infinity) - 0.3);
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= time + 0.1 && video.buffered.end(i) >= end) return true;
  }
  return false;
}

/** @param {HTMLVideoElement} video */
export const isWhollyBuffered = (video) => video.duration > 0 && isBuffered(video, 0, video.duration);

/**
 * Keeps the last picture on the screen, below the controls, while the element loads another source.
 *
 * @param {HTMLVideoElement} video
 */
export function holdFrame(video) {
  if (!video.videoWidth || video.readyState < 2) return;
  const canvas = document.createElement("canvas");
  canvas.className = "clip-player-hold";
  canvas.slot = "gestures-chrome";
  canvas.toggleAttribute("noautohide", true);
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  video.parentElement?.append(canvas);
  const drop = () => canvas.remove();
  for (const type of ["seeked", "playing"]) video.addEventListener(type, drop, { once: true });
  setTimeout(drop, 1_500);
}
