import { Square } from 'lucide-react';
import type { ReactNode } from 'react';
import type { DataOf, ModelId } from '../../../session/comparison-types';
import { useCompare } from '../../../stores/compare';
import { type Kind, keyOf, useMeasures } from '../../../stores/measures';
import { useFields } from '../../../stores/select';
import { promptText } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { useWhy } from './useWhy';

/** A measurement of some models: its button, its progress, its error, and what it came to. */
export function MeasurePanel({
  id,
  kind,
  text,
  models,
  of,
  nothing,
  children,
}: {
  id: string;
  kind: Kind;
  text: { title: string; description: string; measure: string; measuring: string; stop: string };
  models: readonly ModelId[];
  of?: DataOf;
  /** Why there is nothing to measure. */
  nothing: string | false;
  children?: ReactNode;
}) {
  const { running, progress, error, measure, cancel, dismiss } = useMeasures(
    useFields('running', 'progress', 'error', 'measure', 'cancel', 'dismiss'),
  );
  const known = useMeasures((state) => state[kind]);
  const busy = useCompare((state) => state.generating);
  const why = useWhy();
  const missing = models.filter((model) => !(keyOf(model, of) in known));
  const here = running === kind;
  return (
    <div id={id} className="scroll-mt-6">
      <Panel
        title={text.title}
        description={text.description}
        aside={
          here ? (
            <Button size="small" onClick={cancel}>
              <Square aria-hidden size={12} fill="currentColor" /> {text.stop}
            </Button>
          ) : (
            !nothing &&
            missing.length > 0 && (
              <Button
                size="small"
                aria-label={`${text.measure}: ${text.title}`}
                why={why || (busy && promptText.wait)}
                onClick={() => void measure(kind, models, of)}
              >
                {text.measure}
              </Button>
            )
          )
        }
      >
        <div className="space-y-4">
          {here && <ProgressBar label={text.measuring} value={progress} text={text.measuring} />}
          {error?.kind === kind && <ErrorNotice error={error.data} onDismiss={dismiss} />}
          {nothing ? <p className="text-muted">{nothing}</p> : children}
        </div>
      </Panel>
    </div>
  );
}
