import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256 } from '../../../src/storage/sha256';

/** Mixed bytes, the same ones in every run. */
const mixed = (length: number) => Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
const node = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('SHA-256 in pieces', () => {
  // FIPS 180-2, appendix B.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('%j', (text, hash) => {
    expect(new Sha256().update(new TextEncoder().encode(text)).digest()).toBe(hash);
  });

  it('matches Node for every length around the block boundaries', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = mixed(length);
      expect(new Sha256().update(bytes).digest(), `${length} bytes`).toBe(node(bytes));
    }
  });

  it('does not depend on how the bytes are split', () => {
    const bytes = mixed(300_007);
    for (const step of [1, 63, 64, 65, 4096, 100_000]) {
      const hash = new Sha256();
      for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
      expect(hash.digest(), `pieces of ${step}`).toBe(node(bytes));
    }
  });
});
