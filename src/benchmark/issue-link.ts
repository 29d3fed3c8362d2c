/** A link that opens the project's form for a new issue with a benchmark's result in it. */
import { asLine, type BenchmarkResult } from './result';

/** Servers refuse longer addresses: GitHub's limit is near 8,000 characters. */
const MOST = 7500;

export interface IssueLink {
  href: string;
  /** Where it leads. */
  host: string;
  /** The result is too long for an address, so the form asks for it to be pasted. */
  paste: boolean;
}

/**
 * `issues`: the address of the project's issues, package.json's `bugs.url`, to which `/new` is added. Null without one, or with one that
 * is not https. `name` of the card.
 */
export function issueLink(issues: string | null, result: BenchmarkResult, name: string): IssueLink | null {
  if (!issues || !URL.canParse(issues) || new URL(issues).protocol !== 'https:') return null;
  const form = new URL(`${issues.replace(/\/+$/, '')}/new`);
  const withBody = (body: string) => {
    const link = new URL(form);
    link.searchParams.set('title', `Benchmark: ${name}`);
    link.searchParams.set('body', body);
    return link.href;
  };
  const whole = withBody(`\`\`\`json\n${asLine(result)}\n\`\`\`\n`);
  const paste = whole.length > MOST;
  const href = paste ? withBody('Paste the result here; it has been copied.\n') : whole;
  return { href, host: form.host, paste };
}
