import { ThumbsDown, ThumbsUp } from 'lucide-react';
import { isPreference, wordsIn } from '../../../data/preference-parts';
import type { Example, Turns } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useFields } from '../../../stores/select';
import { answersText as text } from '../../text/data';
import { Badge } from '../../ui/Badge';
import { Panel } from '../../ui/Panel';
import { formatCount, formatPlural } from '../../util/format';

/** The selected example as what it is: two answers side by side, a judged answer, or a prompt with what rewards look at. */
export function AnswersPanel() {
  const { row, dataset } = useData(useFields('row', 'dataset'));
  const example = dataset?.examples.find((one) => one.row === row);
  if (!example || !isPreference(example)) return null;
  return (
    <Panel title={text.title(example.row)}>
      <div className="space-y-3">
        <Part title={text.prompt} turns={example.prompt} />
        <Answers example={example} />
      </div>
    </Panel>
  );
}

function Answers({ example }: { example: Extract<Example, { kind: 'pair' | 'judged' | 'prompt' }> }) {
  switch (example.kind) {
    case 'pair': {
      const { chosen, rejected, margin } = example;
      return (
        <>
          <div className="grid gap-3 md:grid-cols-2">
            <Part title={text.better} turns={chosen} than={rejected} tone="accent" />
            <Part title={text.worse} turns={rejected} than={chosen} />
          </div>
          {margin !== undefined && (
            <p className="text-[0.8125rem] text-muted">{text.margin(String(Number(margin.toPrecision(4))))}</p>
          )}
        </>
      );
    }
    case 'judged': {
      const { good, completion } = example;
      const Thumb = good ? ThumbsUp : ThumbsDown;
      return (
        <Part
          title={text.answer}
          turns={completion}
          tone={good ? 'accent' : undefined}
          mark={
            <Badge tone={good ? 'accent' : 'danger'}>
              <Thumb aria-hidden size={12} />
              {good ? text.isGood : text.isBad}
            </Badge>
          }
        />
      );
    }
    case 'prompt':
      return <Columns columns={example.columns} />;
  }
}

/** A prompt or an answer, with its words counted and compared with those of the other answer. */
function Part({
  title,
  turns,
  than,
  tone,
  mark,
}: {
  title: string;
  turns: Turns;
  than?: Turns;
  tone?: 'accent';
  mark?: React.ReactNode;
}) {
  const words = wordsIn(turns);
  const more = than === undefined ? null : words - wordsIn(than);
  return (
    <section aria-label={title} className="flex min-w-0 flex-col">
      <h3 className="mb-1 flex flex-wrap items-baseline gap-x-2 text-[0.8125rem] font-medium">
        {title}
        {mark}
        <span className="font-normal text-muted">
          {formatPlural(words, 'word')}
          {more !== null && `, ${difference(more)}`}
        </span>
      </h3>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset groups controls, and this is text. */}
      <div
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        tabIndex={0}
        role="group"
        aria-label={title}
        className={`max-h-72 flex-1 overflow-auto rounded-md border bg-canvas p-3 break-words whitespace-pre-wrap ${tone === 'accent' ? 'border-l-4 border-l-accent' : ''}`}
      >
        {typeof turns === 'string' ? turns : <Messages messages={turns} />}
      </div>
    </section>
  );
}

const difference = (more: number) =>
  more === 0 ? text.same : more > 0 ? text.more(formatCount(more)) : text.fewer(formatCount(-more));

function Messages({ messages }: { messages: Exclude<Turns, string> }) {
  if (messages.length === 1 && messages[0]!.role !== 'system' && !messages[0]!.thoughts) return messages[0]!.content;
  return (
    <ul className="space-y-2">
      {messages.map(({ role, content, thoughts }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the messages of one example never change places.
        <li key={i}>
          <span className="block text-xs text-muted">{role}</span>
          {thoughts && <span className="block text-muted italic">{thoughts}</span>}
          {content}
        </li>
      ))}
    </ul>
  );
}

function Columns({ columns }: { columns: Record<string, unknown> }) {
  const entries = Object.entries(columns);
  return (
    <section aria-label={text.columns}>
      <h3 className="mb-1 text-[0.8125rem] font-medium">{text.columns}</h3>
      {entries.length === 0 ? (
        <p className="text-muted">{text.noColumns}</p>
      ) : (
        <dl className="grid gap-x-4 gap-y-1 rounded-md border bg-canvas p-3 sm:grid-cols-[auto_1fr]">
          {entries.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="font-mono text-[0.8125rem]">{name}</dt>
              <dd className="mb-1 max-h-40 min-w-0 overflow-auto break-words whitespace-pre-wrap sm:mb-0">
                {typeof value === 'string' ? value : JSON.stringify(value)}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
