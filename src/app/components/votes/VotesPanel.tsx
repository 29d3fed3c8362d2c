import { Play, Square } from 'lucide-react';
import { useEffect } from 'react';
import type { ModelId } from '../../../session/comparison-types';
import { useCompare } from '../../../stores/compare';
import { useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { contestOf, contestsOf, keyOf, standings, useVotes } from '../../../stores/votes';
import { common } from '../../text/common';
import { compareText } from '../../text/comparing';
import { votesText as text } from '../../text/votes';
import { Button } from '../../ui/Button';
import { Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { RangeField } from '../../ui/RangeField';
import { useColumns } from '../compare/useColumns';
import { useWhy } from '../compare/useWhy';
import { Ballot } from './Ballot';
import { TrainVotes } from './TrainVotes';
import { VoteList } from './VoteList';

/** Two answers, one key a vote, and training on what was said. */
export function VotesPanel() {
  const { votes, known, error, phase, same, load, start, stop } = useVotes(
    useFields('votes', 'known', 'error', 'phase', 'same', 'load', 'start', 'stop'),
  );
  const { models, task } = useColumns();
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  const training = useTraining(runActive);
  const opening = useCompare((state) => state.opening);
  useEffect(() => void load(), [load]);
  const notReady = useWhy();
  const why =
    notReady ||
    (!known && text.reading) ||
    (task !== 'writes' && text.sorting) ||
    (encoder && text.notYet) ||
    (training && common.runInProgress) ||
    (opening && text.opening);
  const won = standings(votes);
  return (
    <Panel id="votes" title={text.title} description={text.description}>
      <div className="space-y-4">
        {error && (
          <ErrorNotice
            error={error}
            onDismiss={() => useVotes.setState({ error: null })}
            actions={!known && <Button onClick={load}>{text.again}</Button>}
          />
        )}
        <Settings ids={models.map(({ id }) => id)} />
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          {phase === 'off' ? (
            <Button variant={votes.length === 0 ? 'primary' : 'secondary'} why={why} onClick={start}>
              <Play aria-hidden size={14} fill="currentColor" /> {votes.length === 0 ? text.start : text.more}
            </Button>
          ) : (
            <Button onClick={stop}>
              <Square aria-hidden size={14} fill="currentColor" /> {text.stop}
            </Button>
          )}
          {same > 0 && <span className="text-[0.8125rem] text-muted">{text.same(same)}</span>}
        </div>
        {phase !== 'off' && <Ballot />}
        {won.length > 0 && (
          <ul className="flex flex-wrap gap-x-6 gap-y-1 text-[0.8125rem] text-muted tabular-nums">
            {won.map(({ name, won: count, of }) => (
              <li key={name}>{text.standing(name, count, of)}</li>
            ))}
          </ul>
        )}
        {votes.length > 0 && <VoteList />}
        {votes.length > 0 && <TrainVotes />}
      </div>
    </Panel>
  );
}

/** Who answers, and how freely. */
function Settings({ ids }: { ids: ModelId[] }) {
  const state = useVotes(useFields('contest', 'temperatures', 'setContest', 'setTemperature'));
  const { models } = useColumns();
  const titles = new Map(models.map(({ id, name }) => [id, name ?? compareText.base]));
  const nameOf = (id: ModelId) => titles.get(id) ?? id;
  const contests = contestsOf(ids);
  const contest = contestOf(state, ids);
  const itself = contest.a === contest.b;
  const names = itself ? [text.firstAnswer, text.secondAnswer] : [nameOf(contest.a), nameOf(contest.b)];
  return (
    <div className="space-y-3">
      <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
        <Labelled label={text.contest}>
          <Select
            value={keyOf(contest)}
            options={contests.map((one) => ({
              value: keyOf(one),
              label: one.a === one.b ? text.itself(nameOf(one.a)) : text.against(nameOf(one.a), nameOf(one.b)),
            }))}
            onChange={({ target }) => state.setContest(contests.find((one) => keyOf(one) === target.value)!)}
          />
        </Labelled>
        {([0, 1] as const).map((side) => (
          <RangeField
            key={side}
            label={text.temperature(names[side]!)}
            min={0}
            max={2}
            step={0.1}
            value={state.temperatures[side]}
            text={state.temperatures[side].toFixed(1)}
            onChange={(value) => state.setTemperature(side, value)}
          />
        ))}
      </div>
      <p className="max-w-prose text-[0.8125rem] text-muted">{text.prompts}</p>
    </div>
  );
}
