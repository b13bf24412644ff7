// What is typed into the library's search stands in the address at once, as ?q=….
//
// A script, since the address must be right with every letter, before the server has heard of it.

import { writeToAddress } from "../frame/address.js";

document.addEventListener("input", ({ target }) => {
  const name = target instanceof HTMLInputElement && target.dataset.address;
  if (name) writeToAddress({ [name]: target.value });
});
