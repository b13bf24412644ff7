// The frame over the player's picture. It shows what it is told, and says how a person moves it: by mouse, touch or arrow keys.

const TAP = 4; // CSS pixels that a finger may slip
const STEP = 0.01;
const WIDE_STEP = 0.05;
const KEYS = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1], Home: ["", -Infinity], End: ["", Infinity] };

const percent = (part, whole) => `${(part / whole) * 100}%`;

function element(className, ...children) {
  const made = document.createElement("div");
  made.className = className;
  made.append(...children);
  return made;
}

export class CropOverlay {
  #tell;
  #shown = null; // what show was given
  #drag = null; // {pointer, x, y, from, moved}
  #zones = element("crop-zones", element("crop-safe"));
  #box = element("crop-box", this.#zones);
  #picture = element("crop-picture", this.#box);
  #root = element("crop-overlay", this.#picture);

  // What it tells: move(x, y), the wanted centre; rest({soon}), that it is meant, soon where more may follow; drop(), that it is not; tap(),
  // a touch that moved nothing.
  constructor(tell) {
    this.#tell = tell;
    this.#root.slot = "gestures-chrome";
    this.#root.toggleAttribute("noautohide", true);
    this.#root.hidden = true;
    this.#zones.setAttribute("aria-hidden", "true");
    this.#box.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.#box.addEventListener("pointermove", (event) => this.#onMove(event));
    this.#box.addEventListener("pointerup", (event) => this.#onUp(event));
    this.#box.addEventListener("pointercancel", () => this.#backOut());
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#box.addEventListener("blur", () => this.#tell.rest());
  }

  attach(controller) {
    controller.append(this.#root);
  }

  remove() {
    this.#root.remove();
  }

  get dragging() {
    return this.#drag !== null;
  }

  // A drag that goes on would move another clip's frame.
  letGo() {
    this.#drag = null;
  }

  hide() {
    this.#shown = null;
    this.letGo();
    this.#root.hidden = true;
  }

  // shape: width / height of the picture as the player draws it; size: its {width, height} in pixels; content: the part between its bars;
  // rect: the crop in content; centre: {x, y}; axis: "x" or "y"; movable: whether this person may; zones: whether to draw the safe zones.
  show(shown) {
    const { shape, size, content, rect, centre, axis, movable, ratio, zones } = (this.#shown = shown);
    const box = this.#box;
    this.#root.style.setProperty("--picture-shape", String(shape));
    box.style.left = percent(content.x + rect.x, size.width);
    box.style.top = percent(content.y + rect.y, size.height);
    box.style.width = percent(rect.width, size.width);
    box.style.height = percent(rect.height, size.height);
    box.classList.toggle("movable", movable);
    box.setAttribute("role", movable ? "slider" : "img");
    const where = `${Math.round(centre[axis] * 100)} % ${axis === "x" ? "from the left" : "from the top"}`;
    box.setAttribute("aria-label", movable ? `Frame ${ratio}` : `Frame ${ratio}, ${where}`);
    const slider = {
      tabindex: "0",
      "aria-orientation": axis === "x" ? "horizontal" : "vertical",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": String(Math.round(centre[axis] * 100)),
      "aria-valuetext": where,
    };
    for (const [name, value] of Object.entries(slider)) {
      if (movable) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
    this.#zones.hidden = !zones;
    this.#root.hidden = false;
  }

  #onDown(event) {
    if (!this.#shown?.movable || event.button !== 0 || this.#drag) return;
    event.preventDefault(); // no text is selected, no picture dragged
    this.#box.focus({ preventScroll: true, focusVisible: false });
    this.#box.setPointerCapture(event.pointerId);
    this.#tell.rest();
    this.#drag = { pointer: event.pointerId, x: event.clientX, y: event.clientY, from: this.#shown.centre, moved: false };
  }

  #onMove(event) {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(right, down) >= TAP;
    if (!drag.moved) return;
    const { size, content } = this.#shown;
    const drawn = this.#picture.getBoundingClientRect();
    const [across, along] = [right / drawn.width, down / drawn.height];
    this.#tell.move(drag.from.x + (across * size.width) / content.width, drag.from.y + (along * size.height) / content.height);
  }

  #onUp(event) {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    this.#drag = null;
    if (drag.moved) this.#tell.rest();
    else this.#tell.tap();
  }

  #backOut() {
    const drag = this.#drag;
    this.#drag = null;
    if (drag?.moved) this.#tell.drop();
  }

  #onKey(event) {
    if (event.key === "Escape" && this.#drag) this.#backOut();
    const key = KEYS[event.key];
    if (!key || !this.#shown?.movable || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // the player's own arrows seek and set the sound
    const { axis, centre } = this.#shown;
    const [along, direction] = key;
    if (along && along !== axis) return;
    const step = Number.isFinite(direction) ? direction * (event.shiftKey ? WIDE_STEP : STEP) : direction;
    this.#tell.move(...["x", "y"].map((name) => (name === axis ? centre[name] + step : centre[name])));
    this.#tell.rest({ soon: true });
  }
}
