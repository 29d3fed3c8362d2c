import { PLAIN_CHAT_TEMPLATE } from '../../../src/base/plain-chat-template';
import { ChatTemplate, templateSource } from '../../../src/data/chat-template';
import { encodeDataset } from '../../../src/data/encode-dataset';
import type { ObjectiveData, TextOptions } from '../../../src/data/objective-data';
import { renderExample } from '../../../src/data/render';
import { renderAnswers } from '../../../src/data/render-answers';
import { finishDataset } from '../../../src/data/tokenize';
import { TextTokenizer } from '../../../src/data/tokenizer';
import type { TokenizerFiles } from '../../../src/data/tokenizer-files';
import type { Example, ParsedDataset, TokenizedDataset } from '../../../src/data/types';
import type { DatasetSection } from '../../../src/recipe/sections';
import { section } from './helpers';

/** A model's tokeniser, and how its texts are written. Plain text has the separator of TRL's own columns: none. */
export function modelOf(files: TokenizerFiles, changes: Partial<TextOptions> = {}) {
  const tokenizer = new TextTokenizer(files);
  const source = templateSource(files.chatTemplate, files.tokenizerConfig);
  const options: TextOptions = {
    template: source === null ? null : new ChatTemplate(source, tokenizer.special),
    plainTemplate: new ChatTemplate(PLAIN_CHAT_TEMPLATE, tokenizer.special),
    eosToken: tokenizer.special.eos_token ?? null,
    separator: '',
    endTokens: tokenizer.eosTokenIds.map((id) => tokenizer.showToken(id)),
    systemFallback: 'first_question',
    templatedText: 'ask',
    render: renderExample,
    renderAnswers,
    ...changes,
  };
  return { tokenizer, options };
}

type Model = ReturnType<typeof modelOf>;

export const datasetOf = (examples: Example[]): ParsedDataset => ({
  name: 'pairs.jsonl',
  fileType: 'jsonl',
  format: 'messages',
  detected: '',
  columns: [],
  mapping: {},
  uses: [],
  examples,
  problems: [],
  totalRows: examples.length,
  leftOut: 0,
});

/** Examples as they are trained on, and what was said about them. */
export function prepared(
  { tokenizer, options }: Model,
  objective: ObjectiveData,
  examples: Example[],
  changes: Partial<DatasetSection> = {},
  contextLength = 100_000,
): TokenizedDataset {
  const encoded = encodeDataset(datasetOf(examples), objective, options, tokenizer);
  return finishDataset(encoded, section({ shuffle: false, ...changes }), objective, contextLength, 1);
}
