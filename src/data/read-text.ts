/**
 * Decodes files. They come from Excel, PowerShell and old databases as often as from Python, so they may be UTF-8 or UTF-16,
 * with or without a byte order mark, or in an old encoding. Binary files (e.g. a PDF renamed to .csv) are refused by their
 * first bytes.
 */
import { formatBytes } from '../base/bytes';
import { ENCODINGS, type EncodingName, encodingLabel, isEncoding, isMend, MENDS, type Mend } from '../base/encodings';
import { TabtuneError } from '../base/errors';
import { chooseEncoding, decodeBytes, detectUtf16, type Judged } from './encodings';
import { hex, refuseBinary } from './file-kinds';
import { findMojibake, mend } from './mojibake';
import { excerpt } from './problems';
import type { DataProblem } from './types';
import { firstInvalidUtf8 } from './utf8';

/** V8's strings are limited to 2^29 - 24 code units, and the parsers need memory as well. */
export const MAX_FILE_BYTES = 400 * 2 ** 20;

export interface TextFile extends Decoded {
  problems: DataProblem[];
}

interface Decoded {
  text: string;
  encoding: EncodingName | Mend;
}

/**
 * The text of a file, without its byte order mark and with its line ends unchanged. Throws bad_data if the file is
 * empty, binary or too large.
 */
export function readText(name: string, bytes: Uint8Array, wanted = 'auto'): TextFile {
  if (bytes.length === 0) throw emptyFile(name);
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(name, bytes.length);
  refuseBinary(name, bytes, detectUtf16(bytes) !== null);

  const problems: DataProblem[] = [];
  const { text: decoded, encoding } = decode(name, bytes, wanted, problems);
  let text = decoded;
  if (text.includes('\0')) {
    const count = text.split('\0').length - 1;
    text = text.replaceAll('\0', '');
    problems.push({
      severity: 'warning',
      code: 'nul_bytes',
      message: `The file contains ${count} NUL ${count === 1 ? 'byte' : 'bytes'}, which do not belong in text.`,
      action: 'They were removed. If rows look garbled, save the file again as plain UTF-8.',
      dropped: false,
    });
  }
  if (text.trim() === '') throw emptyFile(name);
  return { text, problems, encoding };
}

export function tooLarge(name: string, size: number): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `This file is too large to read in one piece (${formatBytes(size)}).`,
    where: name,
    action: `Split it into files of at most ${formatBytes(MAX_FILE_BYTES)}.`,
  });
}

function emptyFile(name: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: 'This file is empty.',
    where: name,
    action: 'Choose a file with at least one example in it.',
  });
}

function decode(name: string, bytes: Uint8Array, wanted: string, problems: DataProblem[]): Decoded {
  // A byte order mark leaves no doubt; a file has one after an edit here, which writes UTF-8.
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf && !isMend(wanted);
  if (wanted !== 'auto' && !marked) return decodeAs(name, bytes, wanted, problems);
  const utf16 = detectUtf16(bytes);
  if (utf16) {
    if (bytes.length % 2 === 1) {
      problems.push({
        severity: 'warning',
        code: 'truncated_file',
        message: 'The file is UTF-16 with an odd number of bytes, so its last character is incomplete.',
        action: 'That character was left out. The rest of the file may be missing too.',
        dropped: false,
      });
    }
    // TextDecoder drops the byte order mark and turns lone surrogates into U+FFFD.
    const text = new TextDecoder(utf16).decode(bytes.subarray(0, bytes.length - (bytes.length % 2)));
    return { text, encoding: utf16 };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    reportMojibake(text, problems);
    return { text, encoding: 'utf-8' };
  } catch {
    return decodeOld(name, bytes, problems);
  }
}

/** No UTF: an old encoding, or damaged UTF-8. Asks if it cannot be told which. */
function decodeOld(name: string, bytes: Uint8Array, problems: DataProblem[]): Decoded {
  const offset = firstInvalidUtf8(bytes);
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 10) line++;
  // Mostly valid multi-byte characters and a few invalid bytes mean damaged UTF-8 (e.g. cut inside a character).
  // Hardly any valid ones mean an old encoding, whose letters are seldom valid UTF-8 by chance.
  const lossy = new TextDecoder('utf-8').decode(bytes);
  const bad = count(lossy, /\uFFFD/g);
  const good = count(lossy, /[^\p{ASCII}\uFFFD]/gu);
  const damaged = good > bad || (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf);
  const message = `${name} is not valid UTF-8: the first invalid byte is 0x${hex(bytes.subarray(offset, offset + 1))} on line ${line} (byte ${offset}).`;
  if (damaged) {
    problems.push({
      severity: 'warning',
      code: 'not_utf8',
      message,
      action: `${bad === 1 ? 'It was' : `${bad} invalid places were`} replaced by “\uFFFD”. Save the file as UTF-8 and open it again.`,
      dropped: false,
    });
    return { text: lossy, encoding: 'utf-8' };
  }
  const chosen = chooseEncoding(bytes);
  if (!chosen.sure) throw askEncoding(name, message, chosen.choices);
  const text = decodeBytes(chosen.name, bytes);
  problems.push({
    severity: 'warning',
    code: 'not_utf8',
    message,
    action: `It was read as ${ENCODINGS[chosen.name]}: “${letterSample(text)}”. If letters look wrong, choose another encoding, or save the file as UTF-8.`,
    dropped: false,
  });
  return { text, encoding: chosen.name };
}

function askEncoding(name: string, message: string, choices: readonly Judged[]): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `${message} Which encoding it has instead cannot be told from its text.`,
    where: name,
    action:
      choices.length === 0
        ? 'Save it as UTF-8 and open it again.'
        : 'Choose the one in which the text can be read, or save the file as UTF-8.',
    choices: choices.map(({ name: encoding, text }) => ({
      label: `${ENCODINGS[encoding]}: “${letterSample(text)}”`,
      set: { 'dataset.encoding': encoding },
    })),
  });
}

/** Decodes as a person asked for. */
function decodeAs(name: string, bytes: Uint8Array, wanted: string, problems: DataProblem[]): Decoded {
  if (!isEncoding(wanted) && !isMend(wanted)) {
    throw new TabtuneError({
      code: 'bad_data',
      message: `There is no encoding “${wanted}”.`,
      where: name,
      action: `Use one of these: auto, ${[...Object.keys(ENCODINGS), ...Object.keys(MENDS)].join(', ')}.`,
    });
  }
  const plain = decodeBytes(isMend(wanted) ? 'utf-8' : wanted, bytes);
  const text = isMend(wanted) ? mend(plain, wanted).text : plain;
  const lost = count(text, /\uFFFD/g);
  if (lost > 0) {
    problems.push({
      severity: 'warning',
      code: 'wrong_encoding',
      message: `${lost.toLocaleString('en')} ${lost === 1 ? 'place' : 'places'} of this file cannot be read as ${encodingLabel(wanted)}.`,
      action: 'They were replaced by “\uFFFD”. Choose another encoding, or let it be detected.',
      dropped: false,
    });
  }
  return { text, encoding: wanted };
}

function reportMojibake(text: string, problems: DataProblem[]): void {
  const found = findMojibake(text);
  if (!found) return;
  const { how, example } = found;
  problems.push({
    severity: 'warning',
    code: 'mojibake',
    message: `Some letters are garbled: “${excerpt(example[0], 30)}” was probably “${excerpt(example[1], 30)}”. The file was UTF-8, was read as ${ENCODINGS[MENDS[how]]} and saved again.`,
    action: `They are learned as they are. Set the encoding to “${how}” to repair them.`,
    dropped: false,
    choices: [{ label: `Mend: “${excerpt(example[1], 30)}”`, set: { 'dataset.encoding': how } }],
  });
}

/** Some words with letters beyond ASCII, from which a person sees whether the encoding is right. */
export function letterSample(text: string, length = 40): string {
  const at = text.slice(0, 1_000_000).search(/[^ -~\s]/);
  if (at === -1) return '';
  const start = Math.max(text.lastIndexOf('\n', at) + 1, at - 15);
  return excerpt(text.slice(start, start + 4 * length), length);
}

function count(text: string, pattern: RegExp): number {
  let n = 0;
  for (const _ of text.matchAll(pattern)) n++;
  return n;
}
