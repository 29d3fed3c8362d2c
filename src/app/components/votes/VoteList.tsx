import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Contestant, Verdict } from '../../../session/comparison-types';
import { decided } from '../../../session/votes';
import { useFields } from '../../../stores/select';
import { useVotes } from '../../../stores/votes';
import { votesText as text } from '../../text/votes';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Select } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';

const verdicts: readonly Verdict[] = ['a', 'b', 'both_good', 'both_bad'];

/** Every vote, with who wrote what; each can be changed or removed. */
export function VoteList() {
  const { votes, change, remove, clear } = useVotes(useFields('votes', 'change', 'remove', 'clear'));
  const [asking, setAsking] = useState(false);
  const pairs = decided(votes).length;
  const heads = ['prompt', 'a', 'b', 'verdict'] as const;
  return (
    <details>
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">
        {text.show(votes.length)}: {text.counted(pairs, votes.length - pairs)}
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <section aria-label={text.list} tabIndex={0} className="mt-2 max-h-96 overflow-auto rounded-md border">
        <table className="w-full min-w-180 text-left align-top">
          <thead className="sticky top-0 bg-surface">
            <tr className="border-b text-[0.8125rem] text-muted">
              {heads.map((head) => (
                <th key={head} scope="col" className="px-3 py-1.5 font-medium">
                  {text.columns[head]}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {votes.map(({ prompt, a, b, verdict, at }, i) => (
              <tr key={at} className="border-b align-top last:border-b-0">
                <th scope="row" className="max-w-56 px-3 py-2 font-normal break-words whitespace-pre-wrap">
                  {prompt.text}
                </th>
                <Answer one={a} better={verdict === 'a'} />
                <Answer one={b} better={verdict === 'b'} />
                <td className="px-3 py-2">
                  <Select
                    aria-label={text.verdictOf(i + 1)}
                    value={verdict}
                    options={verdicts.map((value) => ({ value, label: text.verdicts[value] }))}
                    onChange={({ target }) => change(at, target.value as Verdict)}
                    className="w-32"
                  />
                </td>
                <td className="px-2 py-2">
                  <IconButton icon={Trash2} size="small" label={text.remove(i + 1)} onClick={() => remove(at)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Button variant="quiet" size="small" className="mt-2" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden size={14} /> {text.clear}
      </Button>
      <Confirm
        open={asking}
        title={text.clearQuestion}
        action={text.clear}
        onCancel={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          clear();
        }}
      >
        {text.clearText}
      </Confirm>
    </details>
  );
}

function Answer({ one, better }: { one: Contestant; better: boolean }) {
  return (
    <td className="max-w-72 px-3 py-2 break-words whitespace-pre-wrap">
      <span className={better ? 'font-medium' : undefined}>{one.text || text.empty}</span>
      <span className="block text-xs text-muted">
        {one.name}, {one.temperature.toFixed(1)}
      </span>
    </td>
  );
}
