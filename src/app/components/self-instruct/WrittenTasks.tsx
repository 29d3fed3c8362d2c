import { stepWords, type WrittenTask } from '../../../self-instruct';
import { useSelfInstruct } from '../../../stores/self-instruct';
import { selfInstructText as text } from '../../text/self-instruct';
import { Badge } from '../../ui/Badge';
import { Panel } from '../../ui/Panel';
import { formatCount } from '../../util/format';

/** As many as a page draws at once; the dataset's table has all of them. */
const MOST_SHOWN = 100;

/** What the model has written and the filters have kept, newest first, with what was dropped last. */
export function WrittenTasks() {
  const { tasks, dropped } = useSelfInstruct((state) => state.draft);
  const newest = tasks.slice(-MOST_SHOWN).reverse();
  return (
    <Panel title={text.listTitle} description={tasks.length === 0 ? text.listEmpty : undefined} flush>
      {tasks.length > MOST_SHOWN && (
        <p className="px-4 pb-2 text-[0.8125rem] text-muted">{text.newest(formatCount(MOST_SHOWN))}</p>
      )}
      {newest.length > 0 && (
        <ul className="border-t">
          {newest.map((task) => (
            <Written key={task.instruction} task={task} />
          ))}
        </ul>
      )}
      {dropped.length > 0 && (
        <details className="border-t px-4 py-3">
          <summary className="font-medium">{text.droppedTitle}</summary>
          <ul className="pt-2">
            {dropped
              .slice()
              .reverse()
              .map(({ text: one, why, nearest }, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the same text may be dropped twice.
                <li key={i} className="border-t py-1.5 break-words first:border-t-0">
                  {one}
                  <span className="block text-[0.8125rem] text-muted">
                    {stepWords[why]}
                    {nearest && `: ${text.similarity(nearest.score.toFixed(2))}, “${nearest.instruction}”`}
                  </span>
                </li>
              ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function Written({ task: { instruction, classification, instances, nearest } }: { task: WrittenTask }) {
  const [closest] = nearest;
  return (
    <li className="border-b px-4 py-2.5 last:border-b-0">
      <p className="font-medium break-words">
        {instruction} {classification && <Badge>{text.classification}</Badge>}
      </p>
      {instances === null && <p className="text-muted">{text.waiting}</p>}
      {instances?.length === 0 && <p className="text-warn">{text.noneUsable}</p>}
      {instances?.map(({ input, output }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the examples of a task never change places.
        <dl key={i} className="mt-1 grid grid-cols-[4rem_minmax(0,1fr)] gap-x-2 text-[0.8125rem]">
          {input !== '' && (
            <>
              <dt className="text-muted">{text.input}</dt>
              <dd className="line-clamp-3 break-words whitespace-pre-wrap">{input}</dd>
            </>
          )}
          <dt className="text-muted">{text.output}</dt>
          <dd className="line-clamp-3 break-words whitespace-pre-wrap">{output}</dd>
        </dl>
      ))}
      {closest && (
        <p className="mt-1 text-xs text-muted break-words">
          {text.nearest(closest.instruction)}, {text.similarity(closest.score.toFixed(2))}
        </p>
      )}
    </li>
  );
}
