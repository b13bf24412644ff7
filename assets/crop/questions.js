// What the crop preview asks the server of the shown clip: what is saved, and what is to be seen in the picture; not for every clip that is
// only skimmed past.

const OPEN_MS = 150; // between two clips that are only skimmed past
const LOOK_MS = 400;

export class Questions {
  #clip = "";
  #asked = ""; // the clip that was last asked about, and when
  #lastAsked = 0;
  #asking = 0;
  #looking = 0;
  #lookedFor = "";
  #tell;
  #isLooked;

  /**
   * @param {(type: "FramingOpened" | "LookWanted", detail: {clip: string}) => void} tell
   * @param {() => boolean} isLooked whether it is known what is to be seen in the shown clip
   */
  constructor(tell, isLooked) {
    this.#tell = tell;
    this.#isLooked = isLooked;
  }

  /** @param {string} clip */
  turnTo(clip) {
    this.#clip = clip;
    this.#lookedFor = "";
  }

  // The server knows nothing of what was asked.
  forget() {
    this.#asked = "";
  }

  askWhatIsSaved() {
    const clip = this.#clip;
    if (!clip || clip === this.#asked) return;
    this.#asked = clip;
    clearTimeout(this.#asking);
    const ask = () => {
      this.#lastAsked = Date.now();
      this.#tell("FramingOpened", { clip });
    };
    this.#asking = setTimeout(ask, Math.min(OPEN_MS, Math.max(0, this.#lastAsked + OPEN_MS - Date.now())));
  }

  // At once where a person asks for it; else once for each clip, after a while.
  wantLook({ atOnce = false } = {}) {
    const clip = this.#clip;
    if (this.#lookedFor === clip && !atOnce) return;
    this.#lookedFor = clip;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => this.#look(clip), atOnce ? 0 : LOOK_MS);
  }

  /** @param {string} clip */
  #look(clip) {
    if (clip === this.#clip && !this.#isLooked()) this.#tell("LookWanted", { clip });
  }

  close() {
    clearTimeout(this.#asking);
    clearTimeout(this.#looking);
    this.#clip = this.#asked = "";
  }
}
