/**
 * Text files that hold rows after all: tables with tabs, fastText's labelled lines, subtitles, questions and answers with their
 * names in front, one sentence a line. Null for prose, which parse-text.ts cuts into passages.
 */
import { sniff } from './csv-dialect';
import { isKnownName } from './csv-header';
import { readRecords } from './csv-records';
import { parseCsv } from './parse-csv';
import type { RawRow, RawTable } from './raw-table';
import type { DataProblem } from './types';

const BREAK = /\r\n|\n|\r/;

export function parseTextShape(name: string, text: string): RawTable | null {
  return fromSubtitles(text) ?? fromFastText(text) ?? fromTable(name, text) ?? fromSpeakers(text) ?? fromLines(text);
}

const said = (code: string, message: string, action: string): DataProblem => ({
  severity: 'warning',
  code,
  message,
  action,
  dropped: false,
});

/** To undo a guess about plain text. */
const AS_PASSAGES = [{ label: 'Read as passages of text', set: { 'dataset.format': 'text' } }];

function table(
  values: Record<string, unknown>[],
  columns: string[],
  problems: DataProblem[],
  total = values.length,
): RawTable {
  const rows = values.map<RawRow>((value, i) => ({ row: i + 1, value }));
  return { fileType: 'text', columns, rows, problems, totalRows: total, readOnly: true };
}

/** SubRip and WebVTT: a number, two times, lines of text. */
function fromSubtitles(text: string): RawTable | null {
  const time = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}/;
  if (
    !text
      .slice(0, 3000)
      .split(BREAK)
      .some((line) => time.test(line))
  )
    return null;
  const cues: string[] = [];
  let cue: string[] | null = null;
  const lines = text.split(BREAK);
  lines.forEach((line, i) => {
    if (time.test(line)) cue = [];
    else if (line.trim() === '') {
      if (cue && cue.length > 0) cues.push(cue.join('\n'));
      cue = null;
    } else if (cue && !(/^\d+$/.test(line.trim()) && time.test(lines[i + 1] ?? ''))) cue.push(line.trim());
  });
  if (cue && (cue as string[]).length > 0) cues.push((cue as string[]).join('\n'));
  if (cues.length === 0) return null;
  return table(
    cues.map((words) => ({ text: words.replace(/<\/?[a-z][^>]*>|\{\\[^}]*\}/gi, '') })),
    ['text'],
    [
      said(
        'subtitles',
        `These are subtitles: ${cues.length} of them.`,
        'Each is a text; their numbers and times were left out.',
      ),
    ],
  );
}

/** fastText: `__label__spam Buy now`, with several labels before or behind the text. */
function fromFastText(text: string): RawTable | null {
  const label = /(?:^|\s)__label__(\S+)/g;
  const lines = text.split(BREAK).filter((line) => line.trim() !== '');
  const sample = lines.slice(0, 200);
  if (sample.length === 0 || sample.filter((line) => line.includes('__label__')).length < sample.length * 0.9)
    return null;
  const values = lines.map((line) => {
    const labels = [...line.matchAll(label)].map((match) => match[1]!.replace(/,$/, ''));
    const words = line.replace(/(^|\s)__label__\S+/g, ' ').replace(/^[\s,]+|\s+$/g, '');
    return { text: words, labels };
  });
  const several = values.some(({ labels }) => labels.length > 1);
  return table(
    values.map(({ text: words, labels }) => ({ text: words, label: several ? labels : (labels[0] ?? '') })),
    ['text', 'label'],
    [
      said(
        'fasttext',
        'The lines have labels as fastText writes them (__label__…).',
        'They were read as labels, the rest as texts.',
      ),
    ],
  );
}

/** A table in a .txt file: as many tabs in every line, or a header with known names and rows that fit it. */
function fromTable(name: string, text: string): RawTable | null {
  const head = text.slice(0, 100_000);
  const lines = head.split(BREAK).filter((line) => line.trim() !== '');
  // The last line may be cut off.
  if (head.length < text.length) lines.pop();
  if (lines.length < 2) return null;
  const tabs = lines.map((line) => line.split('\t').length);
  const most = tabs[Math.floor(tabs.length / 2)]!;
  if (most > 1 && tabs.filter((n) => n === most).length >= tabs.length * 0.95) return parseCsv(name, text);
  const { dialect, width, skip } = sniff(text, null);
  if (dialect.delimiter === null || width < 2) return null;
  const { records } = readRecords(text.slice(skip), dialect, width, 100);
  const fit = records.filter(({ cells }) => cells.length === width).length;
  const named = records[0]?.cells.length === width && records[0].cells.every(isKnownName);
  return named && fit >= records.length * 0.95 ? parseCsv(name, text) : null;
}

const ASKS =
  /^\s*(?:\*\*|#+ *)?(q|question|user|human|customer|client|person|prompt|instruction|input|me|frage|nutzer|kunde|f|pregunta|p|pergunta|domanda|вопрос|в|пользователь|问|问题|用户|質問|問|ユーザー|질문|사용자)\s*\d*\s*(?:\*\*)?\s*[:：.)]\s*(?:\*\*)?\s*(.*)$/i;
const ANSWERS =
  /^\s*(?:\*\*|#+ *)?(a|answer|assistant|ai|bot|agent|gpt|chatgpt|response|reply|output|completion|antwort|réponse|reponse|r|respuesta|resposta|risposta|ответ|о|ассистент|答|答案|回答|助手|アシスタント|답변|답|어시스턴트)\s*\d*\s*(?:\*\*)?\s*[:：.)]\s*(?:\*\*)?\s*(.*)$/i;

interface Turn {
  role: 'user' | 'assistant';
  content: string;
  /** Blank lines before it. */
  apart: boolean;
}

/** “Q: … A: …”, “User: … Assistant: …”. */
function fromSpeakers(text: string): RawTable | null {
  const turns: Turn[] = [];
  let named = 0;
  let other = 0;
  let blank = false;
  for (const line of text.split(BREAK)) {
    if (line.trim() === '') {
      blank = true;
      continue;
    }
    const asks = ASKS.exec(line);
    const answers = ANSWERS.exec(line);
    if (asks || answers) {
      named++;
      turns.push({ role: asks ? 'user' : 'assistant', content: (asks ?? answers)![2]!, apart: blank });
    } else if (turns.length === 0) {
      if (++other > 3) return null;
    } else {
      other++;
      const turn = turns.at(-1)!;
      turn.content += `${blank ? '\n\n' : '\n'}${line}`;
    }
    blank = false;
  }
  const questions = turns.filter((turn) => turn.role === 'user').length;
  if (questions < 2 || named < 4) return null;
  // Speakers must take turns; prose with a “Note:” or a “Q.” here and there does not.
  const pairs = turns.filter((turn, i) => turn.role === 'user' && turns[i + 1]?.role === 'assistant').length;
  if (pairs < questions * 0.9 || turns.length > pairs * 2.2 || other > named * 3) return null;
  const clean = turns.map(({ role, content }) => ({ role, content: content.trim() }));
  // Blank lines between conversations, none inside: several turns of one belong together.
  const starts = turns.flatMap((turn, i) => (i === 0 || (turn.apart && turn.role === 'user') ? [i] : []));
  const inside = turns.some((turn, i) => i > 0 && turn.apart && turn.role === 'assistant');
  if (!inside && starts.length > 1 && starts.length < pairs) {
    const chats = starts.map((start, k) => ({ messages: clean.slice(start, starts[k + 1]) }));
    const problem = said(
      'speakers',
      'The text has speakers in front of its lines, in groups.',
      `Each of the ${chats.length} groups was read as a conversation.`,
    );
    return table(chats, ['messages'], [{ ...problem, choices: AS_PASSAGES }]);
  }
  const values = clean.flatMap((turn, i) =>
    turn.role === 'user' && clean[i + 1]?.role === 'assistant'
      ? [{ question: turn.content, answer: clean[i + 1]!.content }]
      : [],
  );
  const spare = turns.length - 2 * values.length;
  const problem = said(
    'speakers',
    'The text has questions and answers, named in front of its lines.',
    `Each pair was read as a separate row${spare > 0 ? `; ${spare} lines without a partner were left out` : ''}.`,
  );
  return table(values, ['question', 'answer'], [{ ...problem, choices: AS_PASSAGES }], values.length + spare);
}

/** One sentence a line: prose that is wrapped at a width has lines that end anywhere. */
function fromLines(text: string): RawTable | null {
  const lines = text.split(BREAK);
  const filled = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (filled.length < 5 || lines.length - filled.length > 1 + filled.length * 0.02) return null;
  const ended = filled.filter((line) => /[.!?…。！？।؟]["'”’»)\]]*$/.test(line)).length;
  if (ended < filled.length * 0.95) return null;
  const problem = said(
    'lines',
    `The file has a sentence on each of its ${filled.length} lines, without blank lines between.`,
    'Each line was read as a separate text.',
  );
  return table(
    filled.map((line) => ({ text: line })),
    ['text'],
    [{ ...problem, choices: AS_PASSAGES }],
  );
}
