/**
 * The data worker's calls. It holds an open tokeniser, the last parsed dataset and its encoding. The encoding is kept
 * until the tokeniser, the dataset or the masking changes, so that changing the length limit or the split is cheap.
 */
import { TabtuneError } from '../../base/errors';
import { augment, augmentable, augmentedLines } from '../../data/augment';
import { tokenizeText } from '../../data/base-text';
import { type EncodedDataset, encodeDataset } from '../../data/encode-dataset';
import { encodeAnswer, encodeForTask, encodePrompt, writeChats } from '../../data/encode-input';
import { lettersOf } from '../../data/encode-row';
import { encodeAround } from '../../data/encode-text';
import { checkIds } from '../../data/loss-mask';
import { isChat } from '../../data/model-warnings';
import { findLeaks, nearDuplicates, type Steps } from '../../data/near-duplicates';
import { AS_IT_IS, type OpenTokenizer, openTokenizer, textOptions } from '../../data/open-tokenizer';
import { paced } from '../../data/paced';
import { openDataset } from '../../data/parse';
import { split } from '../../data/pieces';
import { listenToReading } from '../../data/reading-progress';
import { renderPrompt } from '../../data/render';
import { templateGaps } from '../../data/template-facts';
import { finishDataset } from '../../data/tokenize';
import { truncateText } from '../../data/truncate';
import type { Example, ParsedDataset } from '../../data/types';
import { viewExample, viewSpans } from '../../data/view-tokens';
import { writeRow } from '../../data/write-row';
import { defaultSection, objectiveOf, textObjective } from '../../objectives';
import type { DataApi, ReadingPart, TokenizerInfo } from './api';
import { scoreAnswers } from './score-answers';

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

  const promptStyle = () => ({ plainChat, separator: parsed ? separatorOf(parsed) : '\n' });

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
      const { tokenizer, template, stopTokenIds, endOfTurnId } = open;
      return {
        vocabSize: tokenizer.vocabSize,
        bosTokenId: tokenizer.bosTokenId,
        eosTokenId: tokenizer.eosTokenId,
        padTokenId: tokenizer.padTokenId,
        maskTokenId: tokenizer.maskTokenId,
        stopTokenIds,
        endOfTurnId,
        hasChatTemplate: template !== null,
        templateGaps: template === null ? [] : templateGaps(template.facts),
      } satisfies TokenizerInfo;
    },

    parse(name, bytes, section, onPart) {
      // Free the old dataset first, because two large ones may not fit in memory.
      parsed = null;
      encoded = null;
      parses++;
      listenToReading(onPart ? (progress) => onPart({ progress }) : null);
      const opened = openDataset(name, new Uint8Array(bytes), section);
      const told = (dataset: ParsedDataset) => (onPart ? inParts(dataset, onPart) : dataset);
      if (!(opened instanceof Promise)) {
        parsed = opened;
        return told(opened);
      }
      const mine = parses;
      return opened.then((dataset) => {
        // Another file may have been opened in the meantime.
        if (mine === parses) parsed = dataset;
        return told(dataset);
      });
    },

    tokenize(section, objectiveSection, contextLength, seed, memoryLength, leftOut = [], careful = false, ...tell) {
      const [onRow, onExamples] = tell;
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
          opened.template === null &&
          (descriptor.writes || descriptor.task !== undefined) &&
          dataset.examples.some(isChat);
      }
      const whole = finishDataset(encoded.dataset, section, objective, contextLength, seed, memoryLength);
      if (!onExamples) return whole;
      const { ahead, rest } = split(whole);
      for (const { part, examples } of ahead) onExamples(part, examples);
      return rest;
    },

    tokenizeBaseText(name, bytes, maxLength, type = textObjective('decoder').type) {
      const opened = needTokenizer();
      // Base text is mostly plain text; if it has prompts and answers, both are learned.
      const descriptor = objectiveOf({ type });
      const objective = descriptor.data(defaultSection(descriptor));
      const options = textOptions(opened, '\n', AS_IT_IS);
      return tokenizeText(name, new Uint8Array(bytes), maxLength, objective, options, opened.tokenizer);
    },

    nearDuplicates(onProgress, signal) {
      const { examples } = needDataset();
      return paced(nearDuplicates(examples), examples.length, onProgress, signal);
    },

    leaks(train, validation, onProgress, signal) {
      const byRow = new Map(needDataset().examples.map((example) => [example.row, example]));
      const side = (rows: Int32Array) => Array.from(rows).flatMap((row) => byRow.get(row) ?? []);
      const steps = findLeaks(side(train), side(validation));
      return paced(steps, train.length + validation.length, onProgress, signal);
    },

    augmentPreview(options, heldOut, most) {
      const held = new Set(heldOut);
      const usable = needDataset().examples.filter((one) => !held.has(one.row) && augmentable(one) !== null);
      const step = Math.max(1, Math.floor(usable.length / most));
      const shown = usable.filter((_, i) => i % step === 0).slice(0, most);
      return { made: shown.flatMap((example) => augment(example, options)), examples: usable.length };
    },

    augment(options, heldOut, onProgress, signal) {
      const { examples } = needDataset();
      return paced(writing(augmentedLines(examples, new Set(heldOut), options)), examples.length, onProgress, signal);
    },

    writeRows(rows, section, objectiveSection) {
      const dataset = needDataset();
      const { tokenizer, ...opened } = needTokenizer();
      const { data, learns } = objectiveOf(objectiveSection);
      const options = textOptions({ tokenizer, ...opened }, separatorOf(dataset), section);
      const writing = { objective: data(objectiveSection), readsText: learns === 'text', options, tokenizer };
      const byRow = new Map(dataset.examples.map((example) => [example.row, example]));
      return Array.from(rows).flatMap((row) => writeRow(byRow.get(row)!, writing));
    },

    viewTokens: (...of) => viewExample(...viewed(...of)),

    viewSpans: (most, ...of) => viewSpans(most, ...viewed(...of)),

    promptStyle,

    encodePrompt: (text, system, before) => encodePrompt(needTokenizer(), promptStyle(), { text, system, before }),

    writeChats: (conversations) => writeChats(needTokenizer(), promptStyle(), conversations),

    encodeBegun(ask, begun) {
      const { tokenizer, template } = needTokenizer();
      const text = template ? renderPrompt([{ role: 'user', content: ask }], template) : `${ask}\n`;
      const { ids } = tokenizer.encodeOnce(text + begun, template === null);
      checkIds(ids, tokenizer);
      return Int32Array.from(ids);
    },

    encodeTexts(texts, maxLength) {
      const { tokenizer } = needTokenizer();
      return texts.map((text) => truncateText(encodeAround(0, text, tokenizer), maxLength).ids);
    },

    encodeForTask: (input, maxLength) => encodeForTask(needTokenizer(), input, maxLength),

    encodeAnswer: (prompt, answer, maxLength) =>
      encodeAnswer(needTokenizer(), promptStyle(), { prompt, answer }, maxLength),

    decode(ids) {
      return needTokenizer().tokenizer.decode(ids, true);
    },

    decodeAll(texts) {
      const { tokenizer } = needTokenizer();
      return texts.map((ids) => tokenizer.decode(ids, true));
    },

    scoreAnswers,
  };
}

/** A part must not take the page longer than a few milliseconds. */
const PART_EXAMPLES = 1000;
const PART_LETTERS = 500_000;

function inParts(dataset: ParsedDataset, onPart: (part: ReadingPart) => void): ParsedDataset {
  let part: Example[] = [];
  let letters = 0;
  for (const example of dataset.examples) {
    part.push(example);
    letters += lettersOf(example);
    if (part.length < PART_EXAMPLES && letters < PART_LETTERS) continue;
    onPart({ examples: part });
    part = [];
    letters = 0;
  }
  if (part.length > 0) onPart({ examples: part });
  return { ...dataset, examples: [] };
}

/** Lines as bytes. Few at a time: a text of all of them may be longer than a string can be. */
function* writing(lines: Generator<string>): Steps<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const encoder = new TextEncoder();
  let bytes = 0;
  let count = 0;
  for (const line of lines) {
    yield count++;
    const part = encoder.encode(`${line}\n`);
    parts.push(part);
    bytes += part.length;
  }
  const file = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file.buffer;
}

/**
 * Columns called prompt and completion (or chosen and rejected) are concatenated as they are, as in TRL: whoever uses those
 * names decides on the space between them. A question and its answer, or a text and its label, would run together
 * ("…in May?72"), so they are separated by a line break, which the model learns to write first.
 */
function separatorOf({ format, mapping }: ParsedDataset): string {
  const { prompt } = mapping;
  // What two answers have in common was taken from in front of them, spaces and all.
  if (format === 'preference' && prompt === undefined) return '';
  const answers = AS_IN_TRL[format];
  return prompt === 'prompt' && answers?.every((part) => mapping[part] === part) ? '' : '\n';
}

const AS_IN_TRL: Readonly<Record<string, readonly string[]>> = {
  prompt_completion: ['completion'],
  preference: ['chosen', 'rejected'],
  unpaired_preference: ['completion'],
};
