// The HTML of a timeline: the canvas with its hover picture, the bar below it, and the form for a title.

import { HEIGHT } from "./drawing.js";
import { THUMB_TEMPLATE } from "./thumb.js";

export const TEMPLATE = `
  <div class="timeline-face"><canvas tabindex="0" role="slider" aria-label="Playhead" aria-keyshortcuts="+ - 0 Shift+ArrowLeft Shift+ArrowRight" height="${HEIGHT}"></canvas>
    ${THUMB_TEMPLATE}</div>
  <div class="timeline-bar">
    <button type="button" data-do="in" title="Set the in point at the playhead (I)">In</button>
    <button type="button" data-do="out" title="Set the out point at the playhead (O)">Out</button>
    <span class="timeline-words tabular" role="status"></span>
    <button type="button" data-do="edit" title="Change the range and title of the shown clip">Edit</button>
    <button type="button" data-do="closer" aria-label="Zoom in" title="Zoom in (+ on the timeline)">+</button>
    <button type="button" data-do="wider" aria-label="Zoom out" title="Zoom out (− on the timeline; 0 shows all, Shift and the arrow keys pan)">−</button>
  </div>
  <form class="timeline-form" hidden>
    <input name="title" maxlength="300" placeholder="Title" aria-label="Title of the clip" autocomplete="off">
    <button type="submit" class="timeline-save">Save clip</button>
    <button type="button" data-do="remove">Remove</button>
    <button type="button" data-do="cancel">Cancel</button>
  </form>`;
