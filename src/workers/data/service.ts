/**
 * The data worker's calls. It holds an open tokeniser, the last parsed dataset and its encoding. The encoding is kept
 * until the tokeniser, the dataset or the masking changes, so that changing the length limit or the split is cheap.
 */
import { TabtuneError } from '../../base/errors';
import { tokenizeText } from '../../data/base-text';
import { ChatTemplate, FAULTY_TEMPLATE, PLAIN_CHAT_TEMPLATE, templateSource } from '../../data/chat-template';
import { type EncodedDataset, encodeDataset } from '../../data/encode-dataset';
import { encodeAround } from '../../data/encode-text';
import { encodeWords, firstOfWords } from '../../data/encode-words';
import { checkIds } from '../../data/loss-mask';
import type { TextOptions } from '../../data/objective-data';
import { openDataset } from '../../data/parse';
import { renderExample, renderPrompt } from '../../data/render';
import { templateGaps } from '../../data/template-facts';
import { finishDataset } from '../../data/tokenize';
import { TextTokenizer } from '../../data/tokenizer';
import type { TokenizerSource } from '../../data/tokenizer-files';
import { truncateText } from '../../data/truncate';
import type { ChatMessage, ParsedDataset } from '../../data/types';
import { viewExample, viewSpans } from '../../data/view-tokens';
import { tokenizerJson } from '../../formats/gguf-tokenizer';
import { defaultSection, objectiveOf, textObjective } from '../../objectives';
import type { DatasetSection } from '../../recipe/types';
import type { DataApi, TokenizerInfo } from './api';

/** The fields of a dataset that decide how its rows are written for a model. */
type WritingSection = Pick<DatasetSection, 'system_fallback' | 'templated_text'>;

interface OpenTokenizer {
  tokenizer: TextTokenizer;
  /** The model's own template; null if it has none. */
  template: ChatTemplate | null;
  plainTemplate: ChatTemplate;
  stopTokenIds: number[];
  endTokens: string[];
}

export function createDataApi(): DataApi {
  let open: OpenTokenizer | null = null;
  let parsed: ParsedDataset | null = null;
  /** Counts the calls of `parse`. */
  let parses = 0;
  let encoded: { key: string; dataset: EncodedDataset } | null = null;
  /** Whether the data was last formatted with the plain template; prompts must then be formatted the same way. */
  let plainChat = false;

  const needTokenizer = (): OpenTokenizer => {
    if (open) return open;
    throw new TabtuneError({ code: 'internal', message: 'No model is open yet.', action: 'Choose a model first.' });
  };
  const needDataset = (): ParsedDataset => {
    if (parsed) return parsed;
    throw new TabtuneError({ code: 'internal', message: 'No dataset is open yet.', action: 'Choose a dataset first.' });
  };

  /** What a view of one row is made of. Throws bad_data for a row that is no example, with the reason. */
  const viewed = (...[row, section, objective, maxLength]: Parameters<DataApi['viewTokens']>) => {
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
    const options = textOptions(opened, separatorOf(dataset), section);
    return [example, objectiveOf(objective).data(objective), options, opened.tokenizer, maxLength] as const;
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
        maskTokenId: tokenizer.maskTokenId,
        stopTokenIds,
        hasChatTemplate: template !== null,
        templateGaps: template === null ? [] : templateGaps(template.facts),
      } satisfies TokenizerInfo;
    },

    parse(name, bytes, section) {
      // Free the old dataset first, because two large ones may not fit in memory.
      parsed = null;
      encoded = null;
      parses++;
      const opened = openDataset(name, new Uint8Array(bytes), section);
      if (!(opened instanceof Promise)) {
        parsed = opened;
        return opened;
      }
      const mine = parses;
      return opened.then((dataset) => {
        // Another file may have been opened in the meantime.
        if (mine === parses) parsed = dataset;
        return dataset;
      });
    },

    tokenize(section, objectiveSection, contextLength, seed, memoryLength, leftOut = [], careful = false, onRow) {
      const opened = needTokenizer();
      const dataset = needDataset();
      const descriptor = objectiveOf(objectiveSection);
      const objective = descriptor.data(objectiveSection);
      const { system_fallback, templated_text } = section;
      const key = JSON.stringify([
        objectiveSection.type,
        objective.encodedBy,
        system_fallback,
        templated_text,
        leftOut,
      ]);
      if (encoded?.key !== key) {
        const options = textOptions(opened, separatorOf(dataset), section);
        const progress = { leftOut, careful, ...(onRow && { onRow }) };
        encoded = { key, dataset: encodeDataset(dataset, objective, options, opened.tokenizer, progress) };
        plainChat =
          opened.template === null && descriptor.writes && dataset.examples.some((e) => e.kind === 'messages');
      }
      return finishDataset(encoded.dataset, section, objective, contextLength, seed, memoryLength);
    },

    tokenizeBaseText(name, bytes, maxLength, type = textObjective('decoder').type) {
      const opened = needTokenizer();
      // Base text is mostly plain text; if it has prompts and answers, both are learned.
      const descriptor = objectiveOf({ type });
      const objective = descriptor.data(defaultSection(descriptor));
      const options = textOptions(opened, '\n', BASE_TEXT);
      return tokenizeText(name, new Uint8Array(bytes), maxLength, objective, options, opened.tokenizer);
    },

    viewTokens: (...of) => viewExample(...viewed(...of)),

    viewSpans: (most, ...of) => viewSpans(most, ...viewed(...of)),

    encodePrompt(prompt, system) {
      const { tokenizer, template, plainTemplate } = needTokenizer();
      const chat = template ?? (plainChat ? plainTemplate : null);
      const messages: ChatMessage[] = system ? [{ role: 'system', content: system }] : [];
      messages.push({ role: 'user', content: prompt });
      const text = chat ? renderPrompt(messages, chat) : messages.map((m) => m.content).join('\n\n');
      const { ids } = tokenizer.encodeOnce(text, template === null);
      checkIds(ids, tokenizer);
      if (ids.length === 0 && chat) {
        throw new TabtuneError({
          code: 'bad_model',
          message: 'The model’s chat template produces no text for this prompt.',
          where: 'chat template',
          action: 'Try another prompt, or choose another model.',
        });
      }
      return Int32Array.from(ids);
    },

    encodeTexts(texts, maxLength) {
      const { tokenizer } = needTokenizer();
      return texts.map((text) => truncateText(encodeAround(0, text, tokenizer), maxLength).ids);
    },

    encodeForTask(input, maxLength) {
      const { tokenizer } = needTokenizer();
      if (typeof input === 'string') return truncateText(encodeAround(0, input, tokenizer), maxLength);
      const { ids, words } = encodeWords(input, tokenizer);
      const { before, behind } = tokenizer.around;
      const firsts = firstOfWords(words);
      const places = Int32Array.from(words, (word, i) => (firsts[i] === 1 ? word : -1));
      return truncateText({ ids, words: places, before: before.length, behind: behind.length }, maxLength);
    },

    decode(ids) {
      return needTokenizer().tokenizer.decode(ids, true);
    },
  };
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
 * The special token that the template writes after an answer, such as <|im_end|>; null if there is none. Throws
 * bad_model for a template that exceeds its limits, so that its model is not opened.
 */
function endOfTurnId(template: ChatTemplate, tokenizer: TextTokenizer): number | null {
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

/** Whatever is in a base text is used as it is. */
const BASE_TEXT: WritingSection = { system_fallback: 'first_question', templated_text: 'as_is' };

function textOptions(opened: OpenTokenizer, separator: string, section: WritingSection): TextOptions {
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
  };
}

/**
 * Columns called prompt and completion are concatenated as they are, as in TRL: whoever uses those names decides on the
 * space between them. A question and its answer, or a text and its label, would run together ("…in May?72"), so they
 * are separated by a line break, which the model learns to write first.
 */
function separatorOf(dataset: ParsedDataset): string {
  const { prompt, completion } = dataset.mapping;
  return dataset.format === 'prompt_completion' && prompt === 'prompt' && completion === 'completion' ? '' : '\n';
}
