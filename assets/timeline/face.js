// What a timeline consists of: the canvas with its picture under the mouse, the bar below, and the form for a title.

import { HEIGHT } from "./drawing.js";
import { THUMB } from "./thumb.js";

export const FACE = `
  <div class="timeline-face"><canvas tabindex="0" role="slider" aria-label="Playhead" aria-keyshortcuts="+ - 0 Shift+ArrowLeft Shift+ArrowRight" height="${HEIGHT}"></canvas>
    ${THUMB}</div>
  <div class="timeline-bar">
    <button type="button" data-do="in" title="In point at the playhead (I)">In</button>
    <button type="button" data-do="out" title="Out point at the playhead (O)">Out</button>
    <span class="timeline-words tabular" role="status"></span>
    <button type="button" data-do="edit" title="Change the range and title of the shown clip">Edit</button>
    <button type="button" data-do="closer" aria-label="Closer" title="Closer (+ on the timeline)">+</button>
    <button type="button" data-do="wider" aria-label="Wider" title="Wider (− on the timeline; 0 shows all, Shift and arrows pan)">−</button>
  </div>
  <form class="timeline-form" hidden>
    <input name="title" maxlength="300" placeholder="Title" aria-label="Title of the clip" autocomplete="off">
    <button type="submit" class="timeline-save">Save clip</button>
    <button type="button" data-do="remove">Remove</button>
    <button type="button" data-do="cancel">Cancel</button>
  </form>`;
