// The element that an event happened on; null where it happened on the document or the window.

/**
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
export const targetOf = ({ target }) => (target instanceof Element ? /** @type {HTMLElement} */ (target) : null);

/**
 * The element around the one that an event happened on, or itself.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = (event, selector) => targetOf(event)?.closest(selector) ?? null;
