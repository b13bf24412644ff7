// Writes the choices of a page to its address.

/**
 * Sets query parameters without adding a history entry.
 *
 * @param {Record<string, string>} changes values by name; "" removes a parameter
 */
export function writeToAddress(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(history.state, "", url);
}
