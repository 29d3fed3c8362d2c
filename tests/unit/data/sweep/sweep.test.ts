/**
 * Every shape × encoding × damage is read right, asked about, or refused; nothing is read wrong in silence. SWEEP_SEEDS=N tries N
 * fillings of each with other words (2 in npm test).
 */
import { expect, test } from 'vitest';
import { shapes } from './shapes';
import { damages, type EncodingName, encodings, judge, type Verdict, write } from './sweep';

const seeds = Number(process.env.SWEEP_SEEDS ?? 2);
const counts: Record<Verdict | 'tried', number> = { tried: 0, right: 0, asked: 0, refused: 0, wrong: 0 };
const wrong: string[] = [];
/** Shape by shape, so that the report says which. */
const refused = new Map<string, string>();

test('there are forty shapes, six encodings, five kinds of damage', () => {
  expect(new Set(shapes.map(({ name }) => name)).size).toBe(shapes.length);
  expect(shapes.length).toBeGreaterThanOrEqual(40);
  expect(Object.keys(encodings)).toHaveLength(6);
  expect(damages).toHaveLength(5);
});

test.each(shapes)('$name', async (shape) => {
  const found: string[] = [];
  for (const [e, encoding] of (Object.keys(encodings) as EncodingName[]).entries()) {
    for (const damage of damages) {
      for (let n = 0; n < seeds; n++) {
        const seed = shapes.indexOf(shape) + e + 31 * n;
        const written = write(shape, encoding, damage, seed);
        if (!written) continue;
        const { verdict, why } = await judge(shape, written);
        counts.tried++;
        counts[verdict]++;
        const line = `${encoding}, ${damage}, seed ${seed}: ${why}`;
        if (verdict === 'wrong') found.push(line);
        if (verdict === 'refused') refused.set(`${shape.name}, ${damage}`, line);
      }
    }
  }
  wrong.push(...found.map((line) => `${shape.name}: ${line}`));
  expect(found).toEqual([]);
});

test('the figures', () => {
  const { tried, right, asked, refused: no, wrong: bad } = counts;
  console.log(`Sweep: ${tried} tried, ${right} right, ${asked} asked, ${no} refused, ${bad} wrong.`);
  if (process.env.SWEEP_VERBOSE) {
    const lines = [...refused].map(([of, line]) => `refused: ${of}: ${line}`);
    console.log([...lines, ...wrong.map((line) => `wrong: ${line}`)].join('\n'));
  }
  expect(bad).toBe(0);
  expect(right + asked + no).toBe(tried);
});
