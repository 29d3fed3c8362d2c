/** The encodings in which a dataset can be read, by the names that TextDecoder knows. */

export const ENCODINGS = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 LE',
  'utf-16be': 'UTF-16 BE',
  'windows-1252': 'Windows-1252 (Western Europe)',
  'windows-1250': 'Windows-1250 (Central Europe)',
  'windows-1251': 'Windows-1251 (Cyrillic)',
  'koi8-r': 'KOI8-R (Russian)',
  ibm866: 'DOS 866 (Russian)',
  'windows-1253': 'Windows-1253 (Greek)',
  'windows-1254': 'Windows-1254 (Turkish)',
  'windows-1255': 'Windows-1255 (Hebrew)',
  'windows-1256': 'Windows-1256 (Arabic)',
  'windows-874': 'Windows-874 (Thai)',
  macintosh: 'Mac OS Roman',
  gb18030: 'GB 18030 or GBK (simplified Chinese)',
  big5: 'Big5 (traditional Chinese)',
  shift_jis: 'Shift-JIS (Japanese)',
  'euc-jp': 'EUC-JP (Japanese)',
  'euc-kr': 'EUC-KR (Korean)',
} as const;
export type EncodingName = keyof typeof ENCODINGS;

export const isEncoding = (name: string): name is EncodingName => Object.hasOwn(ENCODINGS, name);

/** The encodings that UTF-8 is taken for, commonest first. */
export const MENDS = {
  'utf-8-as-windows-1252': 'windows-1252',
  'utf-8-as-windows-1251': 'windows-1251',
  'utf-8-as-windows-1250': 'windows-1250',
  'utf-8-as-macintosh': 'macintosh',
} as const;
export type Mend = keyof typeof MENDS;

export const isMend = (name: string): name is Mend => Object.hasOwn(MENDS, name);

export function encodingLabel(encoding: EncodingName | Mend): string {
  return isMend(encoding) ? `UTF-8 that was read as ${ENCODINGS[MENDS[encoding]]}` : ENCODINGS[encoding];
}

/** Name -> label of everything that a recipe may ask for. */
export const encodingOptions: Record<string, string> = {
  auto: 'Detect from the file',
  ...ENCODINGS,
  ...Object.fromEntries((Object.keys(MENDS) as Mend[]).map((name) => [name, `Mend ${encodingLabel(name)}`])),
};
