import { FileUp, Table2, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useModel } from '../../stores/model';
import { useFields } from '../../stores/select';
import { LEAST_PARAMETERS, rowsOf, useLacking, useSelfInstruct } from '../../stores/self-instruct';
import { runActive, useTraining } from '../../stores/training';
import { Funnel } from '../components/self-instruct/Funnel';
import { SeedTasks } from '../components/self-instruct/SeedTasks';
import { WritingPanel } from '../components/self-instruct/WritingPanel';
import { WrittenTasks } from '../components/self-instruct/WrittenTasks';
import { common } from '../text/common';
import { selfInstructText as text } from '../text/self-instruct';
import { Button } from '../ui/Button';
import { Confirm } from '../ui/Confirm';
import { ErrorNotice, Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { formatCompact, formatCount, formatPlural } from '../util/format';
import { navigate } from '../util/route';

/** The open model writes a dataset from seed tasks. */
export function SelfInstructPage() {
  const { draft, status, error, writing, load, choose, discard } = useSelfInstruct(
    useFields('draft', 'status', 'error', 'writing', 'load', 'choose', 'discard'),
  );
  const info = useModel((state) => state.info);
  const training = useTraining(runActive);
  const lacking = useLacking();
  const [doomed, setDoomed] = useState(false);
  useEffect(() => void load(), [load]);
  const rows = rowsOf(draft);
  const whyNotUse =
    (training && common.runInProgress) || (writing && text.whileWriting) || (rows.machine === 0 && text.nothingYet);
  async function use() {
    if (await choose()) navigate('data');
  }
  return (
    <Page
      name="data"
      lead={text.lead}
      aside={
        <Button onClick={() => navigate('data')}>
          <FileUp aria-hidden size={16} /> {text.back}
        </Button>
      }
    >
      {error && <ErrorNotice error={error} onDismiss={() => useSelfInstruct.setState({ error: null })} />}
      {info && info.kind === 'decoder' && info.parameters < LEAST_PARAMETERS && (
        <Notice
          tone="warning"
          actions={
            <Button size="small" onClick={() => navigate('model')}>
              {text.otherModel}
            </Button>
          }
        >
          {text.tooSmall(info.title, formatCompact(info.parameters))}
        </Notice>
      )}
      {status === 'ready' && (
        <div className="grid items-start gap-4 min-[60rem]:grid-cols-[minmax(0,1fr)_20rem]">
          <div className="min-w-0 space-y-4 max-[60rem]:order-2">
            <Funnel />
            <WrittenTasks />
            <SeedTasks why={writing && text.whileWriting} />
          </div>
          <div className="min-w-0 space-y-4 min-[60rem]:sticky min-[60rem]:top-4">
            <WritingPanel why={(training && common.runInProgress) || (lacking !== null && text.lacking[lacking])} />
            <div className="space-y-2">
              <Button variant={writing ? 'secondary' : 'primary'} className="w-full" why={whyNotUse} onClick={use}>
                <Table2 aria-hidden size={16} /> {text.use(formatPlural(rows.machine + rows.seeds, 'example'))}
              </Button>
              <p className="text-[0.8125rem] text-muted">
                {text.rowsHint(formatCount(rows.machine), formatCount(rows.seeds))}
              </p>
              {draft.funnel.instructions.written > 0 && (
                <Button
                  size="small"
                  variant="danger"
                  why={writing && text.whileWriting}
                  onClick={() => setDoomed(true)}
                >
                  <Trash2 aria-hidden size={14} /> {text.discard}
                </Button>
              )}
            </div>
          </div>
        </div>
      )}
      <Confirm
        open={doomed}
        title={text.discardTitle}
        action={text.discard}
        onCancel={() => setDoomed(false)}
        onConfirm={() => {
          setDoomed(false);
          void discard();
        }}
      >
        {text.discardBody}
      </Confirm>
    </Page>
  );
}
