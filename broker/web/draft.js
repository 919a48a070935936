// What somebody has typed, chosen and unfolded in the cards' forms. It outlives the cards, which are made anew; and the page,
// where the way to a new sign-in leads away from it, or the old one has ended meanwhile: then it waits in this tab, for the
// same person.
const KEPT = 'jit.draft';

const isTouched = (form) =>
	[...form.querySelectorAll('input')].some((input) => (input.type === 'checkbox' ? input.checked : input.value !== '')) ||
	[...form.querySelectorAll('option:checked')].some((option) => !option.defaultSelected);

export function typed(main) {
	const drafts = [];
	for (const form of main.querySelectorAll('article form')) {
		const isUnfolded = form.querySelector('details')?.open ?? false;
		if (isUnfolded || isTouched(form)) drafts.push({ card: form.closest('article').id, fields: [...new FormData(form)], isUnfolded });
	}
	return drafts;
}

export function retype(drafts) {
	for (const { card, fields, isUnfolded } of drafts) {
		const form = document.getElementById(card)?.querySelector('form');
		for (const [name, value] of form ? fields : []) {
			const field = form.elements[name];
			const option = [...(field?.options ?? [])].find((o) => o.value === value);
			if (option) option.selected = true;
			else if (field?.type === 'checkbox') field.checked = true;
			else if (field?.tagName === 'INPUT') field.value = value;
		}
		form?.querySelector('details')?.toggleAttribute('open', isUnfolded);
	}
}

export function keep(drafts, person) {
	if (drafts.length > 0) sessionStorage.setItem(KEPT, JSON.stringify({ person, drafts }));
}

// What was kept of that person, once.
export function take(person) {
	const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
	sessionStorage.removeItem(KEPT);
	return kept?.person === person ? kept.drafts : [];
}
