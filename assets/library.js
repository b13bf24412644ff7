// What is typed into the library's search stands in the address at once, as ?q=…, without a step in the history.

document.addEventListener("input", ({ target }) => {
  const name = target.dataset?.address;
  if (!name) return;
  const here = new URL(location.href);
  if (target.value) here.searchParams.set(name, target.value);
  else here.searchParams.delete(name);
  history.replaceState(history.state, "", here);
});
