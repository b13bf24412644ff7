// Which keys mean the page, and not what somebody types.

const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/**
 * Whether a key is held that makes another one of this; Shift makes only another letter.
 *
 * @param {KeyboardEvent} event
 */
export const hasModifier = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

/**
 * Whether a key is one of the page's: nobody has taken it, and it was not typed into a field.
 *
 * @param {KeyboardEvent} event
 */
export function isForPage(event) {
  if (event.defaultPrevented || hasModifier(event)) return false;
  return !(event.target instanceof Element && event.target.closest(TYPED_INTO));
}
