/** The parts of TRL scripts that need no Python to be checked; scripts/interop/trl.mjs runs whole scripts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { comment, pythonLiteral, yamlValue } from '../../../src/exports/trainers/trl/literals';
import { VERSIONS } from '../../../src/exports/trainers/trl/versions';

test('a script asks for the packages that it was tried with', () => {
  const tried = readFileSync('tests/oracle/requirements.txt', 'utf8');
  for (const [name, version] of Object.entries(VERSIONS)) expect(tried).toContain(`${name}==${version}\n`);
});

describe('values', () => {
  test('in Python', () => {
    expect(pythonLiteral({ a: [1, 2.5e-8, null, true], 'b"': 'c\n"' })).toBe(
      '{"a": [1, 2.5e-8, None, True], "b\\"": "c\\n\\""}',
    );
  });

  test('in YAML, whose numbers need a point before an exponent', () => {
    expect([1e-7, -1e-7, 2.5e-8, 1e21, 0.1, 3].map(yamlValue)).toEqual([
      ...['1.0e-7', '-1.0e-7', '2.5e-8', '1.0e+21', '0.1', '3'],
    ]);
    expect(yamlValue(['yes', null, { a: false }])).toBe('["yes", null, {"a": false}]');
  });
});

test('whatever a text contains stays in the comment', () => {
  const lines = comment('a\nimport os\r\u2028os.system("x") \u0085 b', '- ');
  expect(lines).toEqual(['# - a import os os.system("x") b']);
  const long = comment('word '.repeat(60), '- ');
  expect(long.length).toBeGreaterThan(1);
  expect(long.every((line) => line.startsWith('# ') && line.length <= 120)).toBe(true);
  expect(long.slice(1).every((line) => line.startsWith('#   word'))).toBe(true);
});
