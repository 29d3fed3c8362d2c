/**
 * A prompt alone, with what opens its answer, and behind it each of several answers, as texts. Whoever learns from answers
 * tokenises the prompt and the whole separately and compares, as TRL does for preferences.
 *
 * As in instruction tuning, a model's chat template is used for plain strings too; TRL concatenates those even for chat models.
 */
import { asMessages, handlingOf, type RenderOptions, renderPrompt, stripped, templated, withEos } from './render';
import type { RenderNote } from './render-notes';
import { trimmed } from './template-messages';
import type { Turns } from './types';

export interface RenderedAnswers {
  prompt: string;
  /** The prompt with each answer, in their order. */
  wholes: string[];
  /** As in Rendered. */
  addSpecialTokens: boolean;
  notes: RenderNote[];
}

/** How answers are rendered: nothing is marked as learned here. */
export type AnswerRenderOptions = Omit<RenderOptions, 'assistantOnlyLoss'>;

/** Throws as renderExample does. */
export function renderAnswers(prompt: Turns, answers: readonly Turns[], given: AnswerRenderOptions): RenderedAnswers {
  const options: RenderOptions = { ...given, assistantOnlyLoss: false };
  const plain = options.template === null && [prompt, ...answers].every((turns) => typeof turns === 'string');
  return plain ? asText(prompt as string, answers as string[], options) : asConversation(prompt, answers, options);
}

/** As in TRL for plain strings: one text, EOS behind it. */
function asText(prompt: string, answers: readonly string[], { separator, eosToken }: RenderOptions): RenderedAnswers {
  const wholes = answers.map((answer) => prompt + separator + withEos(answer, eosToken));
  return { prompt, wholes, addSpecialTokens: true, notes: [] };
}

function asConversation(prompt: Turns, answers: readonly Turns[], options: RenderOptions): RenderedAnswers {
  const context = messagesOf(prompt, 'user');
  const replies = answers.map((answer) => messagesOf(answer, 'assistant'));
  // What is done with marks of a template is the same for all, or their prompts would differ.
  const handling = handlingOf([context, ...replies].flat(), options);
  const rendered = replies.map((reply, i) =>
    templated([...context, ...reply], options, () => [...textsOf(prompt), ...textsOf(answers[i]!)], handling),
  );
  const template = options.template ?? options.plainTemplate;
  const opening =
    handling === 'as_is'
      ? textsOf(prompt).join('')
      : renderPrompt(
          handling === 'strip' ? stripped(context, options.endTokens) : context,
          template,
          options.systemFallback,
        );
  return {
    prompt: opening,
    wholes: rendered.map(({ text }) => text),
    addSpecialTokens: handling === 'as_is' || options.template === null,
    notes: [...new Set(rendered.flatMap(({ notes }) => notes))],
  };
}

const textsOf = (turns: Turns) => (typeof turns === 'string' ? [turns] : turns.map(({ content }) => content));

const messagesOf = (turns: Turns, role: 'user' | 'assistant') =>
  asMessages(typeof turns === 'string' ? trimmed(turns) : turns, role);
