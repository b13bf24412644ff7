// What people type into: a key that is pressed there is a letter, and nothing else.

export const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";
