// Elements made in one expression: element('p', {class: 'dim'}, 'text', …). Texts are set as texts, never as HTML.
export function element(name, attributes = {}, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
		else if (value === true) node.setAttribute(key, '');
		else if (value !== false && value !== undefined && value !== null) node.setAttribute(key, value);
	}
	node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
	return node;
}
