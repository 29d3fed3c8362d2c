import { useId } from 'react';
import { type Exported, type ExportId, exportKinds, variantsOf } from '../../../exports';
import { exportActive, useExports } from '../../../stores/exports';
import { exportText as text } from '../../text/compare';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { EXPORT_PANEL } from '../../util/route';
import { useExported } from '../../util/saveFiles';
import { ExportDetails } from './ExportDetails';
import { ExportProgress, ExportResultNotice } from './ExportState';

const groups = [...new Set(exportKinds.map(({ group }) => group))];

/** What was trained, for the program that it is going to. */
export function ExportPanel() {
  const exportedBy = useExported();
  const chosen = useExports((state) => state.chosen) ?? firstPossible(exportedBy);
  const active = useExports(exportActive);
  const result = useExports((state) => state.result);
  const error = useExports((state) => state.error);
  return (
    <Panel id={EXPORT_PANEL} title={text.title} description={text.description}>
      <div className="grid items-start gap-x-6 gap-y-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
        <Destinations exportedBy={exportedBy} chosen={chosen} disabled={active} />
        <div className="min-w-0 space-y-4">
          <ExportDetails id={chosen} exported={exportedBy(chosen)} />
          {active && <ExportProgress />}
          {result && <ExportResultNotice result={result} />}
          {error && <ErrorNotice error={error} onDismiss={() => useExports.setState({ error: null })} />}
        </div>
      </div>
    </Panel>
  );
}

type ExportedBy = (id: ExportId) => Exported;

const firstPossible = (exportedBy: ExportedBy): ExportId =>
  (exportKinds.find((one) => one.refusal(exportedBy(one.id)) === null) ?? exportKinds[0]!).id;

function Destinations({
  exportedBy,
  chosen,
  disabled,
}: {
  exportedBy: ExportedBy;
  chosen: ExportId;
  disabled: boolean;
}) {
  const choose = useExports((state) => state.choose);
  const name = useId();
  const kind = variantsOf(chosen)[0]?.id ?? chosen;
  return (
    <fieldset className="space-y-3">
      <legend className="sr-only">{text.destination}</legend>
      {groups.map((group) => (
        <div key={group}>
          <p className="mb-1 text-[0.8125rem] font-medium text-muted">{text.groups[group]}</p>
          <div className="space-y-1">
            {exportKinds
              .filter((one) => one.group === group)
              .map((one) => {
                const exported = exportedBy(one.id);
                const impossible = one.refusal(exported) !== null;
                return (
                  <label
                    key={one.id}
                    className={cx(
                      'flex min-h-9 items-start gap-2.5 rounded-lg border px-3 py-1.5 has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2',
                      one.id === kind ? 'border-accent bg-accent-soft' : 'border-transparent hover:bg-hover',
                      impossible && 'text-muted',
                      !disabled && 'cursor-pointer',
                    )}
                  >
                    <input
                      type="radio"
                      className="mt-1 accent-accent"
                      name={name}
                      checked={one.id === kind}
                      disabled={disabled}
                      onChange={() => choose(one.id)}
                    />
                    <span className="min-w-0">
                      {one.label(exported)}
                      <span className="block text-[0.8125rem] text-muted">{one.forWhom}</span>
                    </span>
                  </label>
                );
              })}
          </div>
        </div>
      ))}
    </fieldset>
  );
}
