import { Download, PackageOpen } from 'lucide-react';
import { type Exported, type ExportId, exportBy, loadingCode, variantsOf } from '../../../exports';
import { leavesModel, methodOf } from '../../../methods';
import { useCompare } from '../../../stores/compare';
import { exportActive, useExports } from '../../../stores/exports';
import { useModel } from '../../../stores/model';
import { pushActive, usePush } from '../../../stores/push';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { exportText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { RadioList } from '../../ui/RadioList';
import { Rich } from '../../ui/Rich';
import { exportFileName, saveExport } from '../../util/saveFiles';

/** What an export contains, in which precision, and the button. */
export function ExportDetails({ id, exported }: { id: ExportId; exported: Exported }) {
  const one = exportBy(id);
  const builtin = useModel((state) => state.info?.source.startsWith('builtin:') === true);
  const impossible = one.refusal(exported);
  const why = useWhyNot(one.needsTraining !== false);
  const variants = variantsOf(id);
  if (impossible !== null) {
    return (
      <p className="max-w-prose text-muted [&_strong]:text-ink">
        <Rich text={text.notPossible + impossible} />
      </p>
    );
  }
  const merges = one.group === 'model' && !leavesModel(methodOf(exported.method));
  const holds =
    one.group === 'adapter'
      ? text.adapterHolds(builtin && id === 'peft')
      : one.group === 'model'
        ? `${text.modelHolds}${merges ? text.permanent : ''}`
        : null;
  const fileName = exportFileName(id, exported);
  return (
    <div className="space-y-4">
      <div className="max-w-prose space-y-2">
        <p>
          <Rich text={one.contents(exported)} />
        </p>
        {holds && <p className="text-muted">{holds}</p>}
        {one.holdsSystemPrompt?.(exported) && <p className="text-muted">{text.systemHeld}</p>}
        {id === 'peft' && <HowToLoad exported={exported} fileName={fileName} />}
      </div>
      {variants.length > 1 && <Variants id={id} />}
      {one.group === 'page' && <PageFields />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5">
        <Button data-main variant="primary" size="large" why={why} onClick={() => void saveExport(id)}>
          {one.group === 'adapter' ? <Download aria-hidden size={18} /> : <PackageOpen aria-hidden size={18} />}
          {one.action?.(exported) ?? text.export(one.label(exported))}
        </Button>
        {fileName && <p className="min-w-0 text-[0.8125rem] wrap-anywhere text-muted">{fileName}</p>}
      </div>
    </div>
  );
}

/** Why nothing can be exported now. */
function useWhyNot(needsTraining: boolean): string | false {
  const adapter = useCompare((state) => state.adapter);
  const generating = useCompare((state) => state.generating);
  const training = useTraining(runActive);
  const active = useExports(exportActive);
  const pushing = usePush(pushActive);
  if (training) return text.runInProgress;
  if (pushing) return text.pushing;
  if (generating) return text.answering;
  if (active) return text.exporting;
  return needsTraining && !adapter && common.noAdapterYet;
}

/** What a visitor of the page reads, and can press. */
function PageFields() {
  const { page, setPage } = useExports(useFields('page', 'setPage'));
  const name = useCompare((state) => state.adapter?.name ?? '');
  return (
    <div className="grid max-w-prose gap-3">
      <Labelled label={text.page.title}>
        <Input
          placeholder={name}
          value={page.title ?? ''}
          onChange={({ target }) => setPage({ title: target.value === '' ? undefined : target.value })}
        />
      </Labelled>
      <Labelled label={text.page.about}>
        <Input value={page.about ?? ''} onChange={({ target }) => setPage({ about: target.value })} />
      </Labelled>
      <Labelled label={text.page.prompts}>
        <textarea
          rows={3}
          className="w-full rounded-md border border-edge/60 bg-surface px-3 py-2"
          value={(page.prompts ?? []).join('\n')}
          onChange={({ target }) => setPage({ prompts: target.value === '' ? undefined : target.value.split('\n') })}
        />
      </Labelled>
    </div>
  );
}

function Variants({ id }: { id: ExportId }) {
  const choose = useExports((state) => state.choose);
  const active = useExports(exportActive);
  return (
    <RadioList
      label={text.precision}
      columns={3}
      value={id}
      onChange={choose}
      disabled={active}
      options={variantsOf(id).map(({ id: value, variant }) => ({
        value,
        name: variant!.name,
        children: <span className="block text-[0.8125rem] text-muted">{variant!.text}</span>,
      }))}
    />
  );
}

function HowToLoad({ exported, fileName }: { exported: Exported; fileName: string | null }) {
  const facts = { method: exported.method.type, objective: exported.objective, family: exported.family };
  return (
    <details className="text-[0.8125rem]">
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.howToLoad}</summary>
      <pre className="mt-1 overflow-x-auto rounded-md border bg-canvas p-3 font-mono text-xs leading-relaxed">
        {loadingCode(facts, fileName?.replace(/\.zip$/, '') ?? text.placeholderFolder)}
      </pre>
    </details>
  );
}
