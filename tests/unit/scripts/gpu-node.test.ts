import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/build.mjs';
import { suiteWithMesa } from '../../../scripts/llvmpipe.mjs';
import { always, needPage } from '../../gpu-node/files.mjs';

test('what the suite gpu-node leaves out, and what every run of it has, exists', () => {
  const files = [...Object.keys(needPage), ...always];
  expect(files.filter((file) => !existsSync(`${root}/${file}`))).toEqual([]);
  expect(always.filter((file) => file in needPage)).toEqual([]);
});

/** As `apt-cache madison mesa-vulkan-drivers` printed them. */
const line = (version: string, suite: string) =>
  `mesa-vulkan-drivers | ${version} | http://deb.debian.org/debian ${suite}/main amd64 Packages`;

test.each([
  ['bookworm', ['25.0.7-2~bpo12+1 bookworm-backports', '22.3.6-1+deb12u2 bookworm'], 'bookworm-backports'],
  // Its own Mesa is preferred to a newer one.
  ['trixie', ['26.1.6-1~bpo13+1 trixie-backports', '25.0.7-2 trixie'], 'trixie'],
  // Of another release: it would need another C library.
  ['bookworm', ['25.0.7-2 trixie', '22.3.6-1+deb12u2 bookworm'], null],
  ['bookworm', [], null],
])('Mesa for %s with %j is of %s', (release, rows, expected) => {
  const madison = rows.map((row) => line(...(row.split(' ') as [string, string]))).join('\n');
  const { suite, found } = suiteWithMesa(madison, release);
  expect(suite).toBe(expected);
  // What an error names.
  expect(found).toEqual(rows.map((row) => row.replace(' ', ' in ')));
});
