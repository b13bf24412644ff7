// Distinguishes page-wide keys from typing.

const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/**
 * Returns whether Alt, Ctrl or Meta is held. Shift does not count, since it only changes the character.
 *
 * @param {KeyboardEvent} event
 */
export const hasModifier = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

/**
 * Returns whether a key press is meant for the page: it was not handled yet, and not typed into a field.
 *
 * @param {KeyboardEvent} event
 */
export function isForPage(event) {
  if (event.defaultPrevented || hasModifier(event)) return false;
  return !(event.target instanceof Element && event.target.closest(TYPED_INTO));
}
