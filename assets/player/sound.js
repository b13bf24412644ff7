// Playing where the browser forbids sound until somebody has touched the page.

export class Sound {
  #silenced = false;

  /**
   * Plays; in silence where the browser allows nothing else, and with sound again as soon as it does.
   *
   * @param {HTMLVideoElement} video
   */
  async play(video) {
    if (this.#silenced && navigator.userActivation?.hasBeenActive) {
      video.muted = this.#silenced = false;
    }
    try {
      await video.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NotAllowedError" || video.muted) return;
      video.muted = this.#silenced = true;
      video.play().catch(() => {});
    }
  }
}
