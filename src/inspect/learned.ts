/** An example as pieces of text, each with whether it is learned: as tokens of a model, or as read from the file. */

import { writtenLabel } from '../data/example-kinds';
import { type PreferencePart, preferenceParts, shownTurns } from '../data/preference-parts';
import type { Example } from '../data/types';
import type { AnyObjective, ObjectiveSection } from '../objectives';

export interface Piece {
  /** Where it is from: a role, or a part of the example. Left out in a rendered text. */
  part?: string;
  text: string;
  trained: boolean;
  /** Letters that are not shown. */
  more?: number;
}

/** Enough to judge an example by. A row may have megabytes, and a conversation thousands of turns. */
const SHOWN_LETTERS = 2000;
const SHOWN_SPANS = 40;

function shortened<P extends { text: string }>(piece: P): P & { more?: number } {
  const more = piece.text.length - SHOWN_LETTERS;
  return more <= 0 ? piece : { ...piece, text: piece.text.slice(0, SHOWN_LETTERS).toWellFormed(), more };
}

export function shownSpans<P extends { text: string }>(spans: readonly P[]) {
  const shown = spans.slice(0, SHOWN_SPANS).map(shortened);
  return shown.length === spans.length ? shown : [...shown, { more_spans: spans.length - shown.length }];
}

/**
 * Without a model. The tokens that a chat template writes around messages are not known yet, and those of an answer's end are
 * learned with it.
 */
export function piecesOf(example: Example, descriptor: AnyObjective, section: ObjectiveSection): Piece[] {
  const all = descriptor.learns === 'text' || ('assistant_only_loss' in section && !section.assistant_only_loss);
  const labels = descriptor.learns === 'labels';
  const piece = (part: string, text: string, answer: boolean): Piece => ({
    part,
    text,
    trained: all || (answer && !labels),
  });
  // What learns from text alone does not see the labels beside it.
  const withLabels = (text: Piece, part: string, written: string): Piece[] =>
    descriptor.learns === 'text' ? [text] : [text, { part, text: written, trained: true }];
  switch (example.kind) {
    case 'messages':
      return example.messages.flatMap(({ role, content, train, thoughts }) => {
        const answer = role === 'assistant' && train !== false;
        return [...(thoughts ? [piece('thoughts', thoughts, answer)] : []), piece(role, content, answer)];
      });
    case 'prompt_completion':
      return [piece('prompt', example.prompt, false), piece('completion', example.completion, true)];
    case 'text':
      return [piece('text', example.text, true)];
    case 'labelled':
      return withLabels(piece('text', example.text, false), 'label', writtenLabel(example));
    case 'tagged':
      return withLabels(piece('tokens', example.tokens.join(' '), false), 'tags', example.tags.join(' '));
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferencePieces(example, [descriptor.data(section).needs?.kind ?? []].flat());
  }
  example satisfies never;
}

/**
 * `learned`: the kinds of example that the objective learns from. Where prompts alone will do, the model answers them itself; where
 * conversations will do, answers are imitated, bad ones aside; otherwise all answers of an example are learned from.
 */
function preferencePieces(
  example: Extract<Example, { kind: 'pair' | 'judged' | 'prompt' }>,
  learned: readonly Example['kind'][],
): Piece[] {
  const answers = !learned.includes('prompt');
  const imitated = learned.includes('messages');
  const skipped = (part: PreferencePart) =>
    part === 'rejected' || (part === 'completion' && example.kind === 'judged' && !example.good);
  const pieces: Piece[] = preferenceParts(example).map(({ part, turns }) => ({
    part,
    text: shownTurns(turns),
    trained: answers && part !== 'prompt' && !(imitated && skipped(part)),
  }));
  if (example.kind === 'judged') pieces.push({ part: 'label', text: String(example.good), trained: false });
  if (example.kind === 'prompt')
    pieces.push({ part: 'columns', text: JSON.stringify(example.columns), trained: false });
  return pieces;
}
