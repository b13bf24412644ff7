// What is chosen on a page stands in its address at once, without a step in the history.

/** @param {Record<string, string>} changes values by name; "" takes one away */
export function writeToAddress(changes) {
  const here = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) here.searchParams.set(name, value);
    else here.searchParams.delete(name);
  }
  history.replaceState(history.state, "", here);
}
