/**
 * Which encoding a text file has, if it is no UTF. Any bytes can be read in most of the old encodings, so each is tried and
 * judged by whether the result looks like text in a language that was written in it: its frequent letters, and letters where
 * letters belong. All decoding is TextDecoder's.
 */
import type { EncodingName } from '../base/encodings';

/** The letters of Windows-1252 where Latin-1 has controls. */
const C1 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** TextDecoder; Node's older ones read Windows-1252 as Latin-1. */
export function decodeBytes(name: EncodingName, bytes: Uint8Array): string {
  return corrected(name, new TextDecoder(name).decode(bytes));
}

function corrected(name: EncodingName, text: string): string {
  return name === 'windows-1252' ? text.replace(/[\x80-\x9f]/g, (c) => C1[c.charCodeAt(0) - 0x80]!) : text;
}

export interface Judged {
  name: EncodingName;
  /** 0: nonsense; 1: what text in one of its languages looks like. */
  score: number;
  text: string;
}

/** Bytes that are judged: enough for letter frequencies, around bytes that are not ASCII. */
const SAMPLE_BYTES = 60_000;

/** Encodings other than UTF, most plausible first. */
function judgeEncodings(bytes: Uint8Array): Judged[] {
  const sample = sampleOf(bytes);
  const judged: Judged[] = [];
  for (const [name, judge] of JUDGES) {
    const text = decodeSample(name, sample);
    if (text === null) continue;
    judged.push({ name, score: judge(text), text });
  }
  return judged.sort((a, b) => b.score - a.score);
}

/** The lines with the most to tell: those with bytes beyond ASCII, from the start of the file. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.min(bytes.length, SAMPLE_BYTES + 1));
  let length = 0;
  let start = 0;
  let high = false;
  for (let i = 0; i <= bytes.length && length < SAMPLE_BYTES; i++) {
    const byte = bytes[i];
    // A line end is one in all of these encodings: no character of several bytes contains it.
    if (byte === 10 || byte === 13 || byte === undefined) {
      if (high) {
        const line = bytes.subarray(start, Math.min(i + 1, start + SAMPLE_BYTES - length));
        out.set(line, length);
        length += line.length;
      }
      start = i + 1;
      high = false;
    } else if (byte >= 0x80) high = true;
  }
  return out.subarray(0, length);
}

/** Null if the bytes are not valid in this encoding; a character may be cut off at the sample's end. */
function decodeSample(name: EncodingName, sample: Uint8Array): string | null {
  try {
    return corrected(name, new TextDecoder(name, { fatal: true }).decode(sample, { stream: true }));
  } catch {
    return null;
  }
}

const HANS =
  '的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运答案猫狗吃喝题吗呢吧请谢';
const HANT =
  '的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運答案嗎呢吧請謝您';
const HANGUL =
  '이다는의에을가하고은지를로한도서기사대나아그리시자해있어인정으수게일만니들라요것주부전제보장상스들무습안세여연구와과면때문질답변입까네';
const CYRILLIC = 'оеаинтсрвлкмдпуяыьгзбчйюжшхіїцщєэф';
const GREEK = 'αοιετςνσρκπυηλμάίόέήύώγδθω';
const HEBREW = 'יוהלארתבמשםנדחקפעכט';
const ARABIC = 'اليمنوتربعدهسفقكحةأجى';
const THAI = 'านรอกเง่วมย้ลสดตทีะับิคปห์ไแ็ขใพจ';

interface Counts {
  /** Characters beyond ASCII, without punctuation and space. */
  all: number;
  top: number;
  script: number;
  bad: number;
}

function counted(text: string, script: RegExp, top: ReadonlySet<string>): Counts {
  const counts: Counts = { all: 0, top: 0, script: 0, bad: 0 };
  for (const c of text) {
    if (c < '\x80') continue;
    const code = c.codePointAt(0)!;
    // Punctuation of any of these encodings says little.
    if (
      (code >= 0x2010 && code <= 0x2044) ||
      (code >= 0x3000 && code <= 0x3020) ||
      (code >= 0xff01 && code <= 0xff5e)
    ) {
      continue;
    }
    if ((code >= 0xa0 && code <= 0xbf) || code === 0x20ac || code === 0x2116 || code === 0x2122) continue;
    counts.all++;
    if (script.test(c)) counts.script++;
    if (top.has(c)) counts.top++;
    // Private use, C1 controls, half-width kana, box drawing, old ideographs: decoded from something else.
    if ((code >= 0xe000 && code <= 0xf8ff) || (code >= 0x80 && code < 0xa0) || (code >= 0xff61 && code <= 0xffdc))
      counts.bad++;
    else if ((code >= 0x2500 && code <= 0x259f) || (code >= 0x3130 && code <= 0x318f) || code > 0xfffd) counts.bad++;
  }
  return counts;
}

const clamp = (x: number) => Math.max(0, Math.min(1, x));

/** `usual`: the share that the most frequent letters have in real text; `chance`: in text decoded from something else. */
function byFrequency(script: RegExp, letters: string, chance: number, usual: number) {
  const top = new Set(letters);
  return (text: string): number => {
    const { all, top: many, script: inside, bad } = counted(text, script, top);
    if (all === 0) return 0;
    return (
      clamp((inside / all - 0.5) * 2) * clamp((many / all - chance) / (usual - chance)) * clamp(1 - (4 * bad) / all)
    );
  };
}

/** A small alphabet: `letters` from the most frequent to the least. Frequent ones count more, for all have the same letters. */
function alphabet(script: RegExp, letters: string) {
  const weights = new Map([...letters].map((c, rank) => [c, 1 - (0.8 * rank) / letters.length]));
  const none = new Set<string>();
  return (source: string): number => {
    const text = source.toLowerCase();
    const { all, script: inside, bad } = counted(text, script, none);
    if (all === 0) return 0;
    let weight = 0;
    for (const c of text) weight += weights.get(c) ?? 0;
    // Letters of another alphabet within a word come from another encoding, and so do capitals behind small letters.
    const mixed = text.match(/[a-z][\u0370-\u06ff\u0e00-\u0e7f]|[\u0370-\u06ff\u0e00-\u0e7f][a-z]/g)?.length ?? 0;
    const capitals = source.match(/\p{Ll}(?=[\u0370-\u052f])\p{Lu}/gu)?.length ?? 0;
    const wrong = clamp(1 - (4 * (bad + mixed + capitals)) / all);
    return clamp((inside / all - 0.5) * 2) * clamp((weight / all - 0.3) / 0.4) * wrong;
  };
}

const HAN = /\p{Script=Han}/u;
const chinese = (letters: string) => byFrequency(HAN, letters, 0.12, 0.45);
const HIRAGANA = new Set(Array.from({ length: 0x53 }, (_, i) => String.fromCharCode(0x3041 + i)));

function japanese(text: string): number {
  const { all, top, script, bad } = counted(
    text,
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]/u,
    HIRAGANA,
  );
  if (all === 0) return 0;
  // Kana outside Japanese appears only by accident; text in katakana alone exists.
  const kana = (text.match(/[ァ-ヴー]/g)?.length ?? 0) / all;
  return clamp((script / all - 0.5) * 2) * clamp((top / all + kana / 2) / 0.2) * clamp(1 - (6 * bad) / all);
}

const cyrillicLetters = alphabet(/\p{Script=Cyrillic}/u, CYRILLIC);
/** Hebrew read as Cyrillic is small letters that never reach the end of the alphabet. */
function cyrillic(text: string): number {
  const letters = text.match(/[а-яё]/gi)?.length ?? 0;
  const capitals = text.match(/[А-ЯЁ]/g)?.length ?? 0;
  const odd = letters >= 15 && (!/[ыьюяэјљњћђі]/i.test(text) || capitals > letters * 0.8);
  return cyrillicLetters(text) * (odd ? 0.6 : 1);
}

/** The letters beyond ASCII of each language, by the encoding that it was written in. */
const LATIN: Partial<Record<EncodingName, string[]>> = {
  'windows-1252': [
    'éèêëàâçùûüîïôœæ', // French
    'äöüß', // German
    'áéíóúüñ', // Spanish
    'áàâãçéêíóôõú', // Portuguese
    'àèéìòù', // Italian
    'åäöæøé', // the north
    'áðéíóúýþæö', // Icelandic
    'éëïèöüáóí', // Dutch
    'àéèíïóòúüç', // Catalan
  ],
  'windows-1250': ['ąćęłńóśźż', 'áčďéěíňóřšťúůýž', 'áäčďéíĺľňóôŕšťúýž', 'áéíóöőúüű', 'ăâîșțşţ', 'čćđšž'],
  'windows-1254': ['çğıöşüâîû'],
  macintosh: ['éèêëàâçùûüîïôœæ', 'äöüß', 'áéíóúüñ', 'áàâãçéêíóôõú', 'àèéìòù', 'åäöæøé'],
};
const PUNCTUATION = /[‘’‚“”„–—…•«»‹›€£¥§©®™°±²³·¿¡½¼¾ªº×÷´`¨¸¶\u00a0\u00ad]/u;

function latin(name: EncodingName) {
  const languages = LATIN[name]!.map((letters) => new Set(letters + letters.toUpperCase()));
  return (text: string): number => {
    let all = 0;
    let bad = 0;
    const own = languages.map(() => 0);
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if (c < '\x80') continue;
      all++;
      const before = text[i - 1] ?? ' ';
      const after = text[i + 1] ?? ' ';
      const inWord = /\p{L}/u.test(before) && /\p{L}/u.test(after);
      if (PUNCTUATION.test(c)) {
        // Signs inside words are another encoding's letters; an apostrophe and a dash are not.
        if (inWord && !/[’‘´–—·\u00ad]/u.test(c)) bad++;
        else for (let k = 0; k < own.length; k++) own[k]!++;
        continue;
      }
      // A capital within a word in small letters.
      if (/\p{Lu}/u.test(c) && /\p{Ll}/u.test(before)) bad++;
      // Languages with Latin letters have no words in letters beyond ASCII alone.
      if (before >= '\xc0' && after >= '\xc0' && /\p{L}/u.test(c)) bad += 0.5;
      languages.forEach((letters, k) => {
        if (letters.has(c)) own[k]!++;
      });
    }
    if (all === 0) return 0;
    // Text in several languages has letters of several sets.
    const any = Math.max(...own) / all;
    return clamp(any) * clamp(1 - (2 * bad) / all);
  };
}

const JUDGES: [EncodingName, (text: string) => number][] = [
  ['windows-1252', latin('windows-1252')],
  ['windows-1250', latin('windows-1250')],
  ['windows-1254', latin('windows-1254')],
  ['macintosh', latin('macintosh')],
  ['windows-1251', cyrillic],
  ['koi8-r', cyrillic],
  ['ibm866', cyrillic],
  ['windows-1253', alphabet(/\p{Script=Greek}/u, GREEK)],
  ['windows-1255', alphabet(/\p{Script=Hebrew}/u, HEBREW)],
  ['windows-1256', alphabet(/\p{Script=Arabic}/u, ARABIC)],
  ['windows-874', alphabet(/\p{Script=Thai}/u, THAI)],
  ['gb18030', chinese(HANS)],
  ['big5', chinese(HANT)],
  ['shift_jis', japanese],
  ['euc-jp', japanese],
  ['euc-kr', byFrequency(/\p{Script=Hangul}/u, HANGUL, 0.15, 0.4)],
];

/**
 * UTF-16, by its byte order mark or else by its zero bytes: text has none in any other encoding, and in UTF-16 they are halves
 * of ASCII characters, such as the line ends of a Chinese file.
 */
export function detectUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, Math.min(8192, bytes.length - (bytes.length % 2)));
  let zeros = 0;
  let ascii = 0;
  for (const byte of sample) {
    if (byte === 0) zeros++;
    else if ((byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13) ascii++;
  }
  if (zeros < 2) return null;
  // Zero bytes strewn into other text make Chinese characters when they are read in pairs.
  if (zeros < sample.length * 0.3 && ascii > (sample.length - zeros) * 0.95) return null;
  const le = nonsense(new TextDecoder('utf-16le').decode(sample));
  const be = nonsense(new TextDecoder('utf-16be').decode(sample));
  if (Math.min(le, be) > 0.1) return null;
  return le <= be ? 'utf-16le' : 'utf-16be';
}

/** The share of rare scripts, private use and controls; 1 for a text without a single ASCII character. */
function nonsense(text: string): number {
  let odds = 0;
  let plain = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      if (code >= 32 || code === 9 || code === 10 || code === 13) plain++;
      else odds++;
    } else if (NONSENSE.some(([from, to]) => code >= from && code <= to)) odds++;
  }
  return plain === 0 ? 1 : odds / text.length;
}

const NONSENSE = [
  [0x7f, 0x9f],
  [0x180, 0x36f],
  [0x700, 0x8ff],
  [0x1000, 0x109f],
  [0x1200, 0x1dff],
  [0x2c00, 0x2fff],
  [0xa000, 0xa8ff],
  [0xe000, 0xf8ff],
  [0xfffd, 0xfffd],
] as const;

/** The encoding, or the ones that a person must choose from because several look like text, or none does. */
export function chooseEncoding(
  bytes: Uint8Array,
): { sure: true; name: EncodingName } | { sure: false; choices: Judged[] } {
  const judged = judgeEncodings(bytes);
  const best = judged[0];
  if (!best) return { sure: false, choices: [] };
  // Windows-1252 is so much more common that the other Latin ones need proof.
  const likely = judged.find(({ name }) => name === 'windows-1252');
  const first = likely && WESTERN.has(best.name) && likely.score >= best.score - 0.02 ? likely : best;
  const rivals = judged.filter(
    ({ name, score, text }) =>
      name !== first.name &&
      score > first.score - 0.12 &&
      text !== first.text &&
      !(first === likely && WESTERN.has(name)),
  );
  if (first.score >= 0.6 && rivals.length === 0) return { sure: true, name: first.name };
  const choices = [first, ...judged.filter((one) => one !== first && one.score >= Math.min(0.3, first.score / 2))];
  return { sure: false, choices: choices.slice(0, 6) };
}

const WESTERN = new Set<EncodingName>(['windows-1252', 'windows-1250', 'windows-1254', 'macintosh']);
