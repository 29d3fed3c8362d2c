/** The line that people send around: what is written is read back, and what is wrong in it is named. */
import { describe, expect, test } from 'vitest';
import { issueLink } from '../../../src/benchmark/issue-link';
import { asLine, type BenchmarkResult, readResult } from '../../../src/benchmark/result';

const spread = { median: 2 / 3, least: 0.5, most: 1 };
const result: BenchmarkResult = {
  tabtune_benchmark: 1,
  app: '0.1.0',
  when: '2026-01-02T03:04:05.678Z',
  adapter: {
    ...{ vendor: 'nvidia', architecture: 'ada', description: '', software: false },
    ...{ features: ['shader-f16'], subgroup_sizes: [32, 32], limits: { maxBufferSize: 2 ** 31 } },
  },
  ...{ browser: 'Chrome', visible: true, reduced: false, seconds: 123.456789 },
  floors: {
    ...{ dispatch_32_us: spread, dispatch_500_us: spread, copy_us: spread, submit_us: spread, map_ms: spread },
    ...{ bandwidth_gb_s: spread, f32_tflops: spread, f16_tflops: null },
  },
  products: [
    { kind: 'NT', format: 'nf4', m: 1, n: 576, k: 576, ms: 0.0123456789, tflops: 0.05, share: 0.1, error: null },
  ],
  ...{ steps: [], decode: [], sustained: null, left_out: [{ what: 'Llama', why: 'no room' }] },
  fingerprint: { losses: [5.8297891], expected: [5.8297891], agrees: true },
};

describe('a result on one line', () => {
  test('is read back with five digits, and whole numbers are kept', () => {
    const line = asLine(result);
    expect(line).not.toContain('\n');
    const read = readResult(line);
    expect(read.products[0]).toMatchObject({ ms: 0.012346, n: 576 });
    expect(read.adapter.limits.maxBufferSize).toBe(2 ** 31);
    expect(read.floors.map_ms.median).toBe(0.66667);
  });

  test.each([
    ['another version', { tabtune_benchmark: 2 }, /tabtune_benchmark|Invalid type: Expected 1/],
    ['a field that nobody knows', { secret: 'x' }, /secret/],
    ['a negative time', { seconds: -1 }, />=0/],
    ['a time that is no date', { when: 'yesterday' }, /timestamp/],
    ['a missing part', { floors: undefined }, /floors/],
  ])('%s is refused', (_, change, words) => {
    expect(() => readResult(JSON.stringify({ ...result, ...change }))).toThrow(words);
  });
});

describe('a link to report it', () => {
  const issues = 'https://example.org/tabtune/issues';

  test('opens a form with the title and the result, which can be read back', () => {
    const { href, host, paste } = issueLink(`${issues}/`, result, 'RTX 4070 & friends')!;
    const { origin, pathname, searchParams } = new URL(href);
    expect([origin + pathname, host, paste]).toEqual([`${issues}/new`, 'example.org', false]);
    expect(searchParams.get('title')).toBe('Benchmark: RTX 4070 & friends');
    const [, line] = searchParams.get('body')!.split('\n');
    expect(readResult(line!)).toEqual(readResult(asLine(result)));
  });

  test('asks for a long result to be pasted, and stays short', () => {
    const products = Array.from({ length: 60 }, () => result.products[0]!);
    const { href, paste } = issueLink(issues, { ...result, products }, 'a card')!;
    expect(paste).toBe(true);
    expect(href.length).toBeLessThan(400);
    expect(new URL(href).searchParams.get('body')).toMatch(/Paste the result here/);
  });

  test.each([null, '', 'issues', 'http://example.org', 'javascript:alert(1)'])('there is none to %j', (address) => {
    expect(issueLink(address, result, 'a card')).toBeNull();
  });
});
