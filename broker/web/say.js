// What the page has to say, at its foot, and a button that may help.
const said = document.getElementById('said');

export const say = (text, button = '') => said.replaceChildren(text, button);
