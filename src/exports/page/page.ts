/** A website of one's own that runs what was trained, in the browser of whoever visits it. */
import type { Export } from '../export';
import { formOf } from './form';
import type { PageForm } from './manifest';

const CONTENTS: Record<PageForm, string> = {
  chat: 'a chat',
  texts: 'a form that classifies texts',
  words: 'a form that labels words',
  answers: 'a form that scores answers',
};

export const pageExport: Export<'page'> = {
  id: 'page',
  group: 'page',
  holdsSystemPrompt: (exported) => formOf(exported) === 'chat',
  label: () => 'Website',
  action: () => 'Export website',
  forWhom: 'any static host: GitHub Pages, a Hugging Face Space, your own server',
  contents(exported) {
    const form = formOf(exported);
    return `**A website** in one zip: ${CONTENTS[form ?? 'chat']} with your title and examples, the model, and the part of Tabtune that runs it in each visitor’s browser. No server; it works offline after the first visit.`;
  },
  refusal: (exported) =>
    formOf(exported)
      ? null
      : 'This model fills gaps in texts and neither writes nor classifies, so a page would have nothing to ask it. Train a classifier with it, or export the adapter.',
  fileName: (name) => `${name}-page.zip`,
  writer: async () => (await import('./write')).writePage,
};
