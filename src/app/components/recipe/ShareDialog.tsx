import { Copy, FileDown } from 'lucide-react';
import { useId, useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import type { RecipePath } from '../../../recipe/fields';
import { linkDetail, shareable } from '../../../recipe/share';
import type { RecipeInput } from '../../../recipe/types';
import { toErrorData } from '../../../stores/errors';
import { useRecipe } from '../../../stores/recipe';
import { shareText as text } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Input } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { hashOf } from '../../util/route';
import { saveRecipe } from '../../util/saveFiles';

interface Link {
  input: RecipeInput;
  leftOut: RecipePath[];
  url: string | null;
  error: ErrorData | null;
}

function linkFor(recipe: Parameters<typeof shareable>[0]): Link {
  const { input, leftOut } = shareable(recipe);
  try {
    const url = new URL(hashOf('recipe', linkDetail(input)), window.location.href).href;
    return { input, leftOut, url, error: null };
  } catch (cause) {
    return { input, leftOut, url: null, error: toErrorData(cause, 'The link could not be made.') };
  }
}

/** The recipe as a link, with everything that the link holds. */
export function ShareDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const recipe = useRecipe((state) => state.recipe);
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const id = useId();
  if (!open) return null;
  const { input, leftOut, url, error } = linkFor(recipe);
  async function copy() {
    try {
      await navigator.clipboard.writeText(url ?? '');
      setCopied('yes');
    } catch {
      setCopied('refused');
    }
  }
  return (
    <Dialog
      open
      onClose={() => {
        setCopied('no');
        onClose();
      }}
      title={text.title}
      description={text.description}
      footer={
        <>
          <Button onClick={saveRecipe}>
            <FileDown aria-hidden size={16} /> {text.asFile}
          </Button>
          {url && (
            <Button variant="primary" onClick={copy}>
              <Copy aria-hidden size={16} /> {copied === 'yes' ? text.copied : text.copy}
            </Button>
          )}
        </>
      }
    >
      <div className="space-y-3">
        {error && <ErrorNotice error={error} />}
        {url && (
          <div>
            <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
              {text.link}
            </label>
            <Input id={id} readOnly value={url} onFocus={({ target }) => target.select()} />
          </div>
        )}
        <p role="status" className="text-[0.8125rem] text-warn empty:hidden">
          {copied === 'refused' && text.notCopied}
        </p>
        {leftOut.length > 0 && <p>{text.leftOut(leftOut.join(', '))}</p>}
        <div>
          <h3 className="mb-1 text-[0.8125rem] font-medium">{text.contents}</h3>
          <pre className="overflow-x-auto rounded-md border bg-canvas p-3 font-mono text-xs">
            {JSON.stringify(input, null, 2)}
          </pre>
        </div>
      </div>
    </Dialog>
  );
}
