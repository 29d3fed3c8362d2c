/**
 * Ollama's TEMPLATE: a program of Go's text/template. It is given the messages, of which Ollama has joined those that follow each other
 * in one role, and all system prompts in one.
 */
import type { Boundaries } from './boundaries';

/** What Go prints as it is (strconv.IsPrint): Ollama's parser drops every other character, except in lines' ends. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/u;

/** Text for Go to write as it stands. */
export function goText(text: string): string {
  if (text === '') return '';
  const plain = !UNPRINTABLE.test(text) && !/\{\{|\{$|"""/.test(text);
  return plain ? text : `{{ ${goString(text)} }}`;
}

/** A string literal of Go's, on one line and in printable characters. */
export function goString(text: string): string {
  const escaped = [...text].map((character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    if (character === '\n') return '\\n';
    if (!UNPRINTABLE.test(character)) return character;
    const code = character.codePointAt(0)!;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

/** For a model that chats. */
export function chatTemplate({ start, system, answer, question, prompt }: Boundaries): string {
  return [
    `{{ if .System }}${goText(system.before)}{{ .System }}${goText(system.behind)}{{ else }}${goText(start)}{{ end }}`,
    `{{ range .Messages }}{{ if eq .Role "user" }}{{ .Content }}`,
    `{{ else if eq .Role "assistant" }}${goText(answer)}{{ .Content }}${goText(question)}{{ end }}{{ end }}`,
    goText(prompt),
  ].join('');
}

/** For a model that was never shown conversations: it goes on with the question as it is. */
export const COMPLETION_TEMPLATE =
  '{{ if .System }}{{ .System }}\n\n{{ end }}{{ .Prompt }}{{ .Response }}{{ if .Response }}\n\n{{ end }}';
