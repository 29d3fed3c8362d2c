/**
 * UTF-8 that a program took for an old encoding and saved again as UTF-8: “Ã©” for é, “â€™” for ’. Going back the same way
 * restores it, if nothing was lost.
 */
import { MENDS, type Mend } from '../base/encodings';
import { decodeBytes } from './encodings';

/** The lead byte of a UTF-8 sequence, and what can follow, as these encodings show them. */
const reverse = new Map<Mend, Map<string, number>>();

function bytesOf(mend: Mend): Map<string, number> {
  let map = reverse.get(mend);
  if (!map) {
    const high = Uint8Array.from({ length: 128 }, (_, i) => i + 128);
    map = new Map([...decodeBytes(MENDS[mend], high)].map((c, i) => [c, i + 128]));
    // Programs disagree on the five bytes that Windows-1252 leaves undefined.
    for (let byte = 0x80; byte < 0xa0; byte++)
      if (!map.has(String.fromCharCode(byte))) map.set(String.fromCharCode(byte), byte);
    reverse.set(mend, map);
  }
  return map;
}

/** The text with every run that was UTF-8 restored; `mended` and `kept` count the runs of letters beyond ASCII. */
export function mend(text: string, how: Mend): { text: string; mended: number; kept: number } {
  const bytes = bytesOf(how);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let mended = 0;
  let kept = 0;
  const out = text.replace(/[^ -~\t\r\n]+/g, (run) => {
    const encoded: number[] = [];
    for (const c of run) {
      const byte = bytes.get(c);
      if (byte === undefined) {
        kept++;
        return run;
      }
      encoded.push(byte);
    }
    try {
      const back = decoder.decode(Uint8Array.from(encoded));
      mended++;
      return back;
    } catch {
      kept++;
      return run;
    }
  });
  return { text: out, mended, kept };
}

export interface Mojibake {
  how: Mend;
  places: number;
  /** A damaged word and what it was. */
  example: [string, string];
}

const SAMPLE = 200_000;

/** Null if the text looks as it was meant. */
export function findMojibake(text: string): Mojibake | null {
  // Each of these is the beginning of a letter beyond ASCII, followed by its second byte.
  const at = text.search(
    /[ÂÃÄÅÎÏÐÑØÙàâãäåæçèéêëìíðРС√Ăâ][\u0080-\u00bf\u0152-\u0161\u0178-\u017e\u0192\u02c6\u02dc\u2013-\u2044\u20ac\u2122\u0400-\u045f†‡√∂∫ç≈ü]/u,
  );
  if (at === -1) return null;
  const from = Math.max(0, at - 1000);
  const sample = text.slice(from, from + SAMPLE);
  let best: Mojibake | null = null;
  for (const how of Object.keys(MENDS) as Mend[]) {
    const { mended, kept } = mend(sample, how);
    // Words that are right do not go back to valid UTF-8: a few runs may be left, or the rest of a file is right.
    if (mended < 2 || mended < kept || (best && best.places >= mended)) continue;
    const word = sample.match(/\S*[^ -~\t\r\n]\S*/gu)?.find((found) => mend(found, how).mended > 0);
    if (!word) continue;
    best = { how, places: mended, example: [word, mend(word, how).text] };
  }
  return best;
}
