/** YAML as the trainers' own parser (PyYAML, version 1.1) reads it back. */
import { Document, type ScalarTag, type YAMLMap } from 'yaml';

interface YamlSection {
  /** A line above it. */
  title: string;
  values: Readonly<Record<string, unknown>>;
}

/** PyYAML takes `1e-8` for text: it wants a point and a sign. */
const exponent: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => typeof value === 'number' && String(value).includes('e'),
  test: /^[-+]?\d+\.\d*e[-+]\d+$/,
  resolve: Number,
  stringify({ value }) {
    const [digits, power] = String(value).split('e') as [string, string];
    return `${digits.includes('.') ? digits : `${digits}.0`}e${/^[-+]/.test(power) ? power : `+${power}`}`;
  },
};

/** An empty line stays inside the comment. */
const comment = (lines: readonly string[]) => lines.map((line) => ` ${line}`).join('\n');

/** Sections that are empty are left out. */
export function yamlText(header: readonly string[], sections: readonly YamlSection[]): string {
  const document = new Document({}, { version: '1.1', customTags: (tags) => [exponent, ...tags] });
  const map = document.contents as unknown as YAMLMap;
  for (const { title, values } of sections) {
    Object.entries(values).forEach(([key, value], i) => {
      const pair = document.createPair(key, value);
      if (i === 0) {
        pair.key.spaceBefore = map.items.length > 0;
        pair.key.commentBefore = comment([title]);
      }
      map.items.push(pair as never);
    });
  }
  document.commentBefore = comment(header);
  // No directive: the version decides only how values are quoted.
  return document.toString({ lineWidth: 0, directives: false, flowCollectionPadding: false });
}
