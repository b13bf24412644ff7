// Playback in browsers that forbid sound until the first interaction with the page.

export class Sound {
  #mutedHere = false;

  /**
   * Plays the video; muted if the browser allows nothing else, and with sound again once it does.
   *
   * @param {HTMLVideoElement} video
   */
  async play(video) {
    if (this.#mutedHere && navigator.userActivation?.hasBeenActive) {
      video.muted = this.#mutedHere = false;
    }
    try {
      await video.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NotAllowedError" || video.muted) return;
      video.muted = this.#mutedHere = true;
      video.play().catch(() => {});
    }
  }
}
