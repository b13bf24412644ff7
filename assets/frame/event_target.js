// Typed access to the target of an event.

/**
 * Returns the element that an event was dispatched on, or null if it was the document or the window.
 *
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
export const targetOf = ({ target }) => (target instanceof Element ? /** @type {HTMLElement} */ (target) : null);

/**
 * Returns the target of an event, or its closest ancestor, that matches a selector; null if none does.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = (event, selector) => targetOf(event)?.closest(selector) ?? null;
