/** A few lines instead of a framework: the page is small, and so is what it has to load. */

type Child = Node | string | null | false;

type Properties<T> = Partial<Omit<T, 'style' | 'dataset' | 'children' | 'attributes'>> & {
  /** Attributes, aria-* among them. */
  attributes?: Record<string, string>;
};

/** An element with properties and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { attributes = {}, ...properties }: Properties<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== false));
  return made;
}

const PATHS = {
  send: 'M12 19V5M5 12l7-7 7 7',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  fresh: 'M12 5v14M5 12h14',
  about: 'M12 11v5M12 8h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
} as const;

/** A drawing beside words, or in a button that has a name of its own. */
export function icon(name: keyof typeof PATHS): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** A text field that grows with what is written; Enter sends, Shift and Enter begin a line. */
export function growingField(label: string, placeholder: string, onEnter: () => void): HTMLTextAreaElement {
  const field = element('textarea', {
    rows: 1,
    placeholder,
    autocapitalize: 'sentences',
    attributes: { 'aria-label': label },
  });
  if (!CSS.supports('field-sizing', 'content')) {
    field.addEventListener('input', () => {
      field.style.height = 'auto';
      field.style.height = `${field.scrollHeight}px`;
    });
  }
  field.addEventListener('keydown', (event) => {
    // Enter also ends the composing of a letter, in Japanese for example.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onEnter();
  });
  return field;
}
