// Writes the library's search text to the address while it is typed, as ?q=….
//
// A script, since the address must be correct at every key press, before the server receives it.

import { writeToAddress } from "../frame/address.js";

document.addEventListener("input", ({ target }) => {
  const name = target instanceof HTMLInputElement && target.dataset.address;
  if (name) writeToAddress({ [name]: target.value });
});
