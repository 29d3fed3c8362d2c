import { useMemo } from 'react';
import { checkRecipe } from '../../../recipe/defaults';
import { diffRecipes } from '../../../recipe/diff';
import { readLinkDetail, withShared } from '../../../recipe/share';
import type { RecipeInput } from '../../../recipe/types';
import { toErrorData } from '../../../stores/errors';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { shareText } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { ErrorNotice, Notice } from '../../ui/Notice';
import { navigate } from '../../util/route';
import { Changes } from './Changes';

const text = shareText.received;

/** A recipe that came with a link: what it would change, before anything does. */
export function SharedRecipe({ detail }: { detail: string }) {
  const { input, recipe, apply } = useRecipe(useFields('input', 'recipe', 'apply'));
  const read = useMemo(() => {
    try {
      return { shared: readLinkDetail(detail), error: null };
    } catch (cause) {
      return { shared: null, error: toErrorData(cause, 'The link could not be read.') };
    }
  }, [detail]);
  const leave = () => navigate('recipe');
  if (!read.shared) {
    const { error } = read;
    return (
      <ErrorNotice
        error={{ ...error, message: `${text.broken}${error.message}` }}
        actions={<Button onClick={leave}>{text.close}</Button>}
      />
    );
  }
  const { shared } = read;
  const next = withShared(input, shared);
  const { recipe: candidate, problems } = checkRecipe(next);
  const differences = candidate ? diffRecipes(recipe, candidate) : [];
  const source = shared.model?.source;
  const use = (taken: RecipeInput) => {
    apply(shared.name ?? text.title, taken);
    leave();
  };
  return (
    <Notice
      announced
      title={text.title}
      actions={
        <>
          {differences.length > 0 && (
            <Button variant="primary" onClick={() => use(next)}>
              {text.use}
            </Button>
          )}
          <Button onClick={leave}>{text.keep}</Button>
        </>
      }
    >
      <p>{differences.length > 0 ? text.text : text.nothing}</p>
      {differences.length > 0 && (
        <Changes differences={differences} caption={text.caption} heads={[text.field, text.mine, text.theirs]} />
      )}
      {problems.map(({ where, message, action }) => (
        <p key={`${where} ${message}`} className="text-danger">
          <span className="font-mono text-[0.8125rem]">{where}</span> {message} {action}
        </p>
      ))}
      {shared.dataset?.source === undefined && <p>{text.keepsData}</p>}
      {source?.startsWith('hf:') && source !== recipe.model.source && <p>{text.download(source)}</p>}
    </Notice>
  );
}
