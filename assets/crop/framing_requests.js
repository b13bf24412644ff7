// The requests of the crop preview for the shown clip: its saved crops and its picture analysis. They are delayed, so that clips that are
// only skimmed past cause none.

const OPEN_MS = 150; // between two requests for saved crops
const LOOK_MS = 400; // before the analysis is requested without a click

export class FramingRequests {
  #clip = "";
  #asked = ""; // the clip whose saved crops were last requested, and when
  #lastAsked = 0;
  #asking = 0;
  #looking = 0;
  #lookedFor = "";
  #dispatch;
  #isLooked;

  /**
   * @param {(type: "FramingOpened" | "LookWanted", detail: {clip: string}) => void} dispatch
   * @param {() => boolean} isLooked returns whether the analysis of the shown clip is known
   */
  constructor(dispatch, isLooked) {
    this.#dispatch = dispatch;
    this.#isLooked = isLooked;
  }

  /** @param {string} clip */
  show(clip) {
    this.#clip = clip;
    this.#lookedFor = "";
  }

  // The server has lost its state: the next request is sent again.
  forget() {
    this.#asked = "";
  }

  requestSaved() {
    const clip = this.#clip;
    if (!clip || clip === this.#asked) return;
    this.#asked = clip;
    clearTimeout(this.#asking);
    const ask = () => {
      this.#lastAsked = Date.now();
      this.#dispatch("FramingOpened", { clip });
    };
    this.#asking = setTimeout(ask, Math.min(OPEN_MS, Math.max(0, this.#lastAsked + OPEN_MS - Date.now())));
  }

  // Requests the analysis: at once after a click, otherwise once for each clip, after LOOK_MS.
  requestLook({ atOnce = false } = {}) {
    const clip = this.#clip;
    if (this.#lookedFor === clip && !atOnce) return;
    this.#lookedFor = clip;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => this.#look(clip), atOnce ? 0 : LOOK_MS);
  }

  /** @param {string} clip */
  #look(clip) {
    if (clip === this.#clip && !this.#isLooked()) this.#dispatch("LookWanted", { clip });
  }

  close() {
    clearTimeout(this.#asking);
    clearTimeout(this.#looking);
    this.#clip = this.#asked = "";
  }
}
