/** Names of repositories, by the rules of the Hub. */
import { TabtuneError } from '../../base/errors';

const LONGEST = 96;

/** Why a repository cannot have this name; null if it can. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'Enter a name.';
  if (name.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  if (!/^[\w.-]+$/.test(name)) return 'Use letters from a to z, digits, hyphens, underscores and dots only.';
  if (/^[-.]|[-.]$/.test(name)) return 'A name cannot begin or end with a hyphen or a dot.';
  if (/--|\.\./.test(name)) return 'A name cannot have two hyphens or two dots in a row.';
  if (/\.(git|ipynb)$/.test(name)) return 'A name cannot end with .git or .ipynb.';
  return null;
}

/** The nearest name that is allowed: `Ödön’s replies · 2` becomes `Odons-replies-2`. */
export function suggestName(text: string): string {
  const plain = text.normalize('NFKD').replace(/[\p{M}'’]/gu, '');
  const joined = plain
    .replace(/[^\w.-]+/g, '-')
    .replace(/-*([-.])[-.]*/g, '$1')
    .slice(0, LONGEST)
    .replace(/^[-.]+|[-.]+$/g, '')
    .replace(/\.(git|ipynb)$/, '-$1');
  return joined || 'tabtune-model';
}

/** Throws `bad_recipe` unless the text is OWNER/NAME with a possible name. */
export function checkRepo(repo: string): { owner: string; name: string } {
  const [owner = '', name = '', ...rest] = repo.split('/');
  const problem = rest.length > 0 || owner === '' ? 'A repository is called OWNER/NAME.' : nameProblem(name);
  if (problem === null && /^[\w.-]+$/.test(owner)) return { owner, name };
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `The Hub allows no repository called ${repo}.`,
    where: 'Repository',
    action: problem ?? 'Check the name of the owner.',
  });
}
