/** A model's tokeniser with its chat template, ready to write and to read texts. */
import { TabtuneError } from '../base/errors';
import { PLAIN_CHAT_TEMPLATE } from '../base/plain-chat-template';
import { tokenizerJson } from '../formats/gguf-tokenizer';
import type { DatasetSection } from '../recipe/sections';
import { ChatTemplate, FAULTY_TEMPLATE, templateSource } from './chat-template';
import type { TextOptions } from './objective-data';
import { renderExample } from './render';
import { renderAnswers } from './render-answers';
import { TextTokenizer } from './tokenizer';
import type { TokenizerSource } from './tokenizer-files';

export interface OpenTokenizer {
  tokenizer: TextTokenizer;
  /** The model's own template; null if it has none. */
  template: ChatTemplate | null;
  plainTemplate: ChatTemplate;
  stopTokenIds: number[];
  /** The special token that the template writes behind an answer; null if there is none. */
  endOfTurnId: number | null;
  endTokens: string[];
}

/** Throws bad_model for files that cannot be used. */
export function openTokenizer(given: TokenizerSource): OpenTokenizer {
  const { tokenizerJson: tokens } = given;
  const files = { ...given, tokenizerJson: typeof tokens === 'string' ? tokens : tokenizerJson(tokens) };
  const tokenizer = new TextTokenizer(files);
  const source = templateSource(files.chatTemplate, files.tokenizerConfig);
  const template = source === null ? null : new ChatTemplate(source, tokenizer.special);
  const endOfTurnId = template ? findEndOfTurn(template, tokenizer) : null;
  const stopTokenIds = [...new Set([...tokenizer.eosTokenIds, ...(endOfTurnId === null ? [] : [endOfTurnId])])];
  return {
    tokenizer,
    template,
    plainTemplate: new ChatTemplate(PLAIN_CHAT_TEMPLATE, tokenizer.special),
    stopTokenIds,
    endOfTurnId,
    endTokens: stopTokenIds.map((id) => tokenizer.showToken(id)),
  };
}

/**
 * The special token that the template writes after an answer, such as <|im_end|>; null if there is none. Throws
 * bad_model for a template that exceeds its limits, so that its model is not opened.
 */
function findEndOfTurn(template: ChatTemplate, tokenizer: TextTokenizer): number | null {
  // A word that no template contains.
  const probe = 'Zxqvanswer';
  let text: string;
  try {
    text = template.render(
      [
        { role: 'user', content: 'Zxqvquestion' },
        { role: 'assistant', content: probe },
      ],
      false,
    );
  } catch (error) {
    if (error instanceof TabtuneError && error.where === FAULTY_TEMPLATE) throw error;
    // The template rejects even this. Rows that it rejects are reported individually.
    return null;
  }
  const at = text.lastIndexOf(probe);
  if (at === -1) return null;
  const { ids } = tokenizer.encode(text.slice(at + probe.length), false);
  return ids.find((id) => tokenizer.isSpecial(id)) ?? null;
}

/** The fields of a dataset that decide how its rows are written for a model. */
export type WritingSection = Pick<DatasetSection, 'system_fallback' | 'templated_text'>;

/** Whatever is in a text is used as it is. */
export const AS_IT_IS: WritingSection = { system_fallback: 'first_question', templated_text: 'as_is' };

export function textOptions(opened: OpenTokenizer, separator: string, section: WritingSection): TextOptions {
  const { tokenizer, template, plainTemplate, endTokens } = opened;
  // A recipe from an older version may not have these fields.
  const { system_fallback: systemFallback = 'first_question', templated_text: templatedText = 'ask' } = section;
  const eosToken = tokenizer.special.eos_token ?? null;
  return {
    template,
    plainTemplate,
    eosToken,
    separator,
    endTokens,
    systemFallback,
    templatedText,
    render: renderExample,
    renderAnswers,
  };
}
