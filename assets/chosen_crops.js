// What is known of the clips' crops, and the decisions that the server has not answered yet: they show at once, and are taken back where
// it refuses, or does not answer in time.

const ANSWER_MS = 10_000;

export class ChosenCrops {
  #known = new Map(); // clip id → {saved: {ratio: [x, y]}, look, looking, problem}
  #sent = []; // decisions without an answer: {clip, ratio, before, timer}
  #answers = 0;
  #lost = ""; // the clip and ratio whose last decision was not kept
  #onLost;

  constructor(onLost) {
    this.#onLost = onLost;
  }

  // undefined as long as the server has not said anything of the clip.
  of(clip) {
    return this.#known.get(clip);
  }

  // centre: {x, y}, or null for none.
  decide(clip, ratio, centre) {
    const known = this.#known.get(clip) ?? { saved: {} };
    const sent = { clip, ratio, before: known.saved[ratio] };
    sent.timer = setTimeout(() => this.#takeBack(sent), ANSWER_MS);
    this.#sent.push(sent);
    this.#lost = "";
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: centre ? [centre.x, centre.y] : undefined } });
  }

  // view: FramingView of clipviewer/state/framing_rows.py. Its saved crops count as soon as every decision on the clip is in them.
  accept(view) {
    const answers = view.answers ?? 0;
    const answered = answers >= this.#answers ? answers - this.#answers : this.#sent.length;
    this.#answers = answers;
    for (const sent of this.#sent.splice(0, answered)) {
      clearTimeout(sent.timer);
      if (view.refused) this.#lost = `${sent.clip} ${sent.ratio}`;
    }
    if (!view.clip_id) return;
    const underWay = this.#sent.some((sent) => sent.clip === view.clip_id);
    this.#known.set(view.clip_id, { ...view, saved: underWay ? this.#known.get(view.clip_id).saved : view.saved });
  }

  isUnderWay(clip, ratio) {
    return this.#sent.some((sent) => sent.clip === clip && sent.ratio === ratio);
  }

  isLost(clip, ratio) {
    return this.#lost === `${clip} ${ratio}`;
  }

  close() {
    for (const sent of this.#sent.splice(0)) clearTimeout(sent.timer);
  }

  #takeBack({ clip, ratio, before }) {
    const known = this.#known.get(clip);
    this.close();
    this.#lost = `${clip} ${ratio}`;
    this.#known.set(clip, { ...known, saved: { ...known.saved, [ratio]: before } });
    this.#onLost();
  }
}
