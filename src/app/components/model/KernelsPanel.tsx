import { RotateCcw } from 'lucide-react';
import { useEffect } from 'react';
import type { KeptChoices, ProductClass, TimedClass } from '../../../base/product-class';
import { useKernels } from '../../../stores/kernels';
import { useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { kernelsText as text } from '../../text/kernels';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatCount, formatMetric, formatShare, formatWhen } from '../../util/format';
import { FigureTable } from '../benchmark/FigureTable';

/** Which kernels compute matrix products on this card, by which times, and since when. */
export function KernelsPanel() {
  const { kept, error, load } = useKernels(useFields('kept', 'error', 'load'));
  const device = useModel((state) => state.device);
  const available = device?.available === true;
  const training = useTraining(runActive);
  // A run may have timed something, before its first step.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run that begins or ends is a reason to look again.
  useEffect(() => {
    if (available) void load();
  }, [available, training, load]);
  if (!device || !available || !kept) return null;
  const { asked, choices } = kept;
  const said = asked !== 'auto' ? text.asked(asked) : device.software ? text.software : choices ? null : text.nothing;
  return (
    <Panel title={text.title} description={said}>
      {error && <ErrorNotice error={error} />}
      {said === null && choices && <Choices choices={choices} />}
    </Panel>
  );
}

function Choices({ choices }: { choices: KeptChoices }) {
  const { progress, measure, cancel, choose } = useKernels(useFields('progress', 'measure', 'cancel', 'choose'));
  const training = useTraining(runActive);
  const why = training && text.whyRun;
  const classes = Object.entries(choices.classes);
  const faster = classes.filter(([, { usual, chosen }]) => usual !== chosen).length;
  return (
    <div className="space-y-3">
      <div className="max-w-prose space-y-1">
        <p>{choices.off ? text.off : text.faster(faster, classes.length)}</p>
        <p className="text-[0.8125rem] text-muted">{text.since(formatWhen(choices.since), choices.clock)}</p>
      </div>
      <details>
        <summary className="cursor-pointer">{text.all(classes.length)}</summary>
        <div className="mt-2 overflow-hidden rounded-md border border-t-0">
          <FigureTable
            caption={text.title}
            heads={[text.product, text.kernel, text.time, text.usual, text.difference]}
            rows={classes.map(([key, timed]) => ({ key, cells: [productWords(timed.shape), ...figures(timed)] }))}
          />
        </div>
      </details>
      {progress === null ? (
        <div className="flex flex-wrap gap-2">
          <Button why={why} onClick={() => void measure()}>
            <RotateCcw aria-hidden size={16} /> {text.again}
          </Button>
          <Button why={why} onClick={() => void choose(choices.off === true)}>
            {choices.off ? text.useTimed : text.useUsual}
          </Button>
        </div>
      ) : (
        <div className="max-w-prose space-y-2">
          <ProgressBar label={text.progress} value={progress} />
          <Button onClick={cancel}>{text.cancel}</Button>
        </div>
      )}
    </div>
  );
}

/** `x·Wᵀ 512 × 576, sums of 1,536, bf16`. */
function productWords({ kind, rows, columns, steps, format, products }: ProductClass): string {
  const sizes = products.map(([p, q]) => `${formatCount(p)} × ${formatCount(q)}`).join(', ');
  if (kind === 'tn') return `${text.kinds.tn} ${sizes}, ${text.sums(formatCount(steps))}`;
  const own = `${text.kinds[kind]} ${formatCount(rows)} × ${formatCount(columns)}, ${text.sums(formatCount(steps))}, ${format}`;
  return products.length > 0 ? `${own}, ${text.beside(products.length)}` : own;
}

function figures({ usual, chosen, ms }: TimedClass): string[] {
  const [own, other] = [ms[chosen], ms[usual]];
  const time = (value: number | undefined) => (value === undefined ? text.untimed : `${formatMetric(value)} ms`);
  const difference = own && other && chosen !== usual ? `−${formatShare(1 - own / other)}` : '';
  return [text.names[chosen], time(own), chosen === usual ? '' : `${text.names[usual]} ${time(other)}`, difference];
}
