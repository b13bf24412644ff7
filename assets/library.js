// What is typed into the library's search stands in the address at once, as ?q=…, without a step in the history.

document.addEventListener("input", ({ target }) => {
  const name = target.dataset?.address;
  if (!name) return;
  const here = new URL(location.href);
  if (target.value) here.searchParams.set(name, target.value);
  else here.searchParams.delete(name);
  history.replaceState(history.state, "", here);
});

// A known tag that is clicked stands among those in the field beside it.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-adds-tag]");
  const field = button?.closest("form")?.elements.tags;
  if (!field) return;
  const tags = field.value.split(",").map((tag) => tag.trim());
  field.value = [...new Set([...tags, button.dataset.addsTag])].filter(Boolean).join(", ");
  field.focus();
});
