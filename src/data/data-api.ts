/**
 * What the data worker serves: a tokenizer that stays open, the last parsed dataset, and its encoding, which is kept
 * until tokenizer, dataset or what is masked changes, so that moving the length limit or the split costs nothing.
 */
import { TabtuneError } from '../base/errors';
import { tokenizerJson } from '../formats/gguf-tokenizer';
import type { DatasetSection, ObjectiveSection } from '../recipe/types';
import { ChatTemplate, FAULTY_TEMPLATE, PLAIN_CHAT_TEMPLATE, templateSource } from './chat-template';
import { checkIds, type Encoded, encodeRendered } from './encode';
import { parseDataset } from './parse';
import { excerpt, ProblemList } from './problems';
import { type RenderOptions, renderExample, renderPrompt } from './render';
import { exampleKey } from './to-examples';
import { type DatasetInput, finishDataset } from './tokenize';
import { TextTokenizer } from './tokenizer';
import type { ChatMessage, Example, ParsedDataset } from './types';
import { viewEncoded } from './view-tokens';
import type { DataApi, TokenizerInfo, TokenizerSource } from './worker-api';

interface OpenTokenizer {
  tokenizer: TextTokenizer;
  /** The model's own; null when it has none. */
  template: ChatTemplate | null;
  plainTemplate: ChatTemplate;
  stopTokenIds: number[];
  endTokens: string[];
}

export function createDataApi(): DataApi {
  let open: OpenTokenizer | null = null;
  let parsed: ParsedDataset | null = null;
  let encoded: { key: string; input: DatasetInput } | null = null;
  /** Whether the data was last written with the plain template; then prompts are asked so too. */
  let plainChat = false;

  const needTokenizer = (): OpenTokenizer => {
    if (open) return open;
    throw new TabtuneError({ code: 'internal', message: 'No model is open yet.', action: 'Choose a model first.' });
  };
  const needDataset = (): ParsedDataset => {
    if (parsed) return parsed;
    throw new TabtuneError({ code: 'internal', message: 'No dataset is open yet.', action: 'Choose a dataset first.' });
  };

  return {
    openTokenizer(files) {
      open = openTokenizer(files);
      encoded = null;
      plainChat = false;
      const { tokenizer, template, stopTokenIds } = open;
      return {
        vocabSize: tokenizer.vocabSize,
        bosTokenId: tokenizer.bosTokenId,
        eosTokenId: tokenizer.eosTokenId,
        padTokenId: tokenizer.padTokenId,
        stopTokenIds,
        hasChatTemplate: template !== null,
      } satisfies TokenizerInfo;
    },

    parse(name, bytes, section) {
      // The old dataset goes first: two large ones at once may not fit.
      parsed = null;
      encoded = null;
      parsed = parseDataset(name, new Uint8Array(bytes), section);
      return parsed;
    },

    tokenize(section, objective, contextLength, seed) {
      const opened = needTokenizer();
      const dataset = needDataset();
      const key = JSON.stringify(objective);
      if (encoded?.key !== key) {
        encoded = { key, input: encodeAll(dataset, opened, objective) };
        plainChat = opened.template === null && dataset.examples.some((e) => e.kind === 'messages');
      }
      return finishDataset(encoded.input, section, contextLength, seed);
    },

    viewTokens(row, _section: DatasetSection, objective, maxLength) {
      const opened = needTokenizer();
      const dataset = needDataset();
      const example = dataset.examples.find((e) => e.row === row);
      if (!example) {
        const problem = dataset.problems.find((p) => p.row === row && p.dropped);
        throw new TabtuneError({
          code: 'bad_data',
          message: problem ? problem.message : `There is no row ${row} in this dataset.`,
          where: `${dataset.name}, row ${row}`,
          action: problem ? problem.action : 'Choose another row.',
        });
      }
      const rendered = renderExample(example, renderOptions(dataset, opened, objective));
      const tokens = encodeRendered(row, rendered, opened.tokenizer);
      return viewEncoded(rendered.text, tokens, opened.tokenizer, maxLength);
    },

    encodePrompt(prompt, system) {
      const { tokenizer, template, plainTemplate } = needTokenizer();
      const chat = template ?? (plainChat ? plainTemplate : null);
      const messages: ChatMessage[] = system ? [{ role: 'system', content: system }] : [];
      messages.push({ role: 'user', content: prompt });
      const text = chat ? renderPrompt(messages, chat) : messages.map((m) => m.content).join('\n\n');
      const { ids } = tokenizer.encode(text, template === null);
      checkIds(ids, tokenizer);
      if (ids.length === 0 && chat) {
        throw new TabtuneError({
          code: 'bad_model',
          message: 'The model’s chat template writes nothing for this prompt.',
          where: 'chat template',
          action: 'Write something else, or choose another model.',
        });
      }
      return Int32Array.from(ids);
    },

    encodeTexts(texts, maxLength) {
      const { tokenizer } = needTokenizer();
      return texts.map((text) => encodeCut(tokenizer, text, maxLength));
    },

    decode(ids) {
      return needTokenizer().tokenizer.decode(ids, true);
    },
  };
}

/** A text between its special tokens, cut so that all of them fit into `limit`. */
function encodeCut(tokenizer: TextTokenizer, text: string, limit: number): Int32Array {
  const { ids } = tokenizer.encode(text, true);
  if (ids.length <= limit) return Int32Array.from(ids);
  const plain = tokenizer.encode(text, false).ids;
  const around = ids.length - plain.length;
  const before = Math.max(
    0,
    ids.findIndex((_, i) => plain.every((id, at) => ids[i + at] === id)),
  );
  return Int32Array.from([
    ...ids.slice(0, before),
    ...plain.slice(0, Math.max(0, limit - around)),
    ...ids.slice(before + plain.length),
  ]);
}

function openTokenizer(given: TokenizerSource): OpenTokenizer {
  const { tokenizerJson: tokens } = given;
  const files = { ...given, tokenizerJson: typeof tokens === 'string' ? tokens : tokenizerJson(tokens) };
  const tokenizer = new TextTokenizer(files);
  const source = templateSource(files.chatTemplate, files.tokenizerConfig);
  const template = source === null ? null : new ChatTemplate(source, tokenizer.special);
  const endOfTurn = template ? endOfTurnId(template, tokenizer) : null;
  const stopTokenIds = [...new Set([...tokenizer.eosTokenIds, ...(endOfTurn === null ? [] : [endOfTurn])])];
  return {
    tokenizer,
    template,
    plainTemplate: new ChatTemplate(PLAIN_CHAT_TEMPLATE, tokenizer.special),
    stopTokenIds,
    endTokens: stopTokenIds.map((id) => tokenizer.showToken(id)),
  };
}

/**
 * The special token that the template writes behind an answer, such as <|im_end|>; null when there is none. Throws
 * bad_model for a template that runs away: the model is not opened with one.
 */
function endOfTurnId(template: ChatTemplate, tokenizer: TextTokenizer): number | null {
  // A word that no template writes by itself.
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
    // The template refuses even this; rows that it refuses are told one by one.
    return null;
  }
  const at = text.lastIndexOf(probe);
  if (at === -1) return null;
  const { ids } = tokenizer.encode(text.slice(at + probe.length), false);
  return ids.find((id) => tokenizer.isSpecial(id)) ?? null;
}

function renderOptions(dataset: ParsedDataset, opened: OpenTokenizer, objective: ObjectiveSection): RenderOptions {
  const { tokenizer, template, plainTemplate, endTokens } = opened;
  return {
    template,
    plainTemplate,
    eosToken: tokenizer.special.eos_token ?? null,
    assistantOnlyLoss: objective.type === 'sft' && objective.assistant_only_loss,
    separator: separatorOf(dataset),
    endTokens,
  };
}

/**
 * Columns called prompt and completion are glued as they are, as TRL does: whoever writes those names decides on the
 * space between. A question and its answer, or a text and its label, would run into one word ("…in May?72"); they get
 * a line break, which the model learns to write first.
 */
function separatorOf(dataset: ParsedDataset): string {
  const { prompt, completion } = dataset.mapping;
  return dataset.format === 'prompt_completion' && prompt === 'prompt' && completion === 'completion' ? '' : '\n';
}

function encodeAll(dataset: ParsedDataset, opened: OpenTokenizer, objective: ObjectiveSection): DatasetInput {
  const options = renderOptions(dataset, opened, objective);
  const problems = new ProblemList();
  fileProblems(dataset.examples, opened, problems);
  const encoded: Encoded[] = [];
  const keys: string[] = [];
  const special = opened.tokenizer.specialContents();
  for (const example of dataset.examples) {
    const key = exampleKey(example);
    try {
      encoded.push(encodeRendered(example.row, renderExample(example, options), opened.tokenizer));
      keys.push(key);
    } catch (error) {
      // The template's refusal concerns this row; a broken tokenizer concerns them all.
      if (!(error instanceof TabtuneError) || error.where !== 'chat template') throw error;
      problems.add({
        severity: 'error',
        code: 'template_refused',
        row: example.row,
        message: `Row ${example.row} does not fit the model’s chat template: ${excerpt(error.details ?? error.message, 160)}`,
        action: 'It was left out. Change the order or the roles of its messages, or choose another model.',
        dropped: true,
      });
      continue;
    }
    const found = special.find((token) => token.length > 2 && key.includes(token));
    if (found !== undefined) {
      problems.add({
        severity: 'warning',
        code: 'special_token_in_text',
        row: example.row,
        message: `Row ${example.row} has the model’s special token “${found}” in its text.`,
        action: 'It is read as that token, not as letters. Remove it unless it is meant.',
        dropped: false,
      });
    }
  }
  return { name: dataset.name, encoded, keys, problems: problems.list() };
}

function fileProblems(
  examples: readonly Example[],
  { tokenizer, template }: OpenTokenizer,
  problems: ProblemList,
): void {
  if (template === null && examples.some((e) => e.kind === 'messages')) {
    problems.add({
      severity: 'warning',
      code: 'no_chat_template',
      message: 'This model has no chat template: it was not made for conversations.',
      action: 'They are written as “User: …” and “Assistant: …”. An instruct model learns chats better.',
      dropped: false,
    });
  }
  if (template === null && tokenizer.special.eos_token === undefined) {
    problems.add({
      severity: 'warning',
      code: 'no_eos',
      message: 'This model’s tokenizer has no end-of-text token.',
      action: 'The model cannot learn where to stop; its answers go on until they are cut.',
      dropped: false,
    });
  }
}
