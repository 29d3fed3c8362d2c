import { describe, expect, it } from 'vitest';
import { type PersonalKind, personalKinds } from '../../../src/base/personal-kinds';
import { maskedSpot, personalSpots, withoutPersonal } from '../../../src/data/personal-data';

const every = Object.keys(personalKinds) as PersonalKind[];

const found = (text: string) => personalSpots(text).map(({ kind, start, end }) => [kind, text.slice(start, end)]);

/** Written by hand after the formats' own documents; the numbers are those that issuers publish for tests. */
const spotted: [PersonalKind, string, string?][] = [
  ['email', 'jane.doe+news@mail.contoso.co.uk'],
  ['email', 'J_D-1@sub-domain.contoso.info'],
  ['phone', '+49 (0)30 1234567'],
  ['phone', '+49 170 1234567'],
  ['phone', '+44 20 7946 0958'],
  ['phone', '+1 (212) 555-0187'],
  ['phone', '+12125550187'],
  ['phone', '+33 1 23 45 67 89'],
  ['phone', '0049 30 1234567'],
  ['phone', '(212) 555-0187'],
  ['phone', '212-555-0187'],
  ['phone', '212.555.0187'],
  ['phone', '1-800-555-0199'],
  ['phone', '030 1234567'],
  ['phone', '0170/1234567'],
  ['phone', '020 7946 0958'],
  ['phone', '01 42 68 53 00'],
  ['phone', '2125550187', 'Call me: 2125550187'],
  ['phone', '555 123 4567', 'phone 555 123 4567'],
  ['secret', 'sk-proj-a8Xk29dLmQpR7sTuV3wXyZ01'],
  ['secret', 'sk-ant-api03-Qm3kX9vTz1Lw8RbN5cYpD7'],
  ['secret', `ghp_${'a1B2c3D4e5F6'.repeat(3)}`],
  ['secret', `github_pat_${'a1B2c3D4e5F6'.repeat(5)}`],
  ['secret', 'AKIAIOSFODNN7EXAMPLE'],
  ['secret', `AIza${'Sy1aB2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV'}`],
  ['secret', `hf_${'aBcDeFgHiJ'.repeat(3)}k1lM`],
  ['secret', `xoxb-${'1234567890'}-${'abcdEFGH1234'}`],
  ['secret', `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`],
  ['secret', `glpat-${'aB3dE6gH9jK2mN5pQ8sT'}`],
  [
    'secret',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  ],
  ['private_key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----'],
  [
    'private_key',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk',
  ],
  ['card', '4242424242424242'],
  ['card', '4242 4242 4242 4242'],
  ['card', '5555-5555-5555-4444'],
  ['card', '3782 822463 10005'],
  ['card', '6011111111111117'],
  ['iban', 'DE89370400440532013000'],
  ['iban', 'GB29 NWBK 6016 1331 9268 19'],
  ['iban', 'FR14 2004 1010 0505 0001 3M02 606'],
  ['ip', '203.0.113.77'],
  ['ip', '85.214.132.117'],
];

const innocent = `
2024-01-31
31.01.2024 12:30
01/31/2024
2024-01-31 12:00:00
2023-2024
1998 - 2003
1,234,567,890
1 234 567 890
$1,250,000
€ 1234567
12345678 EUR
1.234.567,89 €
99.99%
3.14159265358979
0.123456789
v1.2.3.4
version 10.4.11.2
Chrome/120.0.6099.109
192.168.0.1
127.0.0.1
10.0.0.1
255.255.255.0
Section 1.2.3.4
order 4711-0815-99
Order no. 030 1234567
invoice 2024-000123
ID 2125550187
2125550187
1234567890123456
4242424242424241
4000000000000000
ISBN 978-3-16-148410-0
978-3-16-148410-0
doi 10.1000/182
lotto 01 02 03 04 05
05 12 19 23 42
12 34 56 78 90
DE89370400440532013001
DE00000000000000000000
AB12 3456 7890 1234
icon@2x.png
@someone
user@host
name@example.com
a@b
sk-learn-style-guide-for-beginners-and-others
task-1234567890123456789012345
sk-xxxxxxxxxxxxxxxxxxxxxxxx
ghp_short
AKIA
eyJ.eyJ.abc
12:34:56.789
2^64 = 18446744073709551616
1600x1200
x = 1234567
-1234567
5f2b8c9e-1234-4321-8765-123456789012
123456789
1-2-3-4-5-6-7-8
10-20-30-40
100 200 300 400
2020 2021 2022 2023
+1000000
+20 000 000
+15 %
33 1/3
0800
16:30-18:00 020
π = 3.1415926535
-----BEGIN PUBLIC KEY-----
52.520008, 13.404954
`
  .split('\n')
  .filter((line) => line !== '');

describe('personal data', () => {
  it.each(spotted)('finds a %s: %s', (kind, shown, text = `Write to ${shown}, please.`) => {
    expect(found(text)).toEqual([[kind, shown]]);
  });

  it.each(innocent)('leaves alone: %s', (line) => {
    expect(found(`It says ${line} here.`)).toEqual([]);
    expect(found(line)).toEqual([]);
  });

  it('finds several in one text, in order, and each once', () => {
    const text =
      'Anna <anna@contoso.de>, Tel. 030 1234567 030 7654321; IBAN DE89 3704 0044 0532 0130 00, pay by 31.12.2024.';
    expect(found(text)).toEqual([
      ['email', 'anna@contoso.de'],
      ['phone', '030 1234567'],
      ['phone', '030 7654321'],
      ['iban', 'DE89 3704 0044 0532 0130 00'],
    ]);
  });

  it('puts placeholders in the place of the chosen kinds only', () => {
    const text = 'anna@contoso.de or +49 170 1234567';
    expect(withoutPersonal(text, every)).toBe('[EMAIL] or [PHONE]');
    expect(withoutPersonal(text, ['phone'])).toBe('anna@contoso.de or [PHONE]');
    expect(withoutPersonal(withoutPersonal(text, every), every)).toBe('[EMAIL] or [PHONE]');
  });

  it('shows of each only enough to know it again', () => {
    const masked = (text: string) => personalSpots(text).map((spot) => maskedSpot(text, spot));
    expect(masked('anna@contoso.de')).toEqual(['a…@c….de']);
    expect(masked('+49 170 1234567')).toEqual(['…67']);
    expect(masked('4242 4242 4242 4242')).toEqual(['…42']);
    expect(masked(`ghp_${'a1B2c3D4e5F6'.repeat(3)}`)).toEqual(['ghp_…']);
    expect(masked('sk-ant-api03-Qm3kX9vTz1Lw8RbN5cYpD7')).toEqual(['sk-…']);
    expect(masked('203.0.113.77')).toEqual(['203.….….…']);
  });

  it('takes time in proportion to the text, whatever it holds', () => {
    const hostile = [
      '@',
      'a@',
      '1 ',
      '0',
      '+',
      '(',
      'a.b@',
      'sk-',
      'eyJ',
      'eyJa.',
      'GB29',
      '1-',
      '-----BEGIN ',
      '1.1.',
      'A1 ',
    ];
    const time = (piece: string, length: number) => {
      const text = piece.repeat(length / piece.length);
      const start = performance.now();
      personalSpots(text);
      return performance.now() - start;
    };
    for (const piece of hostile) {
      time(piece, 20_000);
      // Sixteen times the text may take sixteen times as long; what is quadratic takes 256 times as long.
      const short = Math.max(2, time(piece, 20_000));
      expect(time(piece, 320_000) / short, piece).toBeLessThan(80);
    }
  });
});
