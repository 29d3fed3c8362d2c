import type { ReactNode } from 'react';
import type { Assumed, ImportedConfig } from '../../../recipe/conversion/import';
import { checkRecipe } from '../../../recipe/defaults';
import { diffRecipes } from '../../../recipe/diff';
import { withShared } from '../../../recipe/share';
import { useImported } from '../../../stores/imported';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { importText as text } from '../../text/imported';
import { shareText } from '../../text/recipe';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { FieldName } from '../../ui/FieldName';
import { shownValue } from '../runs/differences';
import { Changes } from './Changes';
import { FieldTable } from './FieldTable';

const received = shareText.received;

/** Another trainer's settings: what they would change, and what of them has no place here, before anything does. */
export function ImportedRecipe() {
  const { offered, dismiss } = useImported(useFields('offered', 'dismiss'));
  const { input, recipe, apply } = useRecipe(useFields('input', 'recipe', 'apply'));
  if (!offered) return null;
  const { name, config } = offered;
  const next = withShared(input, config.input);
  const { recipe: candidate, problems } = checkRecipe(next);
  const differences = candidate ? diffRecipes(recipe, candidate) : [];
  const same = candidate !== null && differences.length === 0;
  const use = () => {
    apply(name, next);
    dismiss();
  };
  const source = config.input.model?.source;
  return (
    <Dialog
      open
      onClose={dismiss}
      shape="wide"
      title={text.title(config.from)}
      description={text.counts(name, config.taken.length, config.left.length)}
      footer={
        <>
          <Button onClick={dismiss}>{received.keep}</Button>
          <Button variant="primary" why={same && text.nothing} onClick={use}>
            {text.use}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <section className="space-y-1">
          <h3 className="font-semibold">{text.changes}</h3>
          {same && <p>{text.nothing}</p>}
          {differences.length > 0 && (
            <Changes
              differences={differences}
              caption={text.caption}
              heads={[received.field, received.mine, config.from]}
            />
          )}
          {problems.map(({ where, message, action }) => (
            <p key={`${where} ${message}`} className="text-danger">
              <span className="font-mono text-[0.8125rem]">{where}</span> {message} {action}
            </p>
          ))}
          <p className="text-muted">{received.keepsData}</p>
          {source?.startsWith('hf:') && source !== recipe.model.source && (
            <p className="text-muted">{received.download(source)}</p>
          )}
          {config.assumed.length > 0 && <AssumedFields from={config.from} assumed={config.assumed} />}
        </section>
        <LeftOut config={config} />
        <Taken config={config} />
      </div>
    </Dialog>
  );
}

function AssumedFields({ from, assumed }: { from: string; assumed: readonly Assumed[] }) {
  return (
    <p className="text-muted">
      {text.assumed(from)}
      {assumed.map(({ path, as }, i) => (
        <span key={path}>
          {i > 0 && ', '}
          <span className="font-mono text-[0.8125rem]">{path}</span> {shownValue(path, as)}
        </span>
      ))}
      .
    </p>
  );
}

/** A value as it stands in the file, shortened. */
function written(value: unknown): string {
  const all = typeof value === 'string' ? value : JSON.stringify(value);
  return all.length > 80 ? `${all.slice(0, 77)}…` : all;
}

function LeftOut({ config: { left } }: { config: ImportedConfig }) {
  if (left.length === 0) return null;
  return (
    <Listed title={text.left(left.length)} open heads={[text.setting, text.why]}>
      {left.map(({ field, value, why }) => (
        <tr key={field} className="border-b align-top last:border-b-0">
          <Setting field={field} value={value} />
          <td className="py-1">{why}</td>
        </tr>
      ))}
    </Listed>
  );
}

function Taken({ config: { taken } }: { config: ImportedConfig }) {
  return (
    <Listed title={text.taken(taken.length)} heads={[text.setting, text.becomes]}>
      {taken.map(({ field, value, path, as }) => (
        <tr key={field} className="border-b align-top last:border-b-0">
          <Setting field={field} value={value} />
          <td className="py-1 wrap-anywhere">
            <span className="font-mono">
              <FieldName name={path} />
            </span>{' '}
            {shownValue(path, as)}
          </td>
        </tr>
      ))}
    </Listed>
  );
}

function Setting({ field, value }: { field: string; value: unknown }) {
  return (
    <th scope="row" className="w-1/2 py-1 pr-4 font-mono font-normal wrap-anywhere">
      <FieldName name={field} />: <span className="text-muted">{written(value)}</span>
    </th>
  );
}

function Listed({
  title,
  heads,
  open = false,
  children,
}: {
  title: string;
  heads: [string, string];
  open?: boolean;
  children: ReactNode;
}) {
  return (
    <details open={open}>
      <summary className="py-1 font-semibold">{title}</summary>
      <FieldTable caption={title} heads={heads}>
        {children}
      </FieldTable>
    </details>
  );
}
