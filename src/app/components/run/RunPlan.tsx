import { LoaderCircle } from 'lucide-react';
import { methodOf } from '../../../methods';
import { type Blocker, useBlockers } from '../../../stores/blockers';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { runText } from '../../text/run';
import { formatBytes, formatCompact, formatCount, formatDuration, formatPart } from '../../util/format';
import { pageNamed } from '../../util/pages';
import { hashOf } from '../../util/route';
import { MemoryBar } from './MemoryBar';
import { MemoryVerdict } from './MemoryVerdict';
import { ModelAdvice } from './ModelAdvice';
import { PlanInWords } from './PlanInWords';
import { TestDrive } from './TestDrive';

function Row({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-4">
      <dt className="text-muted">{name}</dt>
      <dd className="text-right font-medium">
        {value}
        {note && <span className="block text-[0.8125rem] font-normal text-muted">{note}</span>}
      </dd>
    </div>
  );
}

/** A recipe that cannot run has no forecast: it is all zeros. */
function usePlanned() {
  const { forecast, pending } = usePlan(useFields('forecast', 'pending'));
  return { forecast: forecast && forecast.totalBytes > 0 ? forecast : null, pending };
}

function Trained() {
  const { forecast } = usePlanned();
  const method = useRecipe((state) => state.recipe.method);
  const share = forecast ? forecast.trainableParameters / Math.max(1, forecast.totalParameters) : 0;
  return (
    <div className="space-y-2">
      <h2 className="text-[0.8125rem] font-medium text-muted">{runText.willTrain}</h2>
      <p className="text-2xl font-semibold leading-none tracking-tight">
        {forecast ? formatCompact(forecast.trainableParameters) : common.noValue}
        <span className="ml-1.5 text-sm font-normal tracking-normal text-muted">{runText.parametersWord}</span>
      </p>
      <div className="h-1.5 overflow-hidden rounded-full bg-line" aria-hidden>
        <div
          className="h-full min-w-0.5 rounded-full bg-accent transition-[width]"
          style={{ width: `${Math.min(100, share * 100)}%` }}
        />
      </div>
      <p className="text-[0.8125rem] text-muted">
        {forecast && `${formatPart(forecast.trainableParameters, forecast.totalParameters)}. `}
        {methodOf(method).sentence(method)}
      </p>
    </div>
  );
}

function Takes() {
  const { forecast, pending } = usePlanned();
  return (
    <div className="space-y-2" aria-busy={pending}>
      <h2 className="flex items-center gap-2 text-[0.8125rem] font-medium text-muted">
        {runText.willTake}
        {/* The old figures stay readable until the new ones are there. */}
        {pending && <LoaderCircle aria-hidden size={12} className="animate-spin text-accent" />}
      </h2>
      <dl className="space-y-1">
        <Row name={runText.steps} value={forecast ? formatCount(forecast.totalSteps) : common.noValue} />
        <Row name={runText.tokens} value={forecast ? formatCompact(forecast.tokens) : common.noValue} />
        <Row
          name={runText.time}
          value={
            forecast
              ? forecast.seconds === null
                ? runText.notMeasured
                : common.about(formatDuration(forecast.seconds))
              : common.noValue
          }
        />
        <Row name={common.gpuMemory} value={forecast ? formatBytes(forecast.totalBytes) : common.noValue} />
      </dl>
      {forecast && (
        <>
          <MemoryBar forecast={forecast} />
          <MemoryVerdict forecast={forecast} />
        </>
      )}
    </div>
  );
}

function Blocks({ blockers }: { blockers: Blocker[] }) {
  if (blockers.length === 0) return null;
  if (blockers[0]?.waiting) {
    return (
      <p className="flex items-center gap-2 text-muted">
        <LoaderCircle aria-hidden size={14} className="animate-spin text-accent" />
        {blockers[0].error.message}
      </p>
    );
  }
  return (
    <div className="rounded-md border border-danger/35 bg-danger-soft px-3 py-2">
      <h2 className="font-semibold">{runText.blocksStart(blockers.length === 1)}</h2>
      <ul className="mt-1 space-y-1.5">
        {blockers.slice(0, 4).map(({ page, error }) => (
          <li key={`${error.where} ${error.message}`} className="break-words">
            {error.where && <span className="font-mono text-[0.8125rem]">{error.where} </span>}
            {error.message}{' '}
            <a className="whitespace-nowrap font-medium text-danger underline underline-offset-2" href={hashOf(page)}>
              {runText.goTo(pageNamed(page).title)}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The run before it starts: the plan in words, then in figures, and what blocks it. */
export function RunPlan() {
  const blockers = useBlockers();
  return (
    <>
      <PlanInWords />
      <Blocks blockers={blockers} />
      <ModelAdvice />
      <Trained />
      <Takes />
      <TestDrive />
    </>
  );
}
