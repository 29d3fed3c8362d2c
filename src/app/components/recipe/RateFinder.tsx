import { RATE_RANGE } from '../../../metrics/rate-range';
import { useBlockers } from '../../../stores/blockers';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { useTrial } from '../../../stores/trial';
import { common } from '../../text/common';
import { driveText, rateText as text } from '../../text/trial';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { ErrorNotice } from '../../ui/Notice';
import { formatMetric, formatRate } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { ratePlot } from './ratePlot';

/** The rate as it is set: two digits are as exact as a range test is. */
const rounded = (rate: number): number => Number(rate.toPrecision(2));

/** A range test of the learning rate, drawn while it goes; the suggestion is one press away. */
export function RateFinder({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { phase, points, search, searchError, startSearch, cancel } = useTrial(
    useFields('phase', 'points', 'search', 'searchError', 'startSearch', 'cancel'),
  );
  const set = useRecipe((state) => state.set);
  const now = useRecipe((state) => state.recipe.training.learning_rate);
  const training = useTraining(runActive);
  const first = useBlockers()[0];
  const closeDialog = useScreen((state) => state.closeDialog);
  const searching = phase === 'searching';
  const suggested = search?.suggested ?? null;
  const rate = suggested && rounded(suggested.rate);
  const why = training ? common.runInProgress : first ? first.error.message : phase === 'driving' && driveText.inUse;
  return (
    <Dialog
      open={open}
      // What nobody looks at must not hold the GPU.
      onClose={() => {
        if (searching) cancel();
        onClose();
      }}
      shape="wide"
      title={text.title}
      description={text.description}
      footer={
        searching ? (
          <Button onClick={cancel}>{common.cancel}</Button>
        ) : (
          <>
            <Button variant={rate ? 'secondary' : 'primary'} why={why} onClick={() => void startSearch()}>
              {points.length > 0 ? text.again : text.start}
            </Button>
            {rate !== null && (
              <Button
                variant="primary"
                onClick={() => {
                  set({ 'training.learning_rate': rate });
                  closeDialog();
                }}
              >
                {text.use(formatRate(rate))}
              </Button>
            )}
          </>
        )
      }
    >
      <div className="space-y-4">
        {searchError && <ErrorNotice error={searchError} />}
        <StepChart
          label={text.chart}
          plot={ratePlot(points, suggested?.rate ?? null, now)}
          format={formatMetric}
          stepText={(step) => (points[step] ? text.at(formatRate(points[step].rate)) : '')}
          stepTick={(step) => (points[step] ? formatRate(points[step].rate) : '')}
          stepColumn={text.column}
          // What diverges would flatten the rest.
          log
          height={260}
          empty={searching ? driveText.preparing : text.empty}
        />
        <div role="status" className="min-h-12 text-[0.8125rem]">
          {searching && <p className="text-muted">{text.running(points.length, RATE_RANGE.steps)}</p>}
          {search && suggested && rate !== null && (
            <>
              <p className="text-sm font-semibold">{text.suggestion(formatRate(rate))}</p>
              <p className="text-muted">{text.why(formatRate(suggested.lowest), formatRate(suggested.steepest))}</p>
            </>
          )}
          {search && !suggested && <p>{text.none}</p>}
          {search && !search.diverged && <p className="text-muted">{text.notEarly}</p>}
        </div>
      </div>
    </Dialog>
  );
}
