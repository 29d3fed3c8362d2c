/** Cells that mean nothing, and letters in old encodings. */
import { encode } from 'iconv-lite';
import { describe } from 'vitest';
import { asks, type Case, check, gives, lines, pairs, says, times } from './harness';

const ask = (i: number) => `Where does hen ${i} sleep?`;
const tell = (i: number) => `On perch ${i}.`;
const eight = pairs(8, ask, tell);
const rows = (make: (i: number) => string) => times(8, make);
const mood = (i: number) => ['calm', 'loud'][i % 2]!;

describe('cells that mean nothing', () => {
  const film = times(16, (i) => `A film of ${i} hens and a fox`);
  const kept = film.map(
    (text, i) =>
      [
        ['c', text],
        ['l', mood(i)],
      ] as const,
  );
  const empties = ['nan', 'NaN', 'None', 'NULL', 'null', '\\N', 'N/A', '#N/A', '<NA>', ''];
  check(
    empties.map((nothing) => ({
      name: `${nothing || 'empty'} as text and as label`,
      file: 'a.csv',
      content: lines(
        'text,label',
        ...film.map((text, i) => `${text},${mood(i)}`),
        ...[`${nothing},calm`, `An egg,${nothing}`, `${nothing},${nothing}`, `A hen,${nothing}`],
      ),
      ends: [gives(kept, /4 |empty|nothing|[Rr]ow 6/), asks(/empty|missing/i, kept)],
    })),
  );
  check([
    {
      name: 'error cells of a spreadsheet as answers',
      file: 'a.csv',
      content: lines(
        'question,answer',
        ...times(9, (i) => `${ask(i)},${i % 3 === 0 ? '#N/A' : i % 3 === 1 ? '#REF!' : tell(i)}`),
      ),
      ends: gives(
        [2, 5, 8].map(
          (i) =>
            [
              ['u', ask(i)],
              ['a', tell(i)],
            ] as const,
        ),
        /#REF!|#N\/A|empty/,
      ),
    },
    {
      name: '"None" as an answer in JSON Lines, repeatedly',
      file: 'a.jsonl',
      content: lines(...times(6, (i) => JSON.stringify({ prompt: ask(i), completion: i % 2 ? 'None' : tell(i) }))),
      ends: [
        gives(
          [0, 2, 4].map(
            (i) =>
              [
                ['u', ask(i)],
                ['a', tell(i)],
              ] as const,
          ),
          /None/,
        ),
        asks(/None/),
        says(/None/),
      ],
    },
    {
      name: 'one honest “None” among real answers',
      file: 'a.csv',
      content: lines('question,answer', ...rows((i) => `${ask(i)},${i === 4 ? 'None' : tell(i)}`)),
      ends: [
        gives(pairs(8, ask, (i) => (i === 4 ? 'None' : tell(i)))),
        gives(
          eight.filter((_, i) => i !== 4),
          /None/,
        ),
      ],
    },
    {
      name: 'an unused column full of NaN costs no row',
      file: 'a.csv',
      content: lines('question,answer,checked', ...rows((i) => `${ask(i)},${tell(i)},NaN`)),
      ends: gives(eight),
    },
  ]);
});

describe('encodings', () => {
  const written = (
    codec: string,
    header: string,
    q: (i: number) => string,
    a: (i: number) => string,
    name: string,
  ): Case => ({
    name,
    file: 'a.csv',
    content: encode(lines(header, ...rows((i) => `${q(i)},${a(i)}`)), codec),
    ends: [gives(pairs(8, q, a)), asks(/encod|letters/i, pairs(8, q, a))],
  });
  check([
    written(
      'gb18030',
      '问题,回答',
      (i) => `第${i}只母鸡睡在哪里？`,
      (i) => `它睡在第${i}根栖木上，靠近窗户。`,
      'gb18030',
    ),
    written(
      'gbk',
      'question,answer',
      (i) => `母鸡${i}吃什么？`,
      (i) => `玉米和草，一天${i}次。`,
      'GBK with an English header',
    ),
    written(
      'Shift_JIS',
      '質問,回答',
      (i) => `${i}番のめんどりはどこで寝ますか？`,
      (i) => `${i}番のとまり木の上です。`,
      'Shift-JIS',
    ),
    written(
      'EUC-KR',
      '질문,답변',
      (i) => `암탉 ${i}는 어디에서 자나요?`,
      (i) => `횃대 ${i} 위에서 잡니다.`,
      'EUC-KR',
    ),
    written(
      'Big5',
      '問題,回答',
      (i) => `第${i}隻母雞睡在哪裡？`,
      (i) => `牠睡在第${i}根棲木上，靠近窗戶。`,
      'Big5',
    ),
    written(
      'windows-1251',
      'Вопрос,Ответ',
      (i) => `Где спит курица ${i}?`,
      (i) => `На насесте номер ${i} у окна.`,
      'Windows-1251',
    ),
    written(
      'windows-1252',
      'Question,Réponse',
      (i) => `Où dort la poule n° ${i} l’été ?`,
      (i) => `Près de la fenêtre à côté du nº ${i}.`,
      'Windows-1252',
    ),
    written(
      'utf-16le',
      '问题,回答',
      (i) => `第${i}只母鸡睡在哪里？`,
      (i) => `它睡在第${i}根栖木上。`,
      'UTF-16LE without a mark, Chinese',
    ),
    written('utf-16be', 'question,answer', ask, tell, 'UTF-16BE without a mark'),
    {
      name: 'UTF-8 that was read as Windows-1252 and saved again',
      file: 'a.csv',
      content: lines('question,answer', ...rows((i) => `OÃ¹ dort la poule ${i} ?,PrÃ¨s de lâ€™Ã©tang`)),
      ends: [says(/mojibake|wrong encoding|encod|letters/i), asks(/encod|letters/i)],
    },
    {
      name: 'HTML entities',
      file: 'a.csv',
      content: lines('question,answer', ...rows((i) => `Hen &amp; egg ${i}?,It&#39;s &lt;b&gt;so&lt;/b&gt;`)),
      ends: [says(/HTML|&amp;|entit/), asks(/HTML|entit/)],
    },
  ]);
});
