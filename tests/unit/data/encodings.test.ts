import { describe, expect, test } from 'vitest';
import { chooseEncoding } from '../../../src/data/encodings';
import { findMojibake, mend } from '../../../src/data/mojibake';
import { readText } from '../../../src/data/read-text';
import { errorOf, utf8 } from './helpers';

const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
const csv = (bytes: Uint8Array) =>
  Uint8Array.from([...utf8('text,label\n'), ...bytes, ...utf8(',a\n'), ...bytes, ...utf8(',b\n')]);

/** The bytes are Python's str.encode. */
const CASES: [string, string, string][] = [
  [
    'windows-1252',
    'Où est le café? Il est là-bas, à gauche, près de la forêt.',
    '4ff920657374206c6520636166e93f20496c20657374206ce02d6261732c20e0206761756368652c207072e873206465206c6120666f72ea742e',
  ],
  [
    'windows-1252',
    'Die Bücher sind größer als früher, sagt Jörg.',
    '4469652042fc636865722073696e64206772f6df657220616c73206672fc6865722c2073616774204af672672e',
  ],
  ['windows-1252', '“Hello,” he said — it’s fine.', '9348656c6c6f2c942068652073616964209720697492732066696e652e'],
  [
    'windows-1252',
    '¿Dónde está el niño? Mañana será otro día.',
    'bf44f36e646520657374e120656c206e69f16f3f204d61f1616e6120736572e1206f74726f2064ed612e',
  ],
  [
    'windows-1252',
    'Não há informações sobre a situação.',
    '4ee36f2068e120696e666f726d61e7f5657320736f6272652061207369747561e7e36f2e',
  ],
  ['windows-1252', 'Blåbær og rødgrød på bordet', '426ce562e672206f672072f8646772f8642070e520626f72646574'],
  [
    'windows-1250',
    'Zażółć gęślą jaźń, proszę wysłać wiadomość.',
    '5a61bff3b3e62067ea9c6cb9206a619ff12c2070726f737aea20777973b361e620776961646f6d6f9ce62e',
  ],
  [
    'windows-1250',
    'Příliš žluťoučký kůň úpěl ďábelské ódy',
    '50f8ed6c699a209e6c759d6f75e86bfd206bf9f220fa70ec6c20efe162656c736be920f36479',
  ],
  [
    'windows-1250',
    'Árvíztűrő tükörfúrógép, jó napot kívánok',
    'c17276ed7a74fb72f52074fc6bf67266fa72f367e9702c206af3206e61706f74206bed76e16e6f6b',
  ],
  [
    'windows-1254',
    'Günaydın, nasılsınız? Şimdi çok iyi değil, teşekkür ederim.',
    '47fc6e617964fd6e2c206e6173fd6c73fd6efd7a3f20de696d646920e76f6b20697969206465f0696c2c207465fe656b6bfc722065646572696d2e',
  ],
  [
    'windows-1251',
    'Какой номер вопроса? Это ответ номер ноль.',
    'cae0eaeee920edeeece5f020e2eeeff0eef1e03f20ddf2ee20eef2e2e5f220edeeece5f020edeeebfc2e',
  ],
  [
    'koi8-r',
    'Какой номер вопроса? Это ответ номер ноль.',
    'ebc1cbcfca20cecfcdc5d220d7cfd0d2cfd3c13f20fcd4cf20cfd4d7c5d420cecfcdc5d220cecfccd82e',
  ],
  [
    'ibm866',
    'Какой номер вопроса? Это ответ номер ноль.',
    '8aa0aaaea920adaeaca5e020a2aeafe0aee1a03f209de2ae20aee2a2a5e220adaeaca5e020adaeabec2e',
  ],
  [
    'windows-1251',
    'Добрий день, як ваші справи? Усе гаразд, дякую.',
    'c4eee1f0e8e920e4e5edfc2c20ffea20e2e0f8b320f1eff0e0e2e83f20d3f1e520e3e0f0e0e7e42c20e4ffeaf3fe2e',
  ],
  [
    'windows-1253',
    'Καλημέρα, τι κάνεις σήμερα; Είμαι πολύ καλά.',
    'cae1ebe7ecddf1e12c20f4e920eadcede5e9f220f3deece5f1e13b20c5dfece1e920f0efebfd20eae1ebdc2e',
  ],
  [
    'windows-1255',
    'שלום, מה שלומך היום? הכול בסדר גמור.',
    'f9ece5ed2c20eee420f9ece5eeea20e4e9e5ed3f20e4ebe5ec20e1f1e3f820e2eee5f82e',
  ],
  [
    'windows-1256',
    'مرحبا، كيف حالك اليوم؟ أنا بخير شكرا.',
    'e3d1cdc8c7a120dfeddd20cdc7e1df20c7e1ede6e3bf20c3e4c720c8ceedd120d4dfd1c72e',
  ],
  [
    'windows-874',
    'สวัสดีครับ วันนี้เป็นอย่างไรบ้าง สบายดีขอบคุณ',
    'cac7d1cab4d5a4c3d1ba20c7d1b9b9d5e9e0bbe7b9cdc2e8d2a7e4c3bae9d2a720cabad2c2b4d5a2cdbaa4d8b3',
  ],
  ['gb18030', '第0个问题是什么,这是第0个答案。', 'b5da30b8f6cecacce2cac7cab2c3b42cd5e2cac7b5da30b8f6b4f0b0b8a1a3'],
  [
    'gb18030',
    '今天天气怎么样？今天北京晴，最高气温二十五度。',
    'bdf1ccecccecc6f8d4f5c3b4d1f9a3bfbdf1ccecb1b1bea9c7e7a3acd7eeb8dfc6f8cec2b6fecaaecee5b6c8a1a3',
  ],
  ['gb18030', '手机屏幕碎了怎么办', 'cad6bbfac6c1c4bbcbe9c1cbd4f5c3b4b0ec'],
  ['big5', '第0個問題是什麼,這是第0個答案。', 'b2c430add3b0ddc344ac4fa4b0bbf22cb36fac4fb2c430add3b5aaaed7a143'],
  [
    'big5',
    '今天天氣怎麼樣？今天台北晴朗，最高氣溫二十五度。',
    'a4b5a4d1a4d1aef0abe7bbf2bccba148a4b5a4d1a578a55fb4b8aed4a141b3ccb0aaaef0b7c5a447a451a4adabd7a143',
  ],
  [
    'shift_jis',
    '番号0の質問は何ですか,これは答えです。',
    '94d48d863082cc8ebf96e282cd89bd82c582b782a92c82b182ea82cd939a82a682c582b78142',
  ],
  [
    'euc-jp',
    '番号0の質問は何ですか,これは答えです。',
    'c8d6b9e630a4cebcc1cce4a4cfb2bfa4c7a4b9a4ab2ca4b3a4eca4cfc5faa4a8a4c7a4b9a1a3',
  ],
  ['shift_jis', 'カタカナ,テスト', '834a835e834a83692c836583588367'],
  [
    'euc-kr',
    '0번 질문은 무엇입니까,이것은 0번 답변입니다.',
    '30b9f820c1fab9aec0ba20b9abbef9c0d4b4cfb1ee2cc0ccb0cdc0ba2030b9f820b4e4baafc0d4b4cfb4d92e',
  ],
  [
    'euc-kr',
    '오늘 날씨가 어때요? 서울은 맑고 기온은 이십오도입니다.',
    'bfc0b4c320b3afbebeb0a120beeeb6a7bfe43f20bcadbfefc0ba20b8bcb0ed20b1e2bfc2c0ba20c0ccbdcabfc0b5b5c0d4b4cfb4d92e',
  ],
  [
    'macintosh',
    'Où est le café? Il est là-bas, à gauche, près de la forêt.',
    '4f9d20657374206c65206361668e3f20496c20657374206c882d6261732c2088206761756368652c2070728f73206465206c6120666f7290742e',
  ],
];

describe('old encodings', () => {
  test.each(CASES)('%s: %s', (name, text, hex) => {
    const file = readText('a.csv', csv(fromHex(hex)));
    expect(file.encoding).toBe(name);
    expect(file.text.split('\n')[1]).toBe(`${text},a`);
    expect(file.problems).toHaveLength(1);
    expect(file.problems[0]!.code).toBe('not_utf8');
    expect(file.problems[0]!.action).toContain('It was read as');
  });

  test('what cannot be told is asked, with samples', () => {
    // A word of Hebrew is also a word of Cyrillic: no text is long enough to know without its letters’ frequencies.
    const unclear = Uint8Array.from([...utf8('text,label\nx'), 0x81, 0xfe, ...utf8('y,a\n')]);
    const error = errorOf(() => readText('a.csv', unclear));
    expect(error.code).toBe('bad_data');
    expect(error.message).toContain('cannot be told');
    for (const { set } of error.choices ?? []) {
      const encoding = set['dataset.encoding'] as string;
      expect(readText('a.csv', unclear, encoding).encoding).toBe(encoding);
    }
  });

  test('random bytes are never read unasked', () => {
    let seed = 7;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 24;
    };
    for (let round = 0; round < 20; round++) {
      const noise = Array.from({ length: 200 }, () => 0x80 + (random() % 128));
      expect(chooseEncoding(Uint8Array.from([...noise, 10]))).toMatchObject({ sure: false });
    }
  });

  test('the encoding can be given', () => {
    const bytes = csv(fromHex('cfe5f0e2fbe9'));
    expect(readText('a.csv', bytes, 'windows-1251').text).toContain('Первый');
    expect(readText('a.csv', bytes, 'windows-1252').text).toContain('Ïåðâûé');
    expect(errorOf(() => readText('a.csv', bytes, 'latin-9')).message).toContain('no encoding “latin-9”');
    const wrong = readText('a.csv', bytes, 'utf-8');
    expect(wrong.problems.map((p) => p.code)).toEqual(['wrong_encoding']);
  });
});

describe('UTF-16 without a byte order mark', () => {
  const utf16 = (text: string, bigEndian: boolean) =>
    Uint8Array.from(
      text
        .split('')
        .flatMap((c) =>
          bigEndian ? [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 255] : [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8],
        ),
    );
  test.each([
    ['Chinese', '问题,答案\n第一个问题是什么,这是第一个答案。\n今天天气怎么样,很好\n'],
    ['Japanese', '質問,回答\n番号の質問は何ですか,これは答えです\n'],
    ['Korean', '질문,답변\n질문은 무엇입니까,이것은 답변입니다\n'],
    ['Russian', 'вопрос,ответ\nКакой номер?,Ноль\n'],
    ['English', 'question,answer\nWhich number?,None\n'],
  ])('%s', (_name, text) => {
    expect(readText('a.csv', utf16(text, false))).toMatchObject({ text, encoding: 'utf-16le', problems: [] });
    expect(readText('a.csv', utf16(text, true))).toMatchObject({ text, encoding: 'utf-16be', problems: [] });
  });

  test('a few stray zero bytes are not UTF-16', () => {
    expect(readText('a.txt', utf8(`one\0two and three\0${'x'.repeat(100)}`)).encoding).toBe('utf-8');
  });
});

describe('UTF-8 that was read as something else', () => {
  /** Python: text.encode().decode(encoding) */
  test.each([
    [
      'utf-8-as-windows-1252',
      'OÃ¹ est le cafÃ©?,Il est lÃ\u00a0-bas â€“ Ã\u00a0 gauche',
      'Où est le café?,Il est là-bas – à gauche',
    ],
    ['utf-8-as-windows-1252', 'itâ€™s â€œfineâ€\u009d, BÃ¼cher', 'it’s “fine”, Bücher'],
    ['utf-8-as-windows-1252', 'ä½\u00a0å¥½ï¼Œå¤§å®¶å¥½', '你好，大家好'],
    ['utf-8-as-windows-1251', 'РџСЂРёРІРµС‚, РєР°Рє РґРµР»Р°?', 'Привет, как дела?'],
    ['utf-8-as-macintosh', 'O√π est le caf√©, l√†-bas', 'Où est le café, là-bas'],
  ])('%s: %s', (how, text, meant) => {
    const { problems } = readText('a.csv', utf8(`text,label\n${text},a\n${text},b\n`));
    expect(problems.map((p) => p.code)).toEqual(['mojibake']);
    expect(problems[0]!.choices).toEqual([{ label: expect.any(String), set: { 'dataset.encoding': how } }]);
    const mended = readText('a.csv', utf8(text), how);
    expect(mended.text).toBe(meant);
    expect(mended.problems).toEqual([]);
  });

  test.each([
    'Où est le café? Il est là-bas – à gauche',
    'São Paulo, É, Ã, Â — “ok”',
    'Привет, как дела? РС и СССР',
    '√2 ≈ 1.41, 10 % ± 3 °C',
    '你好，大家好',
    'Việt Nam, Đà Nẵng',
  ])('%s is right', (text) => {
    expect(findMojibake(`${text}\n${text}\n`)).toBeNull();
  });

  test('text that is right stays when other places are mended', () => {
    expect(mend('cafÃ© and café', 'utf-8-as-windows-1252')).toEqual({ text: 'café and café', mended: 1, kept: 1 });
  });
});
